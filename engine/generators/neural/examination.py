"""What `check` asks of settings beyond their values: do they go together, and do the files that they name fit?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from engine.assets import find, shipped
from engine.errors import PerpetuumError
from engine.generators.contract import Link, Role, Settings, Surroundings, UnfitError
from engine.generators.neural.settings import (
    ChoraleSettings,
    DrumsRnnSettings,
    EnsembleSettings,
    GrooveSettings,
    ImprovRnnSettings,
    MelodyRnnSettings,
    MusicVaeSettings,
    NamesNetwork,
    PerformanceRnnSettings,
    PianorollRnnNadeSettings,
    PolyphonyRnnSettings,
)
from engine.score.time import Meter

if TYPE_CHECKING:
    from engine.networks.card import WeightsCard


_Continuing = DrumsRnnSettings | MelodyRnnSettings | ImprovRnnSettings | PolyphonyRnnSettings | EnsembleSettings


def network(settings: _Continuing, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether the weights are whole and of the config that the settings name, and whether it knows the meter.

    Raises:
        UnfitError: they are of another config, or it does not know the meter.
        PerpetuumError: the file is damaged, or holds no network.
    """
    return settings, _doubts(settings, surroundings)


def _doubts(settings: NamesNetwork, surroundings: Surroundings) -> list[str]:
    """See `network`."""
    return [] if _as_shipped(settings, surroundings) else _hiding(surroundings, _card(settings, surroundings))


