# pyright: strict
"""Checkpoints of the user's, GANSynth's and NSynth's, that make notes in place of the network that ships. Light."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from engine.assets import is_file
from engine.errors import PerpetuumError
from engine.files import SavedState, saved_at
from engine.generators.contract import UnfitError
from engine.progress import part
from engine.timbres.contract import UnavailableError
from engine.timbres.gansynth.kind import GANSYNTH, GanSynthSettings
from engine.timbres.sources import located

SECONDS = 2.0
"""Of a note of NSynth, where nobody says it."""

_TOLD = 60.0
"""Seconds for a bank from which on `check` says how long one takes."""

_LONGEST = 12 * 3600.0
"""Seconds for a bank at most: a night."""

_STAGE = "stage_"
"""What the name of a folder begins with in which a GANSynth lies."""


@dataclass(frozen=True, slots=True)
class AskedNotes:
    """What a checkpoint is asked for: notes of one place, or of what lies between two.

    Attributes:
        model: path of the checkpoint.
        places: one or two; numbers draw instruments of GANSynth, paths name recordings that NSynth hears.
        share: of the second one.
        lowest, highest: MIDI pitches.
        every: semitones between two notes.
        seconds: of a note, where the network makes notes of any length; None for what suits.
    """

    model: str
    places: tuple[int | str, ...]
    share: float
    lowest: int
    highest: int
    every: int
    seconds: float | None = None

    @property
    def keys(self) -> list[int]:
        """MIDI pitches of the notes."""
        return list(range(self.lowest, self.highest + 1, self.every))

    @property
    def heard(self) -> dict[Path, float]:
        """The recordings that are mixed, and how much of each."""
        shares = (1.0 - self.share, self.share)[: len(self.places)] if len(self.places) > 1 else (1.0,)
        found: dict[Path, float] = {}
        for place, share in zip(self.places, shares, strict=True):
            if share > 0.0:
                found[Path(str(place))] = found.get(Path(str(place)), 0.0) + share
        return found


def located_model(name: str, folder: Path) -> str:
    """The absolute path of a checkpoint that a scene names: a folder, a file, or what the files begin with."""
    return located(name, folder, lambda path: path.is_dir() or path.is_file() or _index_of(path).is_file())


def is_nsynth(model: str) -> bool:
    """Whether a checkpoint is one of NSynth, as far as names tell: GANSynth's files lie in folders of stages."""
    path = Path(model)
    try:
        if path.is_dir():
            return not path.name.startswith(_STAGE) and any(path.glob("*.index"))
        return path.is_file() or _index_of(path).is_file()
    except (OSError, ValueError):  # nothing can be called that
        return False


def examine(asked: AskedNotes, places: tuple[int | str, ...]) -> list[str]:
    """Look into what is asked for, as `TimbreKind.examine`.

    Args:
        asked: any notes of a way.
        places: all of the way.
    """
    if is_nsynth(asked.model):
        return _examined_by_nsynth(asked, places)
    if asked.seconds is not None:
        raise UnfitError("seconds", "notes of GANSynth last four seconds", "leave `seconds` out")
    if any(isinstance(one, str) for one in places):
        raise UnfitError("places", "GANSynth hears no recordings", "name numbers, which draw instruments")
    try:
        return GANSYNTH.examine(_for_gansynth(asked))
    except UnavailableError as error:
        hint = f"{error.hint or ''}, or name NSynth's wavenet-ckpt (docs/nsynth.md)".lstrip(", ")
        raise UnavailableError("model", error.message, hint) from error


def _examined_by_nsynth(asked: AskedNotes, places: tuple[int | str, ...]) -> list[str]:
    from engine.timbres.nsynth.bank import seconds_to_make
    from engine.timbres.nsynth.checkpoint import open_model

    drawn = [one for one in places or (0,) if isinstance(one, int) or one.endswith(".json")]
    if drawn:
        raise UnfitError("places", f"NSynth draws no sounds, and `{drawn[0]}` is no recording", "name recordings")
    for place in map(str, places):
        if not is_file(place):
            raise UnavailableError("places", f"there is no recording {place}", "name a recording of one note")
    try:
        model = open_model(Path(asked.model))
    except PerpetuumError as error:
        raise UnavailableError("model", error.message, error.hint or "") from error
    takes = seconds_to_make(model.layout, len(asked.keys), asked.seconds or SECONDS, min(len(places), 2))
    if takes > _LONGEST:
        raise UnfitError(
            "model", f"a bank of {len(asked.keys)} such notes takes {_hours(takes)}", "fewer keys, or shorter `seconds`"
        )
    doubts = list(model.remarks)
    if takes > _TOLD:
        doubts.append(
            f"a bank of {len(asked.keys)} notes takes about {_hours(takes)} of one core of a desktop, and some five "
            "times as long on a Raspberry Pi; fewer keys (`lowest`, `highest`, `every`), shorter `seconds` and fewer "
            "`steps` make it less, and `perpetuum timbre banks SCENE` makes them ahead"
        )
    return doubts


def model_digest(asked: AskedNotes) -> bytes:
    """What tells the weights from others.

    Raises:
        PerpetuumError: they cannot be read.
    """
    if not is_nsynth(asked.model):
        return GANSYNTH.sources(_for_gansynth(asked))
    path = Path(asked.model)
    named = _index_of(path)
    found = next(iter(sorted(path.glob("*.index"))), path) if path.is_dir() else named if named.is_file() else path
    return _nsynth_digest(path, saved_at(found))


@lru_cache(maxsize=16)
def _nsynth_digest(path: Path, saved: SavedState | None) -> bytes:
    """Read again only once the file was saved anew: one in a `.tar` has hundreds of megabytes."""
    del saved
    from engine.timbres.nsynth.checkpoint import open_model

    return hashlib.sha256(open_model(path).digest().encode()).digest()


def make(asked: AskedNotes, folder: Path) -> None:
    """Make a bank as an instrument's folder, as `TimbreKind.make`."""
    if not is_nsynth(asked.model):
        GANSYNTH.make(_for_gansynth(asked), folder)
        return
    from engine.timbres.nsynth.bank import played_over_keys, source_note
    from engine.timbres.nsynth.checkpoint import open_model
    from engine.timbres.nsynth.layout import RATE
    from engine.timbres.samples.instrument import FEWEST, About, make_sampler, notes_at, write_instrument

    model = open_model(Path(asked.model))
    recordings = [source_note(file) for file in asked.heard]
    seconds = asked.seconds or SECONDS
    with part(0, 19, 20):
        # What is not finished lies beside the bank, and whoever begins it again goes on there.
        waves = played_over_keys(model, recordings, list(asked.heard.values()), asked.keys, seconds, folder.parent)
    names = " and ".join(f"{share:.0%} {file.stem}" for file, share in asked.heard.items())
    about = About(f"Between recordings, by NSynth: {names}", made=f"of {Path(asked.model).name}, {names}")
    with part(19, 20, 20):
        made, _ = make_sampler(notes_at(waves, RATE), about, fewest=FEWEST)
    write_instrument(made, folder)


def _for_gansynth(asked: AskedNotes) -> GanSynthSettings:
    """What a GANSynth is asked for: one instrument of its space, or a place between two."""
    first, *rest = asked.places or (0,)
    values: dict[str, object] = {"latent": first, "lowest": asked.lowest, "highest": asked.highest}
    if rest:
        values |= {"to": rest[0], "at": asked.share}
    return GanSynthSettings(checkpoint=asked.model).model_copy(update=values | {"every": asked.every})


def _index_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400.0 else f"{max(seconds / 60, 1.0):.0f} minutes"
