# pyright: strict
"""An instrument of the kind `sampler` made of notes, and its folder: `instrument.yaml` and one FLAC file a zone."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # pyright: ignore[reportMissingTypeStubs]
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from engine.assets import FOLDER_FILE
from engine.errors import PerpetuumError
from engine.new_folder import NewFolder
from engine.score.harmony.keys import pitch_name
from engine.score.time import SAMPLE_RATE
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.instruments.samples import MOST_SECONDS
from engine.timbres.samples.loudness import REFERENCE, Sound, line_loudness
from engine.timbres.samples.notes import Judgement, RawNote, Zone, judge
from engine.timbres.samples.sides import mono_safe_width, narrowed

MOST_NOTES = 256
"""Samples of a sampler."""

NOTICE = "LICENCE.txt"
"""The file of a folder that has the text of a licence, where one travels with the sounds."""

_PEAK = 10.0 ** (-1.0 / 20.0)
"""-1 dBFS: the loudest frame of the loudest file."""

_MOST_LOWERED = 12.0
"""Decibels by which others are softer than they could be, for the sake of one note."""

_MOST_GAIN = 12.0
"""Decibels: what is softer is a rumble or a hiss, and stays so."""

_SUSTAINED = {"attack": "4 ms", "decay": "10 ms", "sustain": "100 %", "release": "250 ms"}
_RINGING = {"attack": "1 ms", "decay": "10 ms", "sustain": "100 %", "release": "600 ms"}


@dataclass(frozen=True, slots=True)
class About:
    """What an instrument says of itself.

    Attributes:
        title: one line that says what it sounds like.
        credits: one line: whose sounds they are, from where.
        licence: its name, like "CC0 1.0"; empty if it is not known.
        notice: text of the licence, where it must travel with the sounds; empty for none.
        made: one line: how it was made.
    """

    title: str
    credits: str = ""
    licence: str = ""
    notice: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class MadeInstrument:
    """An instrument that can be written.

    Attributes:
        document: what stands in `instrument.yaml`.
        sounds: array [frames, 1 or 2] at 48 kHz of each new file, by its name.
        copies: the bytes of each file that is taken over as it is, by its name.
        notice: text of a licence; empty for none.
    """

    document: Mapping[str, Any]
    sounds: Mapping[str, Sound]
    copies: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an instrument plays its notes.

    Attributes:
        longest: seconds of a note that does not loop; it fades out over the last quarter.
        loops: whether sounds that sustain are looped.
        attack: seconds from silence to full; None for what suits.
        release: seconds to silence after a note's end; None for what suits.
        hint: what to do where nothing can be made.
    """

    longest: float = 12.0
    loops: bool = True
    attack: float | None = None
    release: float | None = None
    hint: str = "give it other notes"


FEWEST = 0.6
"""Share of the notes that must be good for a bank to be taken that nobody has looked at."""

_LONGEST_LINE = 400

_PLAIN = Manner()


def notes_at(sounds: Mapping[int, np.ndarray], rate: int) -> list[RawNote]:
    """Notes by the MIDI pitch that each is said to have.

    Args:
        sounds: array [frames] or [frames, 2] of each pitch.
        rate: in Hz.
    """
    return [RawNote(sound, rate, pitch) for pitch, sound in sorted(sounds.items())]


def make_sampler(
    notes: Iterable[RawNote], about: About, manner: Manner = _PLAIN, fewest: float = 0.0
) -> tuple[MadeInstrument, list[Judgement]]:
    """An instrument of notes, whose zones are equally loud, and what became of each note.

    Args:
        notes: of one instrument, each taken when the one before is done.
        about: what it says of itself.
        manner: how its notes are played.
        fewest: share of them that must be good.

    Raises:
        PerpetuumError: none of the notes can be played, too few of them are good, or there are too many.
    """
    judgements = judge(notes, manner.longest, manner.loops)
    zones = sorted((one.zone for one in judgements if one.zone is not None), key=lambda zone: (zone.pitch, zone.low))
    if not zones:
        reasons = "; ".join(f"{one.name}: {', '.join(one.remarks)}" for one in judgements[:3])
        raise PerpetuumError(f"there is nothing to make an instrument of: {reasons}", manner.hint)
    if len(zones) < fewest * len(judgements):
        bad = "; ".join(f"{one.name}: {', '.join(one.remarks)}" for one in judgements if one.zone is None)
        raise PerpetuumError(
            f"only {len(zones)} of {len(judgements)} notes of this timbre are good ({bad[:300]})", "take another place"
        )
    seconds = sum(len(zone.sound) for zone in zones) / SAMPLE_RATE
    if len(zones) > MOST_NOTES or seconds > MOST_SECONDS:
        raise PerpetuumError(
            f"an instrument of {len(zones)} notes that last {seconds:.0f} s together is too large",
            f"{MOST_NOTES} notes and {MOST_SECONDS} s at most; give it fewer, or shorter ones",
        )
    return _assembled(zones, about, manner), judgements


