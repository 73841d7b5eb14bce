"""Facts about the drawn figures, read back from matplotlib."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from engine.cli.common import load_playable
from engine.cli.plot import PAGE, piano_roll, piano_roll_pages
from engine.conductor.recorder import Recording
from engine.events import SectionBegan
from engine.form.plan import Plan
from engine.pictures import Heights
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan, Origin

SCENE = load_playable(str(Path(__file__).parents[2] / "scenes" / "slow_groove.yaml"), None, None)


def played(bars: int, **parts: Sequence[tuple[float, float, int, int]]) -> Recording:
    """A recording of so many bars of the scene's plan, of notes (start, end, pitch, velocity) by part."""
    plan = Plan(SCENE, 1)
    visits = {visit.index: visit for visit in map(plan.pass_at, range(bars))}.values()
    passes = [SectionBegan(v.index, v.section.name, v.first_bar, v.qpms, str(v.key)) for v in visits]
    notes = {name: [np.array(rows, NOTE)] for name, rows in parts.items()}
    return Recording(SCENE, notes, passes=passes, bars=bars)


def lanes_of(page) -> list:
    return [axes for axes in page.axes if axes.get_ylabel() in SCENE.parts]


def said(page, gid: str) -> list:
    return [text for axes in page.axes for text in axes.texts if text.get_gid() == gid]


def page_of(recording: Recording):
    (page,) = piano_roll_pages(recording)
    return page


@pytest.mark.parametrize(("bars", "rows"), [(1, 1), (16, 1), (21, 2), (64, 4), (615, None), (5_000, None)])
def test_bars_are_counted_from_1_in_rows_of_one_page_and_silent_parts_have_no_lane(bars, rows):
    page = page_of(played(bars, strings=[(0, 1, 60, 90)]))
    lanes = lanes_of(page)
    assert {lane.get_ylabel() for lane in lanes} == {"strings"}
    assert rows in (None, len(lanes))
    edges = [lane.get_xlim() for lane in lanes]
    assert edges[0][0] == 0
    assert edges[-1][1] == bars
    assert all(one[1] == other[0] for one, other in pairwise(edges))
    for lane in lanes:
        assert [int(text.get_text()) - 1 for text in lane.get_xticklabels()] == lane.get_xticks().tolist()
    boxes = [lane.get_position() for lane in lanes]
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in boxes)
    assert all(one.y0 > other.y1 for one, other in pairwise(boxes))
    assert page.get_size_inches()[1] <= PAGE[1] + 1e-6
    assert any(axes.get_xlabel() == "velocity" or axes.get_ylabel() == "velocity" for axes in page.axes)


def test_half_an_hour_of_six_parts_is_a_page_whose_bars_are_a_tenth_of_an_inch_wide():
    parts = {name: [(0, 1, 40, 90), (4, 5, 64, 90)] for name in SCENE.parts}
    page = page_of(played(615, **parts))
    wide, tall = page.get_size_inches()
    assert tall <= PAGE[1] + 1e-6
    lanes = lanes_of(page)
    assert len(lanes) % len(SCENE.parts) == 0
    for lane in lanes:
        box, (first, last) = lane.get_position(), lane.get_xlim()
        assert box.width * wide / (last - first) > 0.1
        assert box.height * tall > 0.15


def test_every_note_is_drawn_where_it_sounds_and_goes_on_in_the_next_row():
    page = page_of(played(32, strings=[(0, 4, 60, 1), (60, 72, 72, 127)]))
    first, second = lanes_of(page)
    boxes = [path.get_extents() for path in first.collections[0].get_paths()]
    assert [(box.x0, box.x1) for box in boxes] == [(0, 1), (15, 18)]
    assert [(box.y0 + box.y1) / 2 for box in boxes] == [60, 72]
    assert first.collections[0].get_array().tolist() == [1, 127]
    (rest,) = second.collections[0].get_paths()
    assert second.get_xlim()[0] == 16 < rest.get_extents().x1 == 18


def test_only_drums_that_are_struck_have_a_line_and_what_is_no_drum_is_called_other():
    page = page_of(played(4, drums=[(0, 1, 36, 90), (1, 2, 42, 90), (2, 3, 1, 90)]))
    (lane,) = lanes_of(page)
    assert [text.get_text() for text in lane.get_yticklabels()] == ["kick", "closed hat", "other"]
    middles = [(box.y0 + box.y1) / 2 for box in (path.get_extents() for path in lane.collections[0].get_paths())]
    assert middles == pytest.approx([0, 1, 2])


