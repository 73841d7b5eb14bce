# pyright: strict
"""GANSynth as a timbre of scenes: `instrument: {kind: gansynth, checkpoint: FOLDER, stand_in: NAME}`. Light."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from pydantic import Field

from engine.assets import is_folder
from engine.errors import PerpetuumError
from engine.files import read_bytes, reason
from engine.generators.contract import Settings, UnfitError
from engine.progress import each, part
from engine.timbres.contract import TimbreKind, UnavailableError
from engine.timbres.gansynth.pitches import PITCHES
from engine.timbres.sources import located
from engine.units import Percent, Pitch

MAX_SEED = 2**32 - 1
"""Largest seed of an instrument (numpy's generator of the time, whose numbers the original drew)."""

_LARGEST_WHOLE = 4 << 20
"""Bytes of a file that is read whole to tell one checkpoint from another."""

_STEPS = 24
"""Places between two instruments at which a position that moves may be."""

_GET = (
    "unpack acoustic_only.zip of storage.googleapis.com/magentadata/models/gansynth/ (200 MB) there, with its "
    "experiment.json and stage_00012 (docs/gansynth.md)"
)


class GanSynthSettings(Settings):
    """Which notes of which checkpoint."""

    checkpoint: str = Field(
        description="Folder of a checkpoint of GANSynth, unpacked, beside the scene or by its whole path.",
        examples=["acoustic_only"],
        min_length=1,
    )
    latent: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SEED,
        description="Which instrument of the latent space; without it the seed of the performance draws one.",
    )
    to: int | None = Field(default=None, ge=0, le=MAX_SEED, description="A second one, to stand between the two.")
    at: Percent = Field(default=0.5, description="Where between them, along the sphere.")
    lowest: Pitch = Field(default=PITCHES[0], description="Pitch of the lowest note, C1 to C6.")
    highest: Pitch = Field(default=PITCHES[-1], description="No note is higher.")
    every: int = Field(default=3, ge=1, le=12, description="Semitones between two notes.")


def _located(settings: GanSynthSettings, folder: Path) -> GanSynthSettings:
    return settings.model_copy(update={"checkpoint": located(settings.checkpoint, folder, Path.is_dir)})


def _examine(settings: GanSynthSettings) -> list[str]:
    from engine.timbres.gansynth.checkpoint import look_into

    if not PITCHES[0] <= settings.lowest <= settings.highest <= PITCHES[-1]:
        wrong = "highest" if settings.lowest in PITCHES else "lowest"
        raise UnfitError(wrong, "there are no such notes", "C1 to C6 is what GANSynth knows, `lowest` first")
    if "at" in settings.model_fields_set and settings.to is None:
        raise UnfitError("at", "`at` stands between `latent` and `to`", "give `to` as well, or leave `at` out")
    if not is_folder(settings.checkpoint):
        raise UnavailableError("checkpoint", f"no checkpoint of GANSynth in {settings.checkpoint}", _GET)
    try:
        look_into(Path(settings.checkpoint))
    except PerpetuumError as error:
        raise UnavailableError("checkpoint", error.message, error.hint or _GET) from error
    if importlib.util.find_spec("tensorflow") is None:
        need = "in the folder of the project: make training"
        return [f"a bank that is not in the cache needs TensorFlow, which is not installed here ({need})"]
    return []


def _drawn(settings: GanSynthSettings, seed: int) -> GanSynthSettings:
    if settings.latent is not None:
        return settings
    return settings.model_copy(update={"latent": seed % (MAX_SEED + 1)})


def _movable(settings: GanSynthSettings) -> dict[str, int]:
    return {"at": _STEPS} if settings.to is not None else {}


def _sources(settings: GanSynthSettings) -> bytes:
    """An index holds the checksum of every variable, which are checked when they are read."""
    from engine.timbres.gansynth.checkpoint import checkpoint_files

    digest = hashlib.sha256()
    for file in checkpoint_files(Path(settings.checkpoint)):
        try:
            size = file.stat().st_size
            data = read_bytes(file, size) if size <= _LARGEST_WHOLE else b""
        except OSError as error:
            raise PerpetuumError(f"{file}: cannot be read ({reason(error)})") from error
        digest.update(f"{file.name}/{size}/".encode() + hashlib.sha256(data).digest())
    return digest.digest()


def _make(settings: GanSynthSettings, folder: Path) -> None:
    from engine.timbres.gansynth.banks import LatentPlace, bank, bank_pitches
    from engine.timbres.gansynth.network import GanSynth
    from engine.timbres.samples.instrument import FEWEST, About, make_sampler, notes_at, write_instrument

    place = LatentPlace(settings.latent or 0, settings.to, settings.at)
    pitches = bank_pitches(settings.lowest, settings.highest, settings.every)
    network = GanSynth.load(Path(settings.checkpoint))
    with part(0, 1, 2):
        waves = bank(network, place, pitches)
    name = Path(settings.checkpoint).name
    about = About(f"Made by GANSynth, {place.in_words()}", made=f"of {name}, {place.in_words()}")
    with part(1, 2, 2):
        made, _ = make_sampler(each(notes_at(waves, network.sample_rate)), about, fewest=FEWEST)
    write_instrument(made, folder)


GANSYNTH = TimbreKind(
    name="gansynth",
    summary="notes of a GANSynth, made while the scene plays",
    settings=GanSynthSettings,
    located=_located,
    examine=_examine,
    drawn=_drawn,
    sources=_sources,
    make=_make,
    movable=_movable,
)