def performance(settings: PerformanceRnnSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; a density that the config does not listen to is told, and chords that it is not to listen to.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    doubts = _doubts(settings, surroundings)
    if Link.CHORDS in surroundings.links and settings.pitch_classes != "chords":
        doubts.append("it listens to `chords` with `pitch_classes: chords` only")
    if settings.notes_per_second is None:
        return settings, doubts
    from engine.networks import CONFIGS

    deaf = "notes_per_second" not in CONFIGS[settings.config].conditions
    return settings, doubts + [f"`{settings.config}` does not listen to `notes_per_second`"] * deaf


def pianoroll(settings: PianorollRnnNadeSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; settings are told that mean nothing to keys which are drawn one by one.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    doubts = _doubts(settings, surroundings)
    idle = [name for name in ("top_k", "top_p") if getattr(settings, name) is not None]
    doubts += [f"`{name}` means nothing to `{settings.config}`, which draws each key by itself" for name in idle]
    return settings, doubts


def chorale(settings: ChoraleSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; a voice that sings a primer which is not there is told.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    doubts = _doubts(settings, surroundings)
    idle = settings.sings is not None and Link.PRIMER not in surroundings.links
    return settings, doubts + [f"`sings: {settings.sings}`, but the part has no `primer` to sing"] * idle


def groove(settings: GrooveSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; a part that is no drums is told that nothing happens to it.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    doubts = _doubts(settings, surroundings)
    silent = surroundings.role is not None and surroundings.role is not Role.DRUMS
    return settings, doubts + ["`groove` changes drums only, and this part plays none"] * silent


def music_vae(settings: MusicVaeSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; and whether the config plays what the part does, and the points on the way can be heard.

    Raises:
        UnfitError, PerpetuumError: as `network`; or the config does not play the part's role, a MIDI file among the
            points is missing or damaged, or the weights cannot hear one.
    """
    from engine.networks.vae.configs import DRUM_VAES, TRIOS

    card = _card(settings, surroundings)
    role = surroundings.role
    if role is not None and settings.config not in TRIOS and (role is Role.DRUMS) != (settings.config in DRUM_VAES):
        plays, wanted = ("drums", "drums") if settings.config in DRUM_VAES else ("melodies", "melody")
        raise UnfitError(
            "config", f"`{settings.config}` plays {plays}, and this part is {role}", f"say `role: {wanted}` in the part"
        )
    points = _found(settings.points, surroundings)
    primed = Link.PRIMER in surroundings.links and bool(card.sizes["encoder"])
    if settings.mode == "interpolate" and len(points) + primed == 1:
        raise UnfitError(
            "points" if points else "mode",
            "`mode: interpolate` leads from point to point, and there is one alone",
            "name another, or none: then each section has two of its own",
        )
    if any(isinstance(point, str) for point in points) and not card.sizes["encoder"]:
        raise UnfitError(
            "points", "these weights are a decoder alone, which cannot hear MIDI files", "give numbers instead of files"
        )
    return settings.model_copy(update={"points": tuple(points)}), _hiding(surroundings, card)


def _as_shipped(settings: NamesNetwork, surroundings: Surroundings) -> bool:
    """Whether it is the shipped weights of a config, in the meter that all of them know.

    Those are known to be right, and to look into them costs a tenth of a second before the first sound.
    """
    known = _file(surroundings) == shipped("weights") / f"{settings.config}.safetensors"
    return known and surroundings.meter == Meter(4, 4)


def _hiding(surroundings: Surroundings, card: WeightsCard) -> list[str]:
    """What to say where the user's weights have the name of shipped ones, and are played in their place."""
    from engine.networks import read_card
    from engine.networks.card import in_words

    if surroundings.hidden is None:
        return []
    theirs, shipped_ones = in_words(card.sizes), in_words(read_card(surroundings.hidden).sizes)
    sizes = f"; other sizes: {theirs}, not {shipped_ones}" if theirs != shipped_ones else ""
    path = _file(surroundings)
    return [f"`{path.stem}` is not the shipped network here: {path} hides it{sizes}"]


def _file(surroundings: Surroundings) -> Path:
    assert surroundings.weights is not None  # networks have weights
    return surroundings.weights


def _card(settings: NamesNetwork, surroundings: Surroundings) -> WeightsCard:
    from engine.networks import CONFIGS, read_card

    wanted = settings.config
    try:
        card = read_card(_file(surroundings), wanted)
    except PerpetuumError as error:
        found = _config_of(surroundings)
        if found is None or found == wanted:
            raise
        fields = type(settings).model_fields if isinstance(settings, Settings) else {}
        fits = "config" in fields and found in get_args(fields["config"].annotation)
        hint = f"`config: {found}` fits them" if fits else f"they are of {CONFIGS[found].family}"
        raise UnfitError("weights", f"the weights are of `{found}`, not of `{wanted}`", hint) from error
    reason = CONFIGS[wanted].allows(surroundings.meter.steps_per_bar)
    if reason is not None:
        raise UnfitError(
            "config", f"in {surroundings.meter}: {reason}", "take another meter, another config or another generator"
        )
    return card


def _config_of(surroundings: Surroundings) -> str | None:
    """What the weights say that they are; None where they do not say it."""
    from engine.networks import read_card

    try:
        return read_card(_file(surroundings)).config
    except PerpetuumError:
        return None


def _found(points: Sequence[str | int], surroundings: Surroundings) -> list[str | int]:
    """The points, with the paths of the files among them; of files that cannot be heard each is told once."""
    found: list[str | int] = []
    wrong: dict[str, UnfitError] = {}
    for place, point in enumerate(points):
        try:
            found.append(_heard(point, place, surroundings) if isinstance(point, str) else point)
        except UnfitError as error:
            wrong.setdefault(str(point), error)
    if wrong:
        first, *others = wrong.values()
        raise UnfitError(first.setting, first.message, first.hint or "", first.item, others)
    return found


def _heard(name: str, place: int, surroundings: Surroundings) -> str:
    # Most scenes name no MIDI file, and sound sooner without mido.
    from engine.score.midi.reading import read_piece

    path = find("scenes", name, ".mid", beside=surroundings.folder) if "\0" not in name else None
    if path is None:
        raise UnfitError("points", f"no MIDI file `{name}`", "paths begin where the scene lies", place)
    try:
        piece = read_piece(path)
    except PerpetuumError as error:
        raise UnfitError("points", error.message, error.hint or "", place) from error
    is_drum = surroundings.role is Role.DRUMS
    if not any(track.is_drum is is_drum and len(track.notes) for track in piece.tracks):
        what = "drums" if is_drum else "tune"
        raise UnfitError("points", f"`{name}` has no {what} for this part to hear", "name another file", place)
    return str(path.resolve())