@pytest.mark.parametrize("bars", [16, 60, 120])
def test_names_of_sections_and_chords_do_not_overlap(bars):
    recording = played(bars, strings=[(0, 1, 60, 90)])
    chords = (Chord(2, "m(add9)"), Chord(3, "maj7"), Chord(0), Chord(10, "maj7", 2))
    step = 1 if bars > 60 else 2
    recording.chords = [ChordSpan(beat, beat + step, chords[beat // step % 4]) for beat in range(0, bars * 4, step)]
    page = page_of(recording)
    page.draw_without_rendering()
    sections, names = said(page, "section"), said(page, "chord")
    assert len(sections) >= len(recording.passes) - 1
    assert len(names) >= bars
    x0, y0, x1, y1 = np.array([text.get_window_extent().extents for text in (*sections, *names)]).T
    across = (x0[:, None] < x1 - 1) & (x0 < x1[:, None] - 1)
    along = (y0[:, None] < y1 - 1) & (y0 < y1[:, None] - 1)
    np.fill_diagonal(across, False)
    assert not (across & along).any()
    assert y1.max() < page.bbox.y1


def test_the_key_stands_where_it_changes_and_a_section_is_named_again_where_a_row_goes_on():
    recording = played(40, strings=[(0, 1, 60, 90)])
    one, *others = recording.passes
    recording.passes = [one, *(replace(visit, key="A minor") for visit in others)]
    texts = [text.get_text() for text in said(page_of(recording), "section")]
    assert "D dorian" in texts[0]
    assert sum("A minor" in text for text in texts) == 1
    going_on = [text for text in texts if re.fullmatch(r"\(\w+\)", text)]
    begun = {visit.first_bar for visit in recording.passes}
    assert len(going_on) == len(set(range(16, 40, 16)) - begun) > 0


def test_a_strip_marks_the_bars_that_networks_made_and_the_legend_says_so():
    recording = played(20, melody=[(0, 1, 60, 90)])
    origins = dict.fromkeys(range(20), Origin.RULES) | dict.fromkeys((2, 3, 17), Origin.NETWORK)
    recording.origins = {"melody": origins}
    page = page_of(recording)
    marked = {
        round(path.get_extents().x0)
        for lane in lanes_of(page)
        for strip in lane.collections
        if strip.get_label() == "made by a network"
        for path in strip.get_paths()
    }
    assert marked == {2, 3, 17}
    assert [text.get_text() for legend in page.legends for text in legend.get_texts()] == ["made by a network"]


def test_a_pdf_has_the_pages_that_it_needs_and_is_the_same_when_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.cli.plot.PAGE", (PAGE[0], 4.0))
    recording = played(300, strings=[(0, 1, 60, 90)])
    pages = len(list(piano_roll_pages(recording, several=True)))
    assert pages > 1
    for name in ("one.pdf", "two.pdf"):
        piano_roll(recording, tmp_path / name)
    written = (tmp_path / "one.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b(?!s)", written)) == pages
    assert written == (tmp_path / "two.pdf").read_bytes()


def test_a_hundred_parts_with_long_names_all_have_a_lane_on_a_page_that_grows():
    names = [f"{number}_{'a_very_long_name' * 3}" for number in range(100)]
    crowd = replace(SCENE, parts=dict.fromkeys(names, next(iter(SCENE.parts.values()))))
    notes = np.array([(0, 1, 60, 90)], NOTE)
    recording = replace(played(8), scene=crowd, notes={name: [notes] for name in names})
    page = page_of(recording)
    tall = page.get_size_inches()[1]
    lanes = [axes for axes in page.axes if axes.get_ylabel().endswith("…")]
    assert len(lanes) == 100
    assert min(lane.get_position().height for lane in lanes) * tall > 0.25
    assert lanes[-1].get_position().y0 > 0
    page.draw_without_rendering()
    assert min(lane.yaxis.label.get_window_extent().x0 for lane in lanes) >= 0


def test_an_axis_of_pitches_names_its_octaves():
    assert Heights.of(np.array([47, 61]), drums=False).ticks == {48.0: "C3", 60.0: "C4"}
    assert Heights.of(np.array([], int), drums=False).ticks == {}
