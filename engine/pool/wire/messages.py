# pyright: strict
"""The messages as they stand in JSON: structs with a limit on everything. What breaks one is refused while it is read.

A phrase is a pure function of the `Job` (and of the code that makes it). So the job's own bytes name it: their digest
is the request's key, and whoever asks twice is answered once.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from engine.generators.contract import Cadence, Link, Role
from engine.ideas.idea import IdeaKind, Variation
from engine.ideas.wear import FIGURES
from engine.score.phrase import Origin

VERSION: Literal[1] = 1
"""Of this format. Another version is refused by either side."""

LARGEST_REQUEST = 1 << 20
"""Bytes of a request for a phrase: eight bars of history, a primer and sources at their fullest take a third."""

LARGEST_ANSWER = 1 << 20
"""Bytes of an answer."""

LARGEST_WEIGHTS = 1 << 30
"""Bytes of a weights file that may be handed over."""

LONGEST_WAIT = 60.0
"""Seconds that a phrase may take."""

LONGEST_BANK_WAIT = 600.0
"""Seconds that a bank of notes may take."""

LARGEST_BANK = 32 << 20
"""Bytes of a bank's answer: one of GANSynth has 5 MB, and a third more as base64."""

_MOST_NOTES = 10_000
_FAR = 100_000.0

Beats = Annotated[float, Meta(ge=0.0, le=_FAR)]
Beat = Annotated[float, Meta(ge=-_FAR, le=_FAR)]
Pitch = Annotated[int, Meta(ge=0, le=127)]
Velocity = Annotated[int, Meta(ge=1, le=127)]
PitchClass = Annotated[int, Meta(ge=0, le=11)]
Seed = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Name = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=2000)]

_END = r"(?!\n)$"
"""The end of a pattern for Python, whose `$` lets a last newline pass, and for JSON Schema, which has no `\\Z`."""

Digest = Annotated[str, Meta(pattern=f"^[0-9a-f]{{64}}{_END}")]
"""SHA-256 in hexadecimal digits."""

BankDigest = Annotated[str, Meta(pattern=f"^[0-9a-f]{{32}}{_END}")]
Version = Annotated[str, Meta(pattern=f"^[0-9a-f]{{8}}{_END}")]

Note = tuple[Beats, Beats, Pitch, Velocity]
"""Start and end in beats from the start of the phrase, MIDI pitch, velocity."""


class WireMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all messages: they do not change, and a field that is not known is an error."""


class WireKey(WireMessage, frozen=True):
    """A tonic and a mode."""

    tonic: PitchClass
    mode: Name


class WireKeySpan(WireMessage, frozen=True):
    """A key that holds from start to end, in beats."""

    start: Beat
    end: Beat
    key: WireKey


class WireChordSpan(WireMessage, frozen=True):
    """A chord that holds from start to end, in beats."""

    start: Beat
    end: Beat
    root: PitchClass
    quality: Annotated[str, Meta(max_length=40)] = ""
    bass: PitchClass | None = None
    written: bool = False


class MadeBy(WireMessage, frozen=True):
    """Where a phrase came from; see `Provenance`."""

    generator: Name
    origin: Origin
    seed: Seed = 0
    reason: Words = ""
    theme: Name = ""
    variation: Name = ""
    idea: Name = ""
    snapped: Count = 0
    chosen: Annotated[int, Meta(ge=0, le=64)] = 0
    scores: Annotated[tuple[Share, ...], Meta(max_length=64)] = ()
    qualities: Annotated[tuple[tuple[Name, Share], ...], Meta(max_length=32)] = ()


class WirePhrase(WireMessage, frozen=True):
    """Notes within some beats."""

    length: Annotated[float, Meta(gt=0.0, le=_FAR)]
    notes: Annotated[tuple[Note, ...], Meta(max_length=_MOST_NOTES)]
    made_by: MadeBy
    chords: Annotated[tuple[WireChordSpan, ...], Meta(max_length=2000)] = ()


class WireIdea(WireMessage, frozen=True):
    """Some bars that are taken up."""

    kind: IdeaKind
    theme: Name
    part: Name
    first_bar: Count
    key: WireKey
    beats_per_bar: Annotated[float, Meta(gt=0.0, le=128.0)]
    phrase: WirePhrase


class WireTakenUp(WireMessage, frozen=True):
    """An idea that a phrase takes up, and how."""

    idea: WireIdea
    variation: Variation
    amount: Share
    other: WireIdea | None = None


class WirePlace(WireMessage, frozen=True):
    """Where in the form a phrase stands."""

    section: Name
    pass_index: Count
    bar: Count
    section_bars: Annotated[int, Meta(ge=1, le=1 << 20)]
    first_bar: Count
    time_of_day: Annotated[float, Meta(ge=0.0, le=100_000.0)]
    cadences: Annotated[tuple[tuple[Annotated[int, Meta(ge=0, le=1024)], Cadence], ...], Meta(max_length=200)]
    movement: Count
    intensity: Share


class WireKind(WireMessage, frozen=True):
    """A kind of generator or transform with its settings.

    Attributes:
        name: of the kind.
        version: of its settings, see `version_of`: whoever has another one means another thing by them.
        settings: by name, as they are kept: numbers in their base units. No file is named by them.
        weights: digest of the weights file; None for rules.
    """

    name: Name
    version: Version
    settings: Raw
    weights: Digest | None = None


class WireJob(WireMessage, frozen=True):
    """All that decides a phrase; see `Request`."""

    generator: WireKind
    part: Name
    role: Role
    bars: Annotated[int, Meta(ge=1, le=128)]
    meter: tuple[Annotated[int, Meta(ge=1, le=32)], Literal[1, 2, 4, 8, 16]]
    qpm: Annotated[float, Meta(ge=1.0, le=2000.0)]
    key: WireKey
    seed: Seed
    theme: Seed
    place: WirePlace
    history: WirePhrase | None = None
    keys: Annotated[tuple[WireKeySpan, ...], Meta(max_length=100)] = ()
    sources: Annotated[dict[Link, WirePhrase], Meta(max_length=len(Link))] = {}
    primer: WirePhrase | None = None
    transforms: Annotated[tuple[WireKind, ...], Meta(max_length=32)] = ()
    taken: WireTakenUp | None = None
    dynamics: Annotated[tuple[Annotated[float, Meta(ge=-100.0, le=100.0)], ...], Meta(max_length=4096)] = ()
    worn: Annotated[bytes, Meta(max_length=FIGURES)] = b""


class PhraseRequest(WireMessage, frozen=True):
    """What a player asks for.

    Attributes:
        version: of this format.
        key: digest of the job's bytes; the same key asks for the same phrase.
        seconds_left: until nobody waits any more. No clock of either side is compared with the other's.
        job: a `Job`.
    """

    version: Literal[1]
    key: Digest
    seconds_left: Annotated[float, Meta(gt=0.0, le=LONGEST_WAIT)]
    job: Raw


class PhraseAnswer(WireMessage, frozen=True):
    """The phrase.

    Attributes:
        version: of this format.
        key: of the request.
        engine: version of the engine that made it.
        raw: what the generator made, before transforms.
        phrase: after them; None where that is the same.
        seconds: that it took to make.
    """

    version: Literal[1]
    key: Digest
    engine: Name
    raw: WirePhrase
    phrase: WirePhrase | None = None
    seconds: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.0


class Refusal(WireMessage, frozen=True):
    """Why there is no answer.

    Attributes:
        problem: what is wrong.
        where: in the request, as a path ("$.job.bars"); empty where it is none of its parts.
        missing: digests of weights that the pool lacks and would take.
    """

    problem: Words
    where: Name = ""
    missing: Annotated[tuple[Digest, ...], Meta(max_length=64)] = ()


class WireModel(WireMessage, frozen=True, omit_defaults=True):
    """Weights that a pool has.

    Attributes:
        digest: of the file.
        name, family, config: what they are.
        bytes: of the file.
        played_by: heavy ones, the last time: `tensorflow_gpu`, `tensorflow_cpu`, or `numpy: ` and why; empty: they are
            not heavy, or were not asked for yet.
    """

    digest: Digest
    name: Name
    family: Name
    config: Name
    bytes: Count
    played_by: Words = ""


class WireModels(WireMessage, frozen=True):
    """What a pool has.

    Attributes:
        version: of this format.
        engine: version of the engine.
        models: its weights.
        generators: versions of the settings of each kind of generator, by its name.
        transforms: likewise.
    """

    version: Literal[1]
    engine: Name
    models: Annotated[tuple[WireModel, ...], Meta(max_length=100_000)]
    generators: Annotated[dict[Name, Name], Meta(max_length=10_000)]
    transforms: Annotated[dict[Name, Name], Meta(max_length=10_000)]


class TimbreJob(WireMessage, frozen=True):
    """All that decides a bank of notes, but for the weights, which its digest says.

    Attributes:
        kind: of timbre.
        version: of its settings, as of a `WireKind`.
        settings: by name, with nothing left to chance. No file is named by them.
    """

    kind: Name
    version: Version
    settings: Raw


class TimbreRequest(WireMessage, frozen=True):
    """A bank of notes that a player asks for.

    Attributes:
        version: of this format.
        digest: of the bank (`engine.timbres.contract.bank_digest`): of settings and weights; the request's key.
        seconds_left: until nobody waits any more.
        job: what to make.
    """

    version: Literal[1]
    digest: BankDigest
    seconds_left: Annotated[float, Meta(gt=0.0, le=LONGEST_BANK_WAIT)]
    job: TimbreJob


class BankFile(WireMessage, frozen=True):
    """A file of an instrument's folder; its bytes are base64 in JSON."""

    name: Annotated[str, Meta(pattern=f"^(portrait[.]json|[A-Za-z0-9][A-Za-z0-9_-]{{0,60}}[.](yaml|flac|wav)){_END}")]
    data: Annotated[bytes, Meta(max_length=16 << 20)]


class TimbreAnswer(WireMessage, frozen=True):
    """The bank.

    Attributes:
        version: of this format.
        digest: of the request.
        engine: version of the engine that made it.
        files: of the instrument's folder.
        seconds: that it took to make.
    """

    version: Literal[1]
    digest: BankDigest
    engine: Name
    files: Annotated[tuple[BankFile, ...], Meta(min_length=2, max_length=400)]
    seconds: Annotated[float, Meta(ge=0.0, le=1e6)] = 0.0


def key_of(job: bytes | memoryview) -> str:
    """The key of a request: the digest of its job as it is written."""
    return hashlib.sha256(job).hexdigest()
