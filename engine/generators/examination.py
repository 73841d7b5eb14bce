"""What `check` asks of settings beyond their values: do they go together, and do the files that they name fit?"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from engine.assets import find, shipped
from engine.errors import PerpetuumError
from engine.generators.contract import Link, Role, Settings, Surroundings, UnfitError
from engine.generators.kinds import MusicVaeSettings, PatternSettings, PerformanceRnnSettings, PianorollRnnNadeSettings
from engine.generators.pulse import swung_pairs
from engine.generators.transform_kinds import SwingSettings
from engine.score.time import Meter

_TRIO = "hierdec-trio_16bar"


def pattern(settings: PatternSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether there are notes, and of the kind that the part plays.

    Raises:
        UnfitError: there are none, or drums in a part that plays none, or the other way round.
    """
    notes = settings.notes
    if notes is None:
        raise UnfitError(
            "notes", "`pattern` has no `notes`", "write them: `generator: {kind: pattern, notes: D4:1 F4:1/2}`"
        )
    is_drums = surroundings.role is Role.DRUMS
    if surroundings.role is not None and notes.is_drums != is_drums:
        if is_drums:
            raise UnfitError("notes", "this part plays drums", "write a drum grid, like `bd: x...x... | sn: ....x...`")
        raise UnfitError("notes", "this part plays no drums", "write notes, like `D4:1 F4:1/2`, or say `role: drums`")
    idle = settings.variation == 0 and Link.CHORDS in surroundings.links
    return settings, ["`chords` mean nothing to a pattern that is played note for note"] if idle else []


def swing(settings: SwingSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether there is anything to swing in the meter."""
    if swung_pairs(surroundings.meter, 1.0 if settings.grid == "eighths" else 0.5)[1].any():
        return settings, []
    way = "; take `grid: sixteenths`" if settings.grid == "eighths" else ""
    return settings, [f"in {surroundings.meter} no {settings.grid} come in pairs, so that nothing swings{way}"]


def network(settings: Any, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """Whether the weights are whole and of the config that the settings name, and whether it knows the meter.

    Raises:
        UnfitError: they are of another config, or it does not know the meter.
        PerpetuumError: the file is damaged, or holds no network.
    """
    if not _as_shipped(settings, surroundings):
        _card(settings, surroundings)
    return settings, []


def performance(settings: PerformanceRnnSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; a density that the config does not listen to is told, and chords that it is not to listen to.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    network(settings, surroundings)
    if Link.CHORDS in surroundings.links and settings.pitch_classes != "chords":
        return settings, ["it listens to `chords` with `pitch_classes: chords` only"]
    if settings.notes_per_second is None:
        return settings, []
    from engine.networks import CONFIGS

    deaf = "notes_per_second" not in CONFIGS[settings.config].conditions
    return settings, [f"`{settings.config}` does not listen to `notes_per_second`"] if deaf else []


def pianoroll(settings: PianorollRnnNadeSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; settings are told that mean nothing to keys which are drawn one by one.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    network(settings, surroundings)
    idle = [name for name in ("top_k", "top_p") if getattr(settings, name) is not None]
    return settings, [f"`{name}` means nothing to `{settings.config}`, which draws each key by itself" for name in idle]


def groove(settings: Any, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; a part that is no drums is told that nothing happens to it.

    Raises:
        UnfitError, PerpetuumError: as `network`.
    """
    network(settings, surroundings)
    silent = surroundings.role is not None and surroundings.role is not Role.DRUMS
    return settings, ["`groove` changes drums only, and this part plays none"] if silent else []


def music_vae(settings: MusicVaeSettings, surroundings: Surroundings) -> tuple[Settings, list[str]]:
    """As `network`; and whether the config plays what the part does, and the points on the way can be heard.

    Raises:
        UnfitError, PerpetuumError: as `network`; or the config does not play the part's role, a MIDI file among the
            points is missing or damaged, or the weights cannot hear one.
    """
    from engine.networks.vae.configs import DRUM_VAES

    card = _card(settings, surroundings)
    role = surroundings.role
    if role is not None and settings.config != _TRIO and (role is Role.DRUMS) != (settings.config in DRUM_VAES):
        plays, wanted = ("drums", "drums") if settings.config in DRUM_VAES else ("melodies", "melody")
        raise UnfitError(
            "config", f"`{settings.config}` plays {plays}, and this part is {role}", f"say `role: {wanted}` in the part"
        )
    points = [_found(point, surroundings) if isinstance(point, str) else point for point in settings.points]
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
    return settings.model_copy(update={"points": tuple(points)}), []


def _as_shipped(settings: Any, surroundings: Surroundings) -> bool:
    """Whether it is the shipped weights of a config, in the meter that all of them know.

    Those are known to be right, and to look into them costs a tenth of a second before the first sound.
    """
    known = settings.weights is None and _file(surroundings).parent == shipped("weights")
    return known and surroundings.meter == Meter(4, 4)


def _file(surroundings: Surroundings) -> Path:
    assert surroundings.weights is not None  # networks have weights
    return surroundings.weights


def _card(settings: Any, surroundings: Surroundings) -> Any:
    from engine.networks import CONFIGS, read_card

    wanted: str = settings.config
    try:
        card = read_card(_file(surroundings), wanted)
    except PerpetuumError as error:
        found = _config_of(surroundings)
        if found in (None, wanted):
            raise
        fits = "config" in type(settings).model_fields and found in get_args(
            type(settings).model_fields["config"].annotation
        )
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


def _found(name: str, surroundings: Surroundings) -> str:
    # Most scenes name no MIDI file, and sound sooner without mido.
    from engine.score.midi import read_piece

    path = find("scenes", name, ".mid", beside=surroundings.folder)
    if path is None:
        raise UnfitError("points", f"no MIDI file `{name}`", "paths begin where the scene lies")
    try:
        piece = read_piece(path)
    except PerpetuumError as error:
        raise UnfitError("points", error.message, error.hint or "") from error
    is_drum = surroundings.role is Role.DRUMS
    if not any(track.is_drum is is_drum and len(track.notes) for track in piece.tracks):
        what = "drums" if is_drum else "tune"
        raise UnfitError("points", f"`{name}` has no {what} for this part to hear", "name another file")
    return str(path.resolve())
