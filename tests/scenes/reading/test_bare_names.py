"""Every generator, transform and instrument is playable by its bare name as it is installed, or told what it needs."""

import re
from collections import Counter
from typing import get_args

import pytest

from engine import assets
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.events.vocabulary import BarSealed
from engine.form.plan import Plan
from engine.generators.contract import GENERATORS, TRANSFORMS, Role
from engine.generators.rules.kinds import rules_for
from engine.runtime.ending import networks_of
from engine.runtime.rules import ladder_over
from engine.runtime.workers.workers import Workers
from engine.scenes.schema.models import MOST_PARTS
from engine.scenes.text.problems import Severity
from engine.score.phrase import Origin
from tests.scenes.writing import load_text, pointed_at

GENERATORS = GENERATORS.kinds()
TRANSFORMS = TRANSFORMS.kinds()
INSTRUMENTS = sorted(assets.shipped_names("instruments"))
FITTING = {Role.DRUMS: "studio_kit", Role.BASS: "round_bass", Role.CHORDS: "marimba", Role.MELODY: "glass_bell"}


def is_kit(instrument):
    return "kind: drum_kit" in assets.find("instruments", instrument, ".yaml").read_text() or instrument.endswith("kit")


def scene_of(*parts, tempo=240, bars=2):
    """A scene in which each part has a section of its own, one after another. A chord part goes before."""
    pad = "  pad: {generator: chord_walk, instrument: marimba}\n"
    lines = "".join(f"  p{number}: {part}\n" for number, part in enumerate(parts))
    sections = "".join(f"  s{number}: {{bars: {bars} bars, parts: [p{number}]}}\n" for number in range(len(parts)))
    sections += f"  last: {{bars: {bars} bars, parts: [pad]}}\n"
    return f"perpetuum: 1\ntitle: t\ntempo: {tempo} qpm\nkey: C\nparts:\n{pad}{lines}sections:\n{sections}"


def part(generator, role=None, instrument=None, transforms=()):
    said = f", role: {role}" if role else ""
    instrument = instrument or FITTING[role or GENERATORS[generator].roles[0]]
    return f"{{generator: {generator}{said}, transforms: [{', '.join(transforms)}], instrument: {instrument}}}"


BARE = [(name, role) for name, kind in GENERATORS.items() for role in (None, *kind.roles)]


def has_weights(kind):
    """Whether any config of a kind is shipped."""
    field = kind.settings.model_fields.get("config")
    shipped = set(assets.names("weights", ".safetensors"))
    return field is None or bool(shipped.intersection(get_args(field.annotation)))


@pytest.mark.parametrize(("name", "role"), BARE)
def test_a_generator_by_its_bare_name_is_playable_or_told_what_it_needs_at_its_place(tmp_path, name, role):
    # Drums in canon follow drums.
    parts = [part(name, role), *([part("drum_rules")] if (name, role) == ("canon", Role.DRUMS) else [])]
    scene, found = load_text(tmp_path, scene_of(*parts))
    kind = GENERATORS[name]
    if not found:
        assert scene is not None
        assert kind.name != "pattern"
        return
    [one] = found
    assert pointed_at(one) == name
    if one.severity is Severity.UNAVAILABLE:
        assert scene is not None
        assert not has_weights(kind), "one of its configs is shipped, so that should be what it means without one"
        assert "weights:" in one.hint
        return
    assert one.severity is Severity.ERROR
    # What the hint says to write is right.
    advice = re.search(r"write `(generator: .*)`", one.hint)
    assert advice, one.text()
    text = scene_of(*parts).replace(f"generator: {name}", advice[1])
    assert [more.text() for more in load_text(tmp_path, text)[1]] == []


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_by_its_bare_name_is_playable_after_every_role(tmp_path, name):
    scene, found = load_text(tmp_path, scene_of(*(part(rules_for(role).name, transforms=[name]) for role in Role)))
    assert scene is not None
    doubt = "`groove` changes drums only, and this part plays none"
    assert [one.message for one in found] == ([doubt] * 3 if name == "groove" else [])


def instrument_parts():
    return [part("drum_rules" if is_kit(name) else "melody_rules", None, name) for name in INSTRUMENTS]


def test_the_shipped_instruments_are_playable_by_their_names(tmp_path):
    scene, found = load_text(tmp_path, scene_of(*instrument_parts()))
    assert scene is not None
    # At 240 qpm the notes are short for pads.
    assert [one.text() for one in found if not re.search("takes .* to begin|rings on", one.message)] == []


def bare_parts():
    """One part for each generator in each of its roles, and for each transform."""
    for name, role in BARE:
        needed = {"pattern": "{kind: pattern, notes: D4:1}"}
        needed |= {name: f"{{kind: {name}, chords: pad}}" for name in ("ensemble", "improv_rnn")}
        if name == "canon":
            continue  # where its leader has played nothing yet it rests: tests/generators/rules/test_canon.py
        if name == "pattern" and role is Role.DRUMS:
            needed["pattern"] = '{kind: pattern, notes: "bd: x...x..."}'
        yield part(name, role).replace(f"generator: {name}", f"generator: {needed.get(name, name)}")
    for name in TRANSFORMS:
        yield part("drum_rules" if name == "groove" else "melody_rules", transforms=[name])


def batched(items, size):
    return [items[place : place + size] for place in range(0, len(items), size)]


class Counted:
    """Who played what."""

    def __init__(self):
        self.origins, self.notes = {}, Counter()

    def __call__(self, event):
        if isinstance(event, BarSealed):
            for one in event.parts:
                self.origins.setdefault(one.part, set()).add(one.phrase.provenance.origin)
                self.notes[one.part] += len(one.phrase.notes)


@pytest.mark.models
def test_all_generators_and_transforms_make_notes(tmp_path):
    """Two bars each, one after another, by a real worker; who has no weights is played by rules."""
    parts = list(bare_parts())
    for some in batched(parts, MOST_PARTS - 1):
        scene, _ = load_text(tmp_path, scene_of(*some))
        assert scene is not None
        counted = Counted()
        with Workers(load=networks_of(scene), patience=60) as workers:
            plan, ladder = Plan(scene, 3), ladder_over(workers)
            Conductor(plan, ladder, lambda message: None, FastClock(), publish=counted).run(2 * len(some))
        for number, one in enumerate(some):
            name = re.search(r"generator: (?:\{kind: )?(\w+)", one)[1]
            assert counted.notes[f"p{number}"] > 0, one
            assert (Origin.FALLBACK in counted.origins[f"p{number}"]) is not has_weights(GENERATORS[name]), one
