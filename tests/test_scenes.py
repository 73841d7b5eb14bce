"""What is promised of every shipped scene, on real networks and real sound."""

from __future__ import annotations

import itertools
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine import assets
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Job, Reply
from engine.conductor.recorder import Tally
from engine.errors import PerpetuumError
from engine.events import BarSealed, Event
from engine.form.plan import Plan
from engine.generators import chain
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.runtime.ending import Ending
from engine.runtime.render import render
from engine.runtime.rules import ladder_over
from engine.scenes import load
from engine.score.harmony.keys import MODES, Key
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Control, Ramps
from tests.conductor.sealed import EachPart, Sealed
from tests.conductor.virtual import VirtualMakers

SCENES = sorted(assets.names("scenes"))
BARS = dict.fromkeys(SCENES, 256) | dict.fromkeys(
    ["daylight", "evensong", "glass_pulse", "long_way", "slow_groove"], 128
)
"""Bars that are heard of each scene: half as many where networks are dear."""
SECONDS = dict.fromkeys(SCENES, 90) | dict.fromkeys(
    ["daylight", "four_vessels", "glass_pulse", "ground", "long_way", "slow_groove"], 60
)
"""Of sound that are rendered: fewer of those that do not begin softly, or soon are as loud as they get."""
THREE_HOURS = 3 * 3600 * SAMPLE_RATE
each_scene = pytest.mark.parametrize("name", SCENES)
pytestmark = pytest.mark.models


class Heard:
    """A performance without sound: some bars of decisions, with real networks in this process."""

    def __init__(self, name: str, seed: int, bars: int) -> None:
        scene, diagnostics = load(assets.scene(name))
        assert scene is not None, [diagnostic.text() for diagnostic in diagnostics]
        self.scene = scene
        self.tally = Tally()
        self.bars: dict[str, list[Sealed]] = defaultdict(list)
        self.sent: list[object] = []
        self._networks: dict = {}
        makers = VirtualMakers(self._make)
        plan = Plan(scene, seed)
        each_part = EachPart(self._listen, self._count)
        self.conductor = Conductor(plan, ladder_over(makers), self.sent.append, FastClock(), publish=each_part)
        each_part.conductor = self.conductor
        self.conductor.run(bars)

    def _make(self, job: Job) -> Reply:
        try:
            return Reply(job.ticket, *chain.make_phrase(job.kind, job.request, self._networks))
        except PerpetuumError as error:
            return Reply(job.ticket, None, None, str(error))

    def _count(self, event: Event) -> None:
        if isinstance(event, BarSealed):
            self.tally(event)

    def _listen(self, sealed: Sealed) -> None:
        if sealed.heard:
            self.bars[sealed.part].append(sealed)


@cache
def heard(name: str, seed: int = 1, bars: int | None = None) -> Heard:
    return Heard(name, seed, bars or BARS[name])


def parts(performance: Heard, role: str | None = None) -> list[str]:
    return [name for name, part in performance.scene.parts.items() if role in (None, part.role)]


@each_scene
def test_it_is_valid_without_a_warning(name):
    scene, diagnostics = load(assets.scene(name))
    assert scene is not None
    assert diagnostics == []


@each_scene
def test_networks_make_at_least_95_percent_of_each_network_parts_bars(name):
    performance = heard(name)
    played = [part for part in performance.bars if performance.scene.parts[part].needs_network]
    assert played
    for part in played:
        assert performance.tally.network_share(part) >= 0.95, performance.tally.lines([part])


@each_scene
def test_every_part_plays_and_every_section_comes(name):
    """Within three hours, as the plan says; and what it says is what is heard."""
    performance = heard(name)
    plan = Plan(performance.scene, 1)
    passes = list(itertools.takewhile(lambda one: plan.bar(one.first_bar).start < THREE_HOURS, plan.passes()))
    assert {part for visit in passes for part in visit.players} == set(performance.scene.parts)
    assert {visit.section.name for visit in passes} == set(performance.scene.sections)
    early = [visit for visit in passes if visit.end_bar <= BARS[name]]
    assert {part for visit in early for part in visit.players} <= set(performance.bars)
    played = {sealed.visit.index for bars in performance.bars.values() for sealed in bars}
    assert played >= {visit.index for visit in early}


EARLY = 0.15
"""Beats by which a hand may come early."""


