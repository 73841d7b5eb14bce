"""A part's chain without its instrument: generate, judge, transform. And the stand-in that never fails.

The worker process and the conductor's own rules both come through here, so what a phrase is does not depend on the
process that made it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from engine.errors import PerpetuumError
from engine.generators.chance import stream
from engine.generators.contract import (
    GENERATORS,
    TRANSFORMS,
    Generator,
    GeneratorKind,
    Request,
    Role,
    Settings,
    Transform,
    TransformKind,
    TransformSettings,
)
from engine.generators.playable import validated
from engine.generators.rules.kinds import BUILT_IN_RULES, rules_for
from engine.generators.transforms.scope import due_bars, in_bars, on_drums
from engine.registry import Registry
from engine.score import dynamics
from engine.score.drums import PITCHES
from engine.score.phrase import NOTE, Origin, Phrase, Provenance

Cache = MutableMapping[tuple[str, ...], Generator | Transform]
"""Generators and network transforms that were built, by `name_in_cache`; one a process."""


def make_phrase(
    kind_name: str,
    request: Request,
    cache: Cache,
    generators: Registry[GeneratorKind] = GENERATORS,
    transforms: Registry[TransformKind] = TRANSFORMS,
) -> tuple[Phrase, Phrase]:
    """Make a phrase with a kind of generator, and send it through the request's transforms.

    Args:
        kind_name: as the registry knows it.
        request: what to make; its settings are the kind's.
        cache: what was built before; kept by the caller.
        generators, transforms: the kinds that there are.

    Returns:
        (raw, phrase): before and after the transforms.

    Raises:
        PerpetuumError: no such kind, the generator cannot, or what it made cannot be played.
    """
    described = generators.get(kind_name)
    if not isinstance(request.settings, described.settings):
        raise PerpetuumError(
            f"part {request.part!r}: settings of {type(request.settings).__name__} were given to {kind_name}"
        )
    name = name_in_cache(described, request.settings, request.part)
    generator = cast("Generator | None", cache.get(name))
    if generator is None:
        generator = cache[name] = described.factory(request.settings)
    raw = validated(generator.generate(request), request, kind_name)
    origin = Origin.NETWORK if described.network else Origin.RULES
    raw = raw.with_provenance(replace(raw.provenance, generator=kind_name, origin=origin, seed=request.seed, reason=""))
    return raw, at_level(transformed(raw, request, cache, transforms), request)


def name_in_cache(described: GeneratorKind | TransformKind, settings: Settings, part: str = "") -> tuple[str, ...]:
    """What a cache knows a built generator or transform by: its weights, or the part of a generator without any."""
    weights = described.weights(settings) if described.weights else None
    if isinstance(described, TransformKind):
        return "transform", described.name, weights or ""
    return described.name, part if weights is None else weights


def _transform_of(described: TransformKind, settings: Settings, cache: Cache) -> Transform:
    if described.factory is None:
        if described.apply is None:
            raise PerpetuumError(f"the transform {described.name} has neither rules nor a network")
        return described.apply
    name = name_in_cache(described, settings)
    found = cast("Transform | None", cache.get(name))
    if found is None:
        found = cache[name] = described.factory(settings)
    return found


def transformed(
    raw: Phrase, request: Request, cache: Cache, transforms: Registry[TransformKind] = TRANSFORMS
) -> Phrase:
    """The phrase after the request's transforms; each has a random stream of its own.

    Raises:
        PerpetuumError: a transform failed; it says which.
    """
    phrase = raw
    for place, (name, settings) in enumerate(request.transforms):
        described = transforms.get(name)
        if not isinstance(settings, described.settings):
            given = type(settings).__name__
            raise PerpetuumError(f"part {request.part!r}: settings of {given} were given to the transform {name}")
        apply = _transform_of(described, settings, cache)
        phrase = _one_transform(described, apply, phrase, place, settings, request)
        if described.network:
            # Whoever wrote the notes, a network has played them.
            phrase = phrase.with_provenance(replace(phrase.provenance, origin=Origin.NETWORK))
    return phrase


def _one_transform(
    described: TransformKind,
    apply: Transform,
    phrase: Phrase,
    place: int,
    settings: Settings,
    request: Request,
) -> Phrase:
    name = described.name
    rng = stream(request.seed, "transform", place, name)

    def some_bars(part: Phrase, asked: Request) -> Phrase:
        return apply(part, settings, asked, rng)

    def all_that_is_meant(part: Phrase) -> Phrase:
        if not isinstance(settings, TransformSettings) or described.heeds_bars:
            return some_bars(part, request)
        due = due_bars(request, settings, stream(request.seed, "due", place, name))
        return in_bars(part, due, request, some_bars)

    try:
        if isinstance(settings, TransformSettings):
            found = on_drums(phrase, settings, all_that_is_meant)
        else:
            found = all_that_is_meant(phrase)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise PerpetuumError(f"part {request.part!r}: the transform {name} failed: {error}") from error
    return validated(found, request, f"the transform {name}")


def stand_in(request: Request, reason: str, transforms: Registry[TransformKind] = TRANSFORMS) -> tuple[Phrase, Phrase]:
    """(raw, phrase) by the rules of the request's role, for a generator that failed or is late. Never raises.

    It plays in the same key and meter, over the same chords and rhythm, and goes on from what was played: the rules
    take up history and primer. Settings of the failed generator are kept where the rules know them too.

    Args:
        request: as it was made for the other generator.
        reason: why; noted in the provenance.
        transforms: the kinds that there are.
    """
    raw = _by_rules(request, reason)
    phrase = raw
    for place, (name, settings) in enumerate(request.transforms):
        try:
            kind = transforms.get(name)
            # By rules: networks are the workers' business, and here one may just have failed.
            if kind.apply is not None and isinstance(settings, kind.settings):
                phrase = _one_transform(kind, kind.apply, phrase, place, settings, request)
        except Exception:  # a transform that fails is left out: its phrase still plays
            continue
    return raw, at_level(phrase, request)


def at_level(phrase: Phrase, request: Request) -> Phrase:
    """The phrase with its velocities, which are meant for mf, as they are played at the levels of a request."""
    if not request.dynamics or not len(phrase.notes):
        return phrase
    points = np.linspace(0.0, request.beats, len(request.dynamics))
    levels = np.interp(phrase.notes["start"], points, request.dynamics)
    notes = phrase.notes.copy()
    notes["velocity"] = dynamics.at_level(notes["velocity"], levels)
    return phrase.with_notes(notes)


def _by_rules(request: Request, reason: str) -> Phrase:
    """A phrase by the part's own rules, if it needs a network for a transform only, or else by its role's."""
    own = [kind for kind in BUILT_IN_RULES if type(request.settings) is kind.settings and request.role in kind.roles]
    for described in (*own, rules_for(request.role)):
        seen = request.with_settings(settings_for(described, request.settings))
        try:
            raw = validated(described.factory(seen.settings).generate(seen), seen, described.name)
        except Exception as error:  # the last defence before silence: whatever it is, music goes on
            reason = f"{reason}; {described.name}: {error}"
        else:
            made_by = replace(raw.provenance, generator=described.name, origin=Origin.FALLBACK)
            return raw.with_provenance(replace(made_by, seed=request.seed, reason=reason))
    raw = _plainest(request)
    return raw.with_provenance(Provenance("plainest", Origin.FALLBACK, request.seed, reason))


def settings_for(described: GeneratorKind, given: object) -> Settings:
    """Settings of a kind, with the values of another kind's settings where name and value fit."""
    if isinstance(given, described.settings):
        return given
    fields = described.settings.model_fields
    defaults = described.settings()
    found: dict[str, Any] = {}
    for name in fields:
        value = getattr(given, name, None)
        # Same name and same type means the same thing (a range of pitches, a density); words are the kind's own.
        if value is not None and type(value) is type(getattr(defaults, name)) and not isinstance(value, str):
            found[name] = value
    return defaults.model_copy(update=found)


def _plainest(request: Request) -> Phrase:
    """What cannot fail: the tonic held, or a stroke on each bar's first beat."""
    bar = request.meter.beats_per_bar
    starts = np.arange(request.bars) * bar
    notes = np.zeros(request.bars, NOTE)
    notes["start"] = starts
    if request.role is Role.DRUMS:
        notes["end"], notes["pitch"], notes["velocity"] = starts + 0.25, PITCHES[0], 80
    else:
        octave = {Role.BASS: 36, Role.CHORDS: 60, Role.MELODY: 72}[request.role]
        notes["end"], notes["pitch"], notes["velocity"] = starts + bar, octave + request.key.tonic, 64
    return Phrase.of(notes, request.beats, Provenance("plainest", Origin.FALLBACK, request.seed))
