# pyright: strict
"""Our own network as a timbre of scenes: `instrument: {kind: neural, places: [7, bell.wav], at: 40 %}`. Light."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from engine.assets import FOLDER_FILE, is_file
from engine.errors import WrongValueError
from engine.generators.contract import Settings, UnfitError
from engine.timbres.contract import TimbreKind, UnavailableError
from engine.timbres.models import AskedNotes, examine, located_model, make, model_digest
from engine.timbres.neural.ways import leg_at
from engine.timbres.portrait import LEAP, portray
from engine.timbres.sources import file_digest, located
from engine.units import Bars, Difference, Percent, Pitch, Seconds

MAX_SEED = 2**32 - 1
LOWEST, HIGHEST = 24, 96
"""MIDI pitches that the network knows (`layout`, which is not light)."""


def _place(value: object) -> int | str:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED:
        return value
    raise WrongValueError(
        f"`{value}` is no place", expected=f"a number from 0 to {MAX_SEED}, or the name of a recording"
    )


PlaceName = Annotated[
    int | str,
    BeforeValidator(_place),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_SEED}, {"type": "string", "minLength": 1}]}
    ),
]
"""The seed of a place, or the path of a recording or of what `perpetuum timbre encode` wrote."""


class NeuralSettings(Settings):
    """Which notes."""

    places: tuple[PlaceName, ...] = Field(
        default=(),
        max_length=16,
        description="Places of the latent space: numbers draw them, recordings of one note and files of `perpetuum "
        "timbre encode` name them (beside the scene, or whole paths). Without any the performance's seed draws one.",
        examples=[[7, 12]],
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        description="Checkpoint that makes the notes in place of the network that ships: a folder of GANSynth's "
        "(places are numbers then, and no note is higher than C6), or NSynth's wavenet-ckpt (places are recordings).",
        examples=["acoustic_only"],
    )
    seconds: Seconds | None = Field(
        default=None, ge=0.2, le=10, description="Of a note of NSynth, which takes its time; 2 s without it."
    )
    at: Percent = Field(
        default=0.0, description="Where on the way through the places: 0 % is the first, 100 % the last one."
    )
    over: Bars | None = Field(
        default=None,
        description="Bars in which the way is gone from the first place to the last, again and again; each section "
        "line brings the notes of where it is by then. Name the first place at the end as well to come home.",
    )
    steps: int = Field(
        default=24, ge=2, le=200, description="Places at which a way that is gone may be: so many banks at most."
    )
    leap: Difference | None = Field(
        default=None,
        description="How far notes may be from those before, whose place they take; what is farther is not taken. "
        "Without it, on a way that is gone, as far as the two places are from each other that they lie between; 30 dB "
        "otherwise.",
    )
    lowest: Pitch = Field(default=36, description="Pitch of the lowest note, C1 to C7.")
    highest: Pitch = Field(default=84, description="No note is higher.")
    every: int = Field(default=3, ge=1, le=12, description="Semitones between two notes.")


def _located(settings: NeuralSettings, folder: Path) -> NeuralSettings:
    places = tuple(one if isinstance(one, int) else located(one, folder, Path.is_file) for one in settings.places)
    model = located_model(settings.model, folder) if settings.model is not None else None
    return settings.model_copy(update={"places": places, "model": model})


def _examine(settings: NeuralSettings) -> list[str]:
    if not LOWEST <= settings.lowest <= settings.highest <= HIGHEST:
        wrong = "highest" if LOWEST <= settings.lowest <= HIGHEST else "lowest"
        raise UnfitError(wrong, "there are no such notes", "C1 to C7 is what the network knows, `lowest` first")
    if settings.over is not None and "at" in settings.model_fields_set:
        raise UnfitError("at", "`at` stands still, and `over` goes the whole way", "leave one of them out")
    for key in ("at", "over"):
        if key in settings.model_fields_set and getattr(settings, key) is not None and len(settings.places) < 2:
            raise UnfitError(key, f"`{key}` needs a way, from one place to another", "name two `places` or more")
    if settings.model is not None:
        return examine(_asked(settings), settings.places)
    if settings.seconds is not None:
        raise UnfitError("seconds", "notes of the network that ships last three seconds", "leave `seconds` out")
    for place in settings.places:
        if isinstance(place, str) and not is_file(place):
            raise UnavailableError(
                "places", f"there is no recording {place}", "name a recording of one note, or a number"
            )
    return []


def _asked(settings: NeuralSettings) -> AskedNotes:
    """What the checkpoint of a user is asked for: a place, or what lies between two."""
    leg, share = leg_at(len(settings.places), settings.at)
    return AskedNotes(
        settings.model or "",
        settings.places[leg : leg + 2],
        round(share, 9),
        settings.lowest,
        settings.highest,
        settings.every,
        settings.seconds,
    )


def _drawn(settings: NeuralSettings, seed: int) -> NeuralSettings:
    drawn: dict[str, object] = {} if settings.places else {"places": (seed % (MAX_SEED + 1),)}
    if settings.leap is None and settings.over is None:
        drawn["leap"] = LEAP  # sections and hands may leap; what goes by itself does not
    return settings.model_copy(update=drawn) if drawn else settings


def _moved(settings: NeuralSettings, bar: int) -> NeuralSettings:
    """Where a way is at a bar; it stands still from there on."""
    if settings.over is None:
        return settings
    share = (bar % settings.over) / settings.over
    return settings.model_copy(update={"at": round(share * settings.steps) / settings.steps, "over": None})


def _movable(settings: NeuralSettings) -> dict[str, int]:
    return {"at": settings.steps} if len(settings.places) > 1 and settings.over is None else {}


def _essence(settings: NeuralSettings) -> dict[str, object]:
    """Of the way only the two places count that it is between: on another way between them the notes are the same."""
    essence: dict[str, object] = {"lowest": settings.lowest, "highest": settings.highest, "every": settings.every}
    return essence if settings.seconds is None else essence | {"seconds": settings.seconds}


def _sources(settings: NeuralSettings) -> bytes:
    from engine.timbres.neural.weights import network_digest

    model = model_digest(_asked(settings)) if settings.model is not None else network_digest()
    leg, share = leg_at(len(settings.places), settings.at)
    ends = (settings.places[leg : leg + 1], settings.places[leg + 1 : leg + 2])
    # Shares are those of so many steps: what they are rounded by is none.
    share = round(share, 9)
    digest = hashlib.sha256(model)
    for place in (*(ends[0] if share < 1.0 else ()), *(ends[1] if share > 0.0 else ())):
        digest.update(f"{place}/".encode() if isinstance(place, int) else file_digest(Path(place)))
    digest.update(f"{share % 1.0:.9f}".encode())
    return digest.digest()


def _make(settings: NeuralSettings, folder: Path) -> None:
    if settings.model is not None:
        make(_asked(settings), folder)
        return
    from engine.timbres.neural.banks import bank_pitches, neural_instrument, play, raw_notes
    from engine.timbres.neural.places import between, named_place
    from engine.timbres.neural.weights import load_network
    from engine.timbres.samples.instrument import About, write_instrument

    network = load_network()
    leg, share = leg_at(len(settings.places), settings.at)
    names = settings.places[leg : leg + 2]
    ends = [named_place(network, one if isinstance(one, int) else Path(one)) for one in names]
    words = in_words(settings)
    about = About(f"Made by the timbre network, {words}", made=f"by the timbre network, {words}")
    pitches = bank_pitches(settings.lowest, settings.highest, settings.every)
    made, _ = neural_instrument(raw_notes(network, between(ends, share), pitches), about)
    write_instrument(made, folder)
    # A bank of a place alone is the same on every way, and knows of none.
    if len(ends) > 1 and 0.0 < round(share, 9) < 1.0:
        portray(folder / FOLDER_FILE, lambda pitch: [play(network, end, pitch) for end in ends])


def in_words(settings: NeuralSettings) -> str:
    """What a bank is called."""
    names = [f"place {one}" if isinstance(one, int) else Path(one).name for one in settings.places]
    if len(names) == 1:
        return names[0]
    return f"{settings.at * 100:g} % of the way {' to '.join(names)}"


NEURAL = TimbreKind(
    name="neural",
    summary="notes of the network that ships, made while the scene plays; they may turn from one timbre into another",
    settings=NeuralSettings,
    located=_located,
    examine=_examine,
    drawn=_drawn,
    sources=_sources,
    movable=_movable,
    essence=_essence,
    make=_make,
    moved=_moved,
    leap=lambda settings: settings.leap,
)
