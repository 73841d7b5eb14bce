# pyright: strict
"""The mixer on the way of an output: which controls it has, and how they are set."""

from __future__ import annotations

import re

from engine.health.mixer.states import (
    MixerState,
    card_controls,
    node_number,
    node_state,
    server_sinks,
    server_streams,
)
from engine.health.programs import Ask, output_of

_CARD = re.compile(r"CARD=([^,]+)|^(?:plug)?hw:([^,:=]+)(?:,|$)")


class OutputMixer:
    """The mixer of a sound card, or of a sound server.

    Args:
        device: as the output names it: a sink of a server, or a name of ALSA; None for what sounds by default.
        control: the one control of the card that counts; empty: all that are on the way out.
        ask: runs other programs.
    """

    def __init__(self, device: str | None, control: str = "", ask: Ask = output_of) -> None:
        self._device = device
        self._control = control
        self._ask = ask
        match = _CARD.search(device or "")
        self._card = (match[1] or match[2]) if match else ""

    def states(self) -> list[MixerState]:
        """How its controls are; none where nobody tells."""
        if not self._card and (served := self._served()):
            return served
        words = ("-c", self._card) if self._card else ()
        return card_controls(self._ask("amixer", *words) or "", self._card, self._control)

    def set(self, state: MixerState, percent: float) -> None:
        """Open a control, at a level. Whether that did anything, `states` tells."""
        for command in state.setting(percent):
            self._ask(*command)

    def _served(self) -> list[MixerState]:
        """Of a server; a card's own control is its server's."""
        name = self._device or (self._ask("pactl", "get-default-sink") or "").strip()
        listed = self._ask("pactl", "--format=json", "list", "sinks") if name else None
        if listed and (found := server_sinks(listed, name)):
            return [*found, *server_streams(self._ask("pactl", "--format=json", "list", "sink-inputs") or "")]
        place = "@DEFAULT_AUDIO_SINK@"
        if self._device:
            place = node_number(self._ask("pw-dump") or "", self._device)
        printed = self._ask("wpctl", "get-volume", place) if place else None
        return node_state(printed, self._device or "the default sink", place) if printed else []
