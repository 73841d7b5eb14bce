# pyright: strict
"""The way of the sound: a device by its stable name, and a mixer that lets it through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.health.doctor.diagnosis import Diagnosis, Grade
from engine.health.doctor.machine import output_of
from engine.outputs.devices.devices import Device, auto_choice, devices

Ask = Callable[..., str | None]
"""Runs a program; gives what it prints, None where it is not there or fails."""

SOFT = 40.0
"""Per cent of a mixer below which somebody has probably turned it down by hand."""


def device(kind: str, argument: str | None, here: Sequence[Device] | None = None) -> Diagnosis:
    """Whether what the installation plays to is here.

    Args:
        kind: of its output: "auto", "device", "null", "wav" ...
        argument: of that kind.
        here: devices; None: look.
    """
    if kind not in ("auto", "device"):
        return Diagnosis("output", Grade.GOOD, f"{kind}: no sound card is needed")
    here = devices() if here is None else here
    names = ", ".join(one.name for one in here) or "none"
    if kind == "device" and argument:
        if any(argument == one.name for one in here):
            return Diagnosis("output", Grade.GOOD, f"{argument} is here")
        numbered = re.match(r"(?:plug)?hw:\d", argument)
        remedy = "plug it in; `perpetuum outputs` names what there is"
        if numbered:
            remedy = "use the name that stays, such as hw:CARD=PCH,DEV=0: numbers change with what is plugged in first"
        return Diagnosis("output", Grade.BAD, f"{argument} is not here; there is {names}", remedy)
    takes, why = auto_choice()
    if not here:
        remedy = "plug a card in, and install a player: apt install pipewire-bin, pulseaudio-utils or alsa-utils"
        return Diagnosis("output", Grade.BAD, f"{takes}: {why}", remedy)
    return Diagnosis("output", Grade.GOOD, f"{takes}: {why}")


@dataclass(frozen=True, slots=True)
class MixerState:
    """A control between the player and the loudspeaker.

    Attributes:
        name: of it.
        muted: whether it lets nothing through.
        percent: its level.
        served: it belongs to a sound server, and not to a card.
    """

    name: str
    muted: bool
    percent: float
    served: bool = False


def server_mixer(listed: str, name: str | None) -> list[MixerState]:
    """Sinks in what `pactl --format=json list sinks` prints; the one of a name, or all."""
    try:
        rows: object = json.loads(listed)
    except ValueError:
        return []
    found: list[MixerState] = []
    for row in cast("list[object]", rows if isinstance(rows, list) else []):
        if not isinstance(row, dict):
            continue
        row = cast("dict[str, Any]", row)
        if name and row.get("name") != name:
            continue
        volumes = cast("dict[str, dict[str, Any]]", row.get("volume") or {})
        levels = [float(str(one.get("value_percent", "0%")).strip("% ") or 0) for one in volumes.values()]
        found.append(MixerState(str(row.get("name", "")), bool(row.get("mute")), min(levels, default=0.0), True))
    return found


_CONTROL = re.compile(r"Simple mixer control '([^']*)',(\d+)\n(.*?)(?=Simple mixer control|\Z)", re.DOTALL)
_LEVEL = re.compile(r"Playback.*?\[(\d+)%\].*?\[(on|off)\]|Playback.*?\[(on|off)\]|Playback.*?\[(\d+)%\]")
_OUT = re.compile(r"master|pcm|speaker|headphone|digital|line out|hdmi|iec958|analogue", re.IGNORECASE)


def card_mixer(listed: str) -> list[MixerState]:
    """Controls on the way out in what `amixer -c CARD` prints."""
    found: list[MixerState] = []
    for name, number, text in _CONTROL.findall(listed):
        levels = [
            (float(one[0] or one[3] or 100.0), (one[1] or one[2] or "on") == "off") for one in _LEVEL.findall(text)
        ]
        if levels and _OUT.search(name):
            label = name if number == "0" else f"{name},{number}"
            found.append(MixerState(label, any(off for _, off in levels), min(level for level, _ in levels)))
    return found


def mixer(kind: str, argument: str | None, ask: Ask = output_of) -> list[Diagnosis]:
    """Whether mixers let sound through.

    Args:
        kind: of the output.
        argument: of that kind.
        ask: runs `pactl` and `amixer`.
    """
    if kind not in ("auto", "device"):
        return []
    card = re.search(r"CARD=([^,]+)", argument or "")
    states: list[MixerState] = []
    if not card:
        listed = ask("pactl", "--format=json", "list", "sinks")
        name = argument or (ask("pactl", "get-default-sink") or "").strip()
        states += server_mixer(listed, name or None) if listed else []
    words = ["-c", card[1]] if card else []
    if not states:  # a sound server's own control may be shown as a card's, too
        states = card_mixer(ask("amixer", *words) or "")
    if not states:
        return [Diagnosis("mixer", Grade.UNKNOWN, "nobody here tells levels", "apt install alsa-utils, and look again")]
    found: list[Diagnosis] = []
    for state in states:
        if state.muted or state.percent == 0:
            how = "muted" if state.muted else "at 0 %"
            remedy = f"unmute it: amixer {' '.join(words)} set '{state.name}' unmute 80%".replace("  ", " ")
            if state.served:
                remedy = f"unmute it: pactl set-sink-mute {state.name} 0; pactl set-sink-volume {state.name} 80%"
            found.append(Diagnosis("mixer", Grade.BAD, f"{state.name} is {how}", remedy))
        elif state.percent < SOFT:
            found.append(
                Diagnosis(
                    "mixer",
                    Grade.DOUBTFUL,
                    f"{state.name} is at {state.percent:.0f} %",
                    "turn it up, and the amplifier down",
                )
            )
        else:
            found.append(Diagnosis("mixer", Grade.GOOD, f"{state.name} is at {state.percent:.0f} %"))
    return found
