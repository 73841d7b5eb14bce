# pyright: strict
"""Controls between the player and the loudspeaker, as the programs that know them print them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from engine.outputs.devices.players import CLIENT


class Way(StrEnum):
    """How a control is set."""

    SINK = "sink"
    """Of PulseAudio, or of PipeWire by the same program: `pactl`."""

    STREAM = "stream"
    """Our own stream to such a sink. A server remembers that somebody has turned it down, over restarts."""

    NODE = "node"
    """Of PipeWire: `wpctl`."""

    CARD = "card"
    """Of ALSA: `amixer`."""


@dataclass(frozen=True, slots=True)
class MixerState:
    """A control.

    Attributes:
        name: of it, for people.
        muted: whether it lets nothing through.
        percent: its level; of several channels the lowest.
        way: how it is set.
        place: how that program calls it.
        card: of ALSA; empty for the first.
    """

    name: str
    muted: bool
    percent: float
    way: Way
    place: str
    card: str = ""

    @property
    def shut(self) -> bool:
        """Whether nothing comes through."""
        return self.muted or self.percent <= 0.0

    @property
    def how(self) -> str:
        """How it is, in words."""
        return "muted" if self.muted else f"at {self.percent:.0f} %"

    def setting(self, percent: float) -> list[tuple[str, ...]]:
        """Commands that open it, at a level."""
        level = f"{percent:.0f}%"
        match self.way:
            case Way.SINK | Way.STREAM:
                what = "sink" if self.way is Way.SINK else "sink-input"
                return [
                    ("pactl", f"set-{what}-volume", self.place, level),
                    ("pactl", f"set-{what}-mute", self.place, "0"),
                ]
            case Way.NODE:
                return [("wpctl", "set-volume", self.place, level), ("wpctl", "set-mute", self.place, "0")]
            case Way.CARD:
                card = ("-c", self.card) if self.card else ()
                return [("amixer", *card, "-q", "sset", self.place, level, "unmute")]


def server_sinks(listed: str, name: str) -> list[MixerState]:
    """The sink of a name, in what `pactl --format=json list sinks` prints."""
    return [_served(row, Way.SINK, name, name) for row in _rows(listed) if row.get("name") == name]


def server_streams(listed: str) -> list[MixerState]:
    """Our own streams, in what `pactl --format=json list sink-inputs` prints."""
    found: list[MixerState] = []
    for row in _rows(listed):
        told = row.get("properties")
        properties = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
        if properties.get("application.name") == CLIENT and row.get("volume"):
            found.append(_served(row, Way.STREAM, "our own stream", str(row.get("index", ""))))
    return found


def node_number(listed: str, name: str) -> str:
    """The number of the sink of a name, in what `pw-dump` prints; empty where there is none."""
    for row in _rows(listed):
        told = row.get("info")
        inside = cast("dict[str, Any]", told).get("props") if isinstance(told, dict) else None
        properties = cast("dict[str, Any]", inside) if isinstance(inside, dict) else {}
        if properties.get("media.class") == "Audio/Sink" and properties.get("node.name") == name:
            return str(row.get("id", ""))
    return ""


_NODE = re.compile(r"Volume:\s*(\d+(?:\.\d+)?)\s*(\[MUTED\])?")


def node_state(printed: str, name: str, place: str) -> list[MixerState]:
    """What `wpctl get-volume` prints of a node."""
    match = _NODE.search(printed)
    return [MixerState(name, match[2] is not None, float(match[1]) * 100.0, Way.NODE, place)] if match else []


_CONTROL = re.compile(r"Simple mixer control '([^']*)',(\d+)\n(.*?)(?=Simple mixer control|\Z)", re.DOTALL)
_LEVEL = re.compile(r"Playback.*?\[(\d+)%\].*?\[(on|off)\]|Playback.*?\[(on|off)\]|Playback.*?\[(\d+)%\]")
_OUT = re.compile(r"master|pcm|speaker|headphone|digital|line out|hdmi|iec958|analogue", re.IGNORECASE)


def card_controls(listed: str, card: str = "", only: str = "") -> list[MixerState]:
    """Controls on the way out, in what `amixer` prints of a card.

    Args:
        listed: that.
        card: its name.
        only: name of the one control that counts; empty: those that are called as outputs are.
    """
    found: list[MixerState] = []
    for name, number, text in _CONTROL.findall(listed):
        levels = [
            (float(one[0] or one[3] or 100.0), (one[1] or one[2] or "on") == "off") for one in _LEVEL.findall(text)
        ]
        if levels and (name.lower() == only.lower() if only else _OUT.search(name)):
            label = name if number == "0" else f"{name},{number}"
            muted, percent = any(off for _, off in levels), min(level for level, _ in levels)
            found.append(MixerState(label, muted, percent, Way.CARD, f"{name},{number}", card))
    return found


def _served(row: dict[str, Any], way: Way, name: str, place: str) -> MixerState:
    volumes = cast("dict[str, dict[str, Any]]", row.get("volume") or {})
    levels = [float(str(one.get("value_percent", "0%")).strip("% ") or 0) for one in volumes.values()]
    return MixerState(name, bool(row.get("mute")), min(levels, default=0.0), way, place)


def _rows(listed: str) -> list[dict[str, Any]]:
    try:
        rows: object = json.loads(listed)
    except ValueError:
        return []
    several = cast("list[object]", rows) if isinstance(rows, list) else []
    return [cast("dict[str, Any]", row) for row in several if isinstance(row, dict)]
