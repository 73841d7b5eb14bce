"""Amounts of transforms do what docs/scene-settings.md says of them, at both of their ends."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan
from tests.generators.asking import phrase, request
from tests.generators.transforms.test_transforms import applied

# To a thousandth of a beat: what begins nearer together than that is one for the ear and for transforms.
STARTS = st.integers(0, 15_900).map(lambda start: start / 1000)
NOTES = st.lists(
    st.tuples(STARTS, st.floats(0.06, 3), st.integers(36, 90), st.integers(1, 127)), min_size=1, max_size=20
)


def as_phrase(rows):
    return phrase([(start, start + length, pitch, velocity) for start, length, pitch, velocity in rows])


@given(rows=NOTES, meter=st.sampled_from(["4/4", "2/2", "2/4"]), seed=st.integers(0, 2**30))
@settings(max_examples=60, deadline=None)
def test_transforms_at_nothing_change_nothing(rows, meter, seed):
    source = as_phrase(rows)
    for name, how in (
        ("fit_to_key", {"strength": "0 %"}),
        ("thin", {"share": "0 %"}),
        ("double", {"share": "0 %"}),
        ("humanize", {"timing": "0 ms", "velocity": 0}),
        ("velocity", {}),
        ("legato", {"amount": "0 %"}),
        ("staccato", {"length": "100 %"}),
        ("swing", {"amount": "0 %"}),
        ("microtiming", {"offset": "0 ms"}),
        ("quantize", {"strength": "0 %"}),
        ("transpose", {}),
    ):
        found = applied(name, source, seed=seed, **how).notes
        if name in ("fit_to_key", "quantize"):
            continue  # what lies on one another becomes one
        assert found["pitch"].tolist() == source.notes["pitch"].tolist(), name
        np.testing.assert_allclose(found["start"], source.notes["start"], atol=1e-9)
        np.testing.assert_allclose(found["end"], source.notes["end"], atol=1e-9)
        assert found["velocity"].tolist() == source.notes["velocity"].tolist(), name


@given(rows=NOTES, seed=st.integers(0, 2**30))
@settings(max_examples=60, deadline=None)
def test_transforms_at_everything_change_all_they_name(rows, seed):
    source = as_phrase(rows)
    key = Key.parse("C major")
    assert all(int(pitch) in key for pitch in applied("fit_to_key", source, seed=seed, strength="100 %").notes["pitch"])
    assert len(applied("thin", source, seed=seed, share="100 %").notes) == 0
    lines = applied("quantize", source, seed=seed, strength="100 %").notes["start"] * 4
    np.testing.assert_allclose(lines, np.rint(lines), atol=1e-9)
    doubled = applied("double", source, seed=seed, share="100 %").notes
    pairs = {(start, pitch) for start, _, pitch, _ in doubled.tolist()}
    assert all((start, pitch + 12) in pairs for start, _, pitch, _ in source.notes.tolist())
    tied = applied("legato", source, seed=seed, amount="100 %").notes
    onsets = np.append(np.unique(tied["start"]), 16.0)
    for start, end, _, _ in tied.tolist():
        assert end >= onsets[onsets > start + 1e-6][0] - 1e-6
    short = applied("staccato", source, seed=seed, length="0 %").notes
    assert np.all(short["end"] - short["start"] <= 0.05 + 1e-9)
    assert set(applied("velocity", source, seed=seed, scale="0 %").notes["velocity"].tolist()) == {1}
    chords = phrase([], 16.0, [ChordSpan(0, 16, Chord(2, "m"))])
    fitted = applied("fit_to_chords", source, asked=request("melody_rules", chords=chords), strength="100 %").notes
    strong = np.rint(fitted["start"] * 4) % 4 == 0
    assert all(int(pitch) in Chord(2, "m") for pitch in fitted["pitch"][strong])


@given(rows=NOTES, seed=st.integers(0, 2**30), bars=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_rest_at_nothing_rests_never_and_at_all_always(rows, seed, bars):
    # Two notes of a pitch that begin at once would become one.
    apart = {(row[0], row[2]): row for row in rows if row[0] < bars * 4} or {0: (0, 1, 60, 80)}
    source = phrase(as_phrase(apart.values()).notes, bars * 4.0)
    how = request("melody_rules", bars=bars, seed=seed)
    assert applied("rest", source, seed=seed, asked=how, share="0 %").notes.tolist() == source.notes.tolist()
    assert len(applied("rest", source, seed=seed, asked=how, share="100 %").notes) == 0
