# pyright: strict
"""The devices that sound can go to, by names that stay: those of sinks of a sound server, and ALSA's of cards.

Numbers of cards and sinks change with the order in which things are plugged in; `hw:CARD=Name,DEV=0` does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from engine.outputs.devices.players import find_player, pipewire_runs, pulse_runs, why_none

PATIENCE = 3.0
"""Seconds for a sound server to say what it has."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that sound can go to.

    Attributes:
        name: as `--output device` takes it.
        system: "PipeWire", "PulseAudio" or "ALSA".
        description: for people.
        default: whether it is where sound goes without a name.
    """

    name: str
    system: str
    description: str
    default: bool = False


def devices() -> list[Device]:
    """All devices that are here now; what cannot be asked has none."""
    return [*_server_sinks(), *alsa_devices(_output("aplay", "-L"))]


def auto_choice() -> tuple[str, str]:
    """(what the output `auto` would take now, why), in words."""
    player = find_player()
    if player is None:
        return "nothing, in real time", f"{why_none()}; a player is looked for again and again"
    place = f"{player.name} to {player.place}"
    if player.place.startswith("ALSA"):
        return place, "there is a sound card, and no sound server that shares it"
    return place, "a sound server runs, which shares its cards with others"


def pulse_sinks(listed: str, default: str) -> list[Device]:
    """The sinks in what `pactl --format=json list sinks` prints; none where it is something else.

    Args:
        listed: what it prints.
        default: name of the default sink.
    """
    return [
        Device(str(sink.get("name", "")), "PulseAudio", str(sink.get("description", "")), sink.get("name") == default)
        for sink in _objects(listed)
        if sink.get("name")
    ]


def pipewire_sinks(listed: str) -> list[Device]:
    """The sinks in what `pw-dump` prints; none where it is something else. Which is the default one it does not say."""
    found: list[Device] = []
    for node in _objects(listed):
        information = node.get("info")
        found_properties = cast("dict[str, Any]", information).get("props") if isinstance(information, dict) else None
        properties = cast("dict[str, Any]", found_properties) if isinstance(found_properties, dict) else {}
        if properties.get("media.class") == "Audio/Sink":
            about = str(properties.get("node.description", ""))
            found.append(Device(str(properties.get("node.name", "")), "PipeWire", about))
    return found


def alsa_devices(listed: str) -> list[Device]:
    """The cards' own devices in what `aplay -L` prints; names of plug-ins, which are no cards, are left out.

    A name stands at the beginning of a line, what it is in the indented lines below.
    """
    found: list[Device] = []
    name = ""
    about: list[str] = []
    for line in [*listed.splitlines(), "end"]:
        if line[:1].isspace():
            about.append(line.strip())
            continue
        if ":" in name and "CARD=" in name:
            found.append(Device(name, "ALSA", ", ".join(filter(None, about))))
        name, about = line.strip(), []
    return found


def _server_sinks() -> list[Device]:
    """The sinks of the sound server that would play."""
    if not (pulse_runs() or pipewire_runs()):
        return []
    sinks = pulse_sinks(
        _output("pactl", "--format=json", "list", "sinks"), _output("pactl", "get-default-sink").strip()
    )
    return sinks or pipewire_sinks(_output("pw-dump"))


def _objects(listed: str) -> list[dict[str, Any]]:
    try:
        values: object = json.loads(listed)
    except ValueError:
        return []
    if not isinstance(values, list):
        return []
    return [cast("dict[str, Any]", value) for value in cast("list[object]", values) if isinstance(value, dict)]


def _output(*command: str) -> str:
    """What a program prints; nothing if it is not installed, fails or takes too long."""
    if not shutil.which(command[0]):
        return ""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        return done.stdout.decode("utf-8", "replace")
    return ""


def misspelt(name: str, here: Sequence[Device]) -> str:
    """What to say of a name that no device has now; "" of one that has, or that is not to be found in a list.

    It is no error: a card may be plugged in later.
    """
    names = [one.name for one in here]
    if name in names or (":" in name and "CARD=" not in name) or not (here or ":" in name):
        return ""
    import difflib

    near = difflib.get_close_matches(name, names, 1, 0.7)
    hint = f"did you mean {near[0]}?" if near else "`perpetuum outputs` lists those that are"
    return f"there is no device {name} now, and it is waited for; {hint}"