@each_scene
def test_it_stays_in_key(name):
    """Or in the chord that sounds, which may be borrowed. Chromatic approach notes of a bass are a freedom, at most one
    note in fifty; leading notes of a choir another.
    """
    performance = heard(name)
    for part in parts(performance):
        if performance.scene.parts[part].role == "drums":
            continue
        bars = performance.bars.get(part, [])
        inside = [
            int(note["pitch"]) in _seven_notes(sealed.visit.key)
            or any(
                span.start <= note["start"] < span.end and note["pitch"] in span.chord for span in sealed.phrase.chords
            )
            # A hand that comes a little early plays what sounds from the bar line on.
            or (note["start"] > sealed.bar.beats - EARLY and note["pitch"] in after.phrase.chords[0].chord)
            for sealed, after in itertools.pairwise(bars)
            for note in sealed.phrase.notes
        ]
        raises = performance.scene.parts[part].generator == "chorale"
        assert not inside or np.mean(inside) > (0.85 if raises else 0.98), part


@each_scene
def test_it_breathes(name):
    """Each part but the chords rests for at least a twentieth of the bars: by its section, or within its phrases."""
    performance = heard(name)
    for part in parts(performance):
        if performance.scene.parts[part].role != "chords":
            sounding = sum(len(sealed.phrase.notes) > 0 for sealed in performance.bars.get(part, []))
            assert sounding < 0.95 * BARS[name], part


@each_scene
def test_passes_of_a_section_differ(name):
    """Of all passes of a section no two are the same; of any one part, hardly ever."""
    passes = defaultdict(list)
    for part, bars in heard(name).bars.items():
        for sealed in bars:
            notes = sealed.phrase.notes["pitch"].tolist()
            passes[sealed.visit.section.name, "", sealed.visit.index].append(notes)
            passes[sealed.visit.section.name, part, sealed.visit.index].append(notes)
    alike = different = 0
    for (one, a), (other, b) in itertools.combinations(passes.items(), 2):
        if one[:2] == other[:2] and any(a):
            assert one[1] or a != b, f"{one} and {other} are the same"
            alike, different = alike + (a == b), different + (a != b)
    assert alike <= max(1, 0.01 * different)


@each_scene
def test_two_seeds_are_two_performances(name):
    one, other = heard(name), heard(name, 2, 16)  # called as elsewhere: a cache tells `name, 1` from `name`
    shared = set(one.bars) & set(other.bars)
    assert shared
    for part in shared:
        a, b = ([s.phrase.notes["pitch"].tolist() for s in p.bars[part] if s.bar.index < 16] for p in (one, other))
        assert a != b, part


@each_scene
def test_levels_never_leave_a_sensible_range(name):
    values = [
        ramp.value
        for message in heard(name).sent
        if isinstance(message, Ramps)
        for ramp in message.ramps
        if ramp.control is Control.LEVEL
    ]
    assert all(value == -np.inf or -60 <= value <= 6 for value in values)


@each_scene
def test_it_is_between_24_and_14_lufs_and_never_above_full_scale(name, tmp_path):
    """Its beginning, as rendered by the real audio process."""
    import pyloudnorm
    import soundfile

    scene, _ = load(assets.scene(name))
    assert scene is not None
    path = Path(tmp_path) / "out.wav"
    render(scene, 1, path, lambda plan: Ending.after_seconds(plan, SECONDS[name]))
    sound, rate = soundfile.read(path)
    assert -24 <= pyloudnorm.Meter(rate).integrated_loudness(sound) <= -14
    assert np.abs(sound).max() < 10 ** (-0.5 / 20)
    # Nothing stands still: no stretch of five seconds is silent before the fade.
    windows = sound[: len(sound) // (5 * rate) * 5 * rate].reshape(-1, 5 * rate, 2)[:-1]
    assert (np.sqrt((windows**2).mean(axis=(1, 2))) > 1e-4).all()


def networks(name: str) -> dict[str, set[str]]:
    """The weights files that the parts of a scene use: by part."""
    scene, _ = load(assets.scene(name))
    assert scene is not None
    found: dict[str, set[str]] = {}
    for part in scene.parts.values():
        kinds = [(GENERATORS.get(part.generator), part.settings)]
        kinds += [(TRANSFORMS.get(kind_name), settings) for kind_name, settings in part.transforms]
        found[part.name] = {Path(one.weights(settings)).stem for one, settings in kinds if one.weights is not None}
    return found


@pytest.mark.parametrize("weights", sorted(assets.names("weights", ".safetensors")))
def test_every_shipped_network_plays_in_a_scene(weights):
    users = [name for name in SCENES if any(weights in used for used in networks(name).values())]
    assert users


@each_scene
def test_drums_are_played_with_the_feel_of_a_network(name):
    scene, _ = load(assets.scene(name))
    assert scene is not None
    for part in scene.parts.values():
        if part.role == "drums":
            assert "groove" in [kind_name for kind_name, _ in part.transforms], part.name


def _seven_notes(key: Key) -> Key:
    """The seven-note scale that a pentatonic is taken from: its harmony may use all of it."""
    if len(MODES[key.mode]) >= 7:
        return key
    return Key(key.tonic, "minor" if 3 in MODES[key.mode] else "major")
