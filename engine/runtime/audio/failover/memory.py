# pyright: strict
"""What the audio process was told and has not sounded yet, so that another one can go on where it stopped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

import numpy as np

from engine.sound.messages import (
    BLOCK,
    CROSSFADE,
    ChangeInstrument,
    Control,
    Fade,
    Forget,
    Notes,
    PartSound,
    Ping,
    Quit,
    Ramp,
    Ramps,
    Release,
    Setup,
    ToSound,
)

FOREVER = 1 << 62
"""Frames; live sound is released up to here."""

SHORTEST = 2400
"""Frames (50 ms); a note that has less than this left is not begun again."""

FAINT = -60.0
"""dB; a part below this may be silent."""


class Memory:
    """Messages of one performance by what they mean for the frames to come.

    Not thread-safe; whoever owns it holds a lock.
    """

    def __init__(self) -> None:
        self.setup: Setup | None = None
        self.released = 0
        self.fade: Fade | None = None
        self.quitting = False
        self._notes: dict[str, list[np.ndarray]] = {}
        self._ramps: list[Ramp] = []
        self._changes: dict[str, ChangeInstrument] = {}

    def __len__(self) -> int:
        """Notes and ramps that are kept."""
        return sum(len(piece) for pieces in self._notes.values() for piece in pieces) + len(self._ramps)

    def add(self, message: ToSound, frame: int) -> None:
        """Keep what a message says.

        Args:
            message: as sent.
            frame: frames rendered when it was sent.
        """
        match message:
            case Setup():
                self.setup = message
            case Notes(part=part, notes=notes):
                self._notes.setdefault(part, []).append(notes)
            case Ramps(ramps=ramps):
                self._ramps += ramps
            case ChangeInstrument(part=part):
                before = self._changes.get(part)
                if before is not None and before.frame <= frame:
                    self._changed(before)
                self._changes[part] = message
            case Forget(frame=first):
                self._notes = {
                    part: [kept for piece in pieces if len(kept := piece[piece["on"] < first])]
                    for part, pieces in self._notes.items()
                }
                self._ramps = [ramp for ramp in self._ramps if ramp.start < first]
            case Release(frame=until):
                self.released = max(self.released, until)
            case Fade(start=start):
                fade = replace(message, start=frame if start < 0 else start)
                if self.fade is None or fade.start + fade.frames < self.fade.start + self.fade.frames:
                    self.fade = fade  # the earlier end wins, as in the audio process
            case Quit():
                self.quitting = True
            case Ping():
                pass
            case _:
                assert_never(message)

    def sounds(self, start: int, end: int) -> bool:
        """Whether a note of a part that can be heard is on from one frame to another, and nothing fades out."""
        if self.setup is None or self.fade is not None or self.setup.mix.level < FAINT:
            return False
        heard = {part.name for part in self.setup.parts if part.level >= FAINT}
        heard -= {ramp.part for ramp in self._ramps if ramp.control is Control.LEVEL and ramp.start < end}
        return any(
            bool(np.any((piece["on"] <= start) & (piece["off"] >= end) & (piece["velocity"] > 0)))
            for part in heard
            for piece in self._notes.get(part, ())
        )

    def prune(self, frame: int) -> None:
        """Forget what is over by a frame; what ramps led to stays as the level of their part."""
        self._notes = {
            part: kept
            for part, pieces in self._notes.items()
            if (kept := [piece for piece in pieces if len(piece) and int(piece["off"].max()) > frame])
        }
        over = [ramp for ramp in self._ramps if ramp.end <= frame]
        if over and self.setup is not None:
            self.setup = _with_values(self.setup, ((r.part, r.control, r.value) for r in sorted(over, key=_by_start)))
            self._ramps = [ramp for ramp in self._ramps if ramp.end > frame]
        for change in [one for one in self._changes.values() if one.frame + CROSSFADE <= frame]:
            self._changed(change)

    def _changed(self, change: ChangeInstrument) -> None:
        """An instrument has taken the place of another; who comes later builds it at once."""
        self._changes.pop(change.part)
        if self.setup is not None:
            parts = (
                replace(part, instrument=change.instrument) if part.name == change.part and part.stand_in else part
                for part in self.setup.parts
            )
            self.setup = replace(self.setup, parts=tuple(parts))

    def leave_out(self, until: int) -> None:
        """Drop the notes that begin before a frame."""
        self._notes = {
            part: [kept for piece in pieces if len(kept := piece[piece["on"] >= until])]
            for part, pieces in self._notes.items()
        }

    def messages(self, frame: int) -> list[ToSound]:
        """What a new process is told so that it goes on at `frame` (a multiple of BLOCK).

        Notes that sound then begin again, unless they are almost over; a ramp that is on its way goes on from where
        it is.

        Raises:
            ValueError: there was no setup.
        """
        if self.setup is None:
            raise ValueError("the audio process was not set up yet")
        if frame % BLOCK:
            raise ValueError(f"frame {frame} is not the start of a block")
        self.prune(frame)
        setup = replace(self.setup, start_frame=frame)
        values: dict[tuple[str, Control], float] = {
            (part.name, control): value
            for part in setup.parts
            for control in Control
            if (value := getattr(part, control)) is not None
        }
        ramps: list[Ramp] = []
        for ramp in sorted(self._ramps, key=_by_start):
            if ramp.start < frame:
                begun = values.get((ramp.part, ramp.control), ramp.value)
                setup = _with_values(setup, [(ramp.part, ramp.control, _value_at(ramp, begun, frame))])
                ramp = replace(ramp, start=frame)
            ramps.append(ramp)
        found: list[ToSound] = [setup]
        # Nobody hears a process that catches up, so it may wait for what it builds.
        known = {part.name for part in setup.parts}
        found += [replace(change, wait=True) for change in self._changes.values() if change.part in known]
        if ramps:
            found.append(Ramps(tuple(ramps)))
        found += [
            Notes(part, notes)
            for part, pieces in self._notes.items()
            if part in known and pieces and len(notes := _sounding_from(np.concatenate(pieces), frame))
        ]
        if not setup.free_running:
            found.append(Release(self.released))
        if self.fade is not None:
            end = self.fade.start + self.fade.frames
            start = max(self.fade.start, frame)
            found.append(Fade(start, max(end - start, BLOCK)))
        return found


def _by_start(ramp: Ramp) -> int:
    return ramp.start


def _sounding_from(notes: np.ndarray, frame: int) -> np.ndarray:
    kept = notes[(notes["on"] >= frame) | (notes["off"] >= frame + SHORTEST)].copy()
    kept["on"] = np.maximum(kept["on"], frame)
    return kept


def _value_at(ramp: Ramp, begun: float, frame: int) -> float:
    """Where a ramp that began at the value `begun` stands at a frame."""
    if not (math.isfinite(begun) and math.isfinite(ramp.value)):
        return ramp.value  # from or to silence there is no halfway in dB
    share = (frame - ramp.start) / max(1, ramp.end - ramp.start)
    return begun + (ramp.value - begun) * min(max(share, 0.0), 1.0)


def _with_values(setup: Setup, values: Iterable[tuple[str, Control, float]]) -> Setup:
    parts: dict[str, PartSound] = {part.name: part for part in setup.parts}
    for name, control, value in values:
        if name in parts:
            parts[name] = replace(parts[name], **{control.value: value})
    return replace(setup, parts=tuple(parts.values()))
