# pyright: strict
"""Standard MIDI Files out of their events, by mido."""

from __future__ import annotations

import io
from dataclasses import replace

import mido

from engine.progress import tell
from engine.score.midi.smf import META, SYSEX, MidiEvent, Smf, SmfTrack

_TELL_EVERY = 1 << 16
"""Events."""


def write_smf(smf: Smf) -> bytes:
    """The bytes of a file."""
    file = mido.MidiFile(type=smf.kind if len(smf.tracks) == 1 else 1, ticks_per_beat=smf.division)
    events, done = sum(len(track.events) for track in smf.tracks), 0
    for track in smf.tracks:
        written, before = mido.MidiTrack(), 0
        for tick, data in track.events:
            done += 1
            if not done % _TELL_EVERY:
                tell(done / events / 2)
            written.append(_Bytes(data, tick - before))
            before = tick
        written.append(mido.MetaMessage("end_of_track", time=max(track.end - before, 0)))
        file.tracks.append(written)
    out = io.BytesIO()
    tell(0.5)
    file.save(file=out)
    return out.getvalue()


def finer(smf: Smf, factor: int) -> Smf:
    """The same file, with so many ticks in place of each one."""
    division = smf.division * factor
    if smf.is_film:
        division = (smf.division >> 8 << 8) + (smf.division & 0xFF) * factor
    tracks = tuple(
        SmfTrack(tuple(MidiEvent(tick * factor, data) for tick, data in track.events), track.end * factor)
        for track in smf.tracks
    )
    return replace(smf, division=division, tracks=tracks)


class _Bytes(mido.UnknownMetaMessage):
    """Anything that mido is to write, as it is: of its messages only unknown metas keep their bytes."""

    def __init__(self, data: bytes, time: int) -> None:
        super().__init__(type_byte=0, time=time)
        vars(self)["written"] = data  # mido lets nobody set what it does not know

    def bytes(self) -> list[int]:
        """What is written behind the delta time."""
        data: bytes = vars(self)["written"]
        if data[0] < SYSEX:
            return list(data)
        kept = 2 if data[0] == META else 1
        length = mido.midifiles.meta.encode_variable_int(len(data) - kept)
        return [*data[:kept], *length, *data[kept:]]