def write_instrument(made: MadeInstrument, folder: Path, force: bool = False) -> Path:
    """Write an instrument as a folder, whole or not at all; gives the path of its `instrument.yaml`.

    Args:
        made: what is written.
        folder: its name is the instrument's; what it is to lie in is there.
        force: replace an instrument that is there.

    Raises:
        PerpetuumError: it cannot be written, or is there already.
    """
    with NewFolder(folder, FOLDER_FILE, force) as new:
        for name, sound in made.sounds.items():
            new.write(name, encoded(sound))
        for name, data in made.copies.items():
            new.write(name, data)
        if made.notice:
            new.write(NOTICE, made.notice.encode())
        new.write(FOLDER_FILE, document_text(made.document).encode())
        load_instrument(new.growing / FOLDER_FILE)
    return folder / FOLDER_FILE


def encoded(sound: Sound) -> bytes:
    """A FLAC file of 16 bit with triangular dither, the same for the same sound."""
    steps = sound.astype(np.float64) * 32767.0
    chance = np.random.default_rng(len(sound))
    steps += chance.random(steps.shape) - chance.random(steps.shape)
    whole = np.clip(np.round(steps), -32768, 32767).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, whole, SAMPLE_RATE, format="FLAC", subtype="PCM_16")  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()


def document_text(document: Mapping[str, Any]) -> str:
    """A document as YAML; what lies deeper than its lists stands on one line each."""
    yaml = YAML()
    yaml.width = 200
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(_laid_out(document), text)  # pyright: ignore[reportUnknownMemberType]
    return text.getvalue()


def one_line(text: str) -> str:
    """A text without what would break a line or move a cursor, and not too long: it may come from anywhere."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:_LONGEST_LINE]


def header(kind: str, about: About, gain: float) -> dict[str, Any]:
    """The first keys of an instrument file."""
    thanks = ", ".join(filter(None, (one_line(about.credits).rstrip("."), one_line(about.licence).rstrip("."))))
    return {
        "perpetuum": 1,
        "kind": kind,
        "title": one_line(about.title) or "Made of recordings",
        **({"credits": f"{thanks}."} if thanks else {}),
        **({"x-made": one_line(about.made)} if about.made else {}),
        "gain": f"{gain:.1f} dB",
    }


def _assembled(zones: Sequence[Zone], about: About, manner: Manner) -> MadeInstrument:
    width = mono_safe_width([zone.sound for zone in zones])
    levels = [line_loudness(narrowed(zone.sound, width)) for zone in zones]
    rooms = [20.0 * math.log10(_PEAK / float(np.abs(zone.sound).max())) for zone in zones]
    # All files are as loud as the one that has to be softest for its peak, so that each uses its 16 bits; but for one
    # that is hardly heard whatever one does.
    loudest = [level + room for level, room in zip(levels, rooms, strict=True)]
    common = max(min(loudest), float(np.median(loudest)) - _MOST_LOWERED)
    sounds: dict[str, Sound] = {}
    samples: list[dict[str, Any]] = []
    for zone, level, room in zip(zones, levels, rooms, strict=True):
        name = _file_name(zone, sounds)
        sounds[name] = (zone.sound * np.float32(10.0 ** (min(common - level, room) / 20.0))).astype(np.float32)
        samples.append(
            {
                "file": name,
                "pitch": pitch_name(zone.pitch),
                **({"tune": f"{zone.cents:.1f} cents"} if abs(zone.cents) >= 0.05 else {}),
                **({"low": zone.low} if zone.low > 1 else {}),
                **({"high": zone.high} if zone.high < 127 else {}),
                **({"loop": [f"{frame / SAMPLE_RATE:.9g} s" for frame in zone.loop]} if zone.loop else {}),
            }
        )
    sustains = sum(zone.loop is not None for zone in zones) * 2 >= len(zones)
    envelope = _SUSTAINED if sustains else _RINGING
    for key, seconds in (("attack", manner.attack), ("release", manner.release)):
        envelope = envelope | ({key: f"{min(max(seconds, 0.005), 30.0) * 1000:g} ms"} if seconds is not None else {})
    document = {
        **header("sampler", about, min(REFERENCE - common, _MOST_GAIN)),
        "voices": 10,
        "velocity": "75 %",
        **({"stereo": f"{100 * width:.0f} %"} if width < 1.0 else {}),
        "samples": samples,
        "envelope": envelope,
    }
    return MadeInstrument(document, sounds, notice=about.notice)


def _file_name(zone: Zone, taken: Mapping[str, Sound]) -> str:
    """`C4.flac`, `Fs3.flac`; further ones of a pitch are numbered."""
    stem = pitch_name(zone.pitch).replace("#", "s").replace("-", "m")
    names = (f"{stem}{'' if number == 1 else f'_{number}'}.flac" for number in range(1, 1000))
    return next(name for name in names if name not in taken)


def _laid_out(document: Mapping[str, Any]) -> CommentedMap:
    made = CommentedMap()
    for key, value in document.items():
        made[key] = _inside(value)
    return made


def _inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        nested = any(isinstance(one, Mapping) for one in value.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        made = CommentedMap({key: _inside(one) for key, one in value.items()})  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if not nested:
            made.fa.set_flow_style()  # pyright: ignore[reportUnknownMemberType]
        return made
    if isinstance(value, list | tuple):
        listed = CommentedSeq([_inside(one) for one in value])  # pyright: ignore[reportUnknownVariableType]
        if not any(isinstance(one, Mapping) for one in value):  # pyright: ignore[reportUnknownVariableType]
            listed.fa.set_flow_style()  # pyright: ignore[reportUnknownMemberType]
        return listed
    return value
