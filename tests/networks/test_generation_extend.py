"""Facts about going on after a passage of notes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import CONFIGS
from engine.networks.contract import Conditions, Passage, Sampling
from engine.networks.rnn.event_sequence import chords_on_grid
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from tests.networks.golden import Golden, made_up_weights
from tests.networks.test_parity import NAMES

TUNE = np.array([(0, 1, 67, 90), (1, 1.5, 69, 80), (2, 3, 71, 80), (3, 4.5, 72, 80)], NOTE)
DRUMS = np.array([(0, 0.25, 36, 90), (1, 1.25, 38, 80), (1, 1.25, 42, 80), (2.5, 2.75, 36, 70)], NOTE)


def passage_for(name: str, **changes) -> Passage:
    notes = DRUMS if CONFIGS[name].family == "drums_rnn" else TUNE
    return Passage(notes, 4.0, **changes)


@pytest.mark.parametrize("name", [name for name in NAMES if "outer" not in name])
def test_every_config_on_a_grid_extends_a_passage(name):
    network = Golden(name).network
    chords = (ChordSpan(0, 4, Chord(0)), ChordSpan(4, 12, Chord(7, "7")))
    for passage in (passage_for(name), Passage(TUNE[:0], 0.0), Passage(TUNE[:0], 4.0)):
        notes = network.extend(passage, 8.0, Conditions(chords), Sampling(), np.random.default_rng(1))[0].notes
        assert notes.dtype == NOTE
        assert len(notes)
        assert (notes["start"] >= 0).all()
        assert (notes["end"] <= 8.0).all()
        assert (notes["start"] * network.steps_per_quarter % 1 == 0).all()
        again = network.extend(passage, 8.0, Conditions(chords), Sampling(), np.random.default_rng(1))[0].notes
        np.testing.assert_array_equal(notes, again)


def test_extensions_come_with_their_likelihood_and_differ():
    network = Golden("drum_kit").network
    found = network.extend(passage_for("drum_kit"), 4.0, rng=np.random.default_rng(2), count=5)
    assert len({extension.notes.tobytes() for extension in found}) == 5
    assert all(extension.log_likelihood < 0 for extension in found)


def test_chords_change_what_is_played():
    network = Golden("chord_pitches_improv").network
    made = [
        network.extend(
            passage_for("chord_pitches_improv"),
            8.0,
            Conditions((ChordSpan(0, 12, chord),)),
            Sampling(),
            np.random.default_rng(1),
        )[0].notes.tobytes()
        for chord in (Chord(0), Chord(0, "m"), Chord(0, "", 4), Chord(6, "7"))
    ]
    assert len(set(made)) == 4


def test_chords_lie_on_the_grid_with_none_between():
    spans = [ChordSpan(0.5, 1, Chord(0)), ChordSpan(1.5, 9, Chord(7))]
    assert chords_on_grid(spans, 8, 4) == [None, None, Chord(0), Chord(0), None, None, Chord(7), Chord(7)]


def test_networks_that_look_back_by_bars_look_back_by_bars_of_other_meters():
    network = Golden("lookback_rnn").network
    lookbacks = {bar: network.encoding_in(bar).lookbacks for bar in (8, 12, 16, 18)}
    assert lookbacks == {8: (16, 32), 12: (24, 48), 16: (16, 32), 18: (18, 36)}
    assert network.encoding_in(12).input_size == network.encoding.input_size
    ways = [
        network.extend(passage_for("lookback_rnn", steps_per_bar=n), 6.0, rng=np.random.default_rng(1))
        for n in (16, 12)
    ]
    assert ways[0][0].notes.tobytes() != ways[1][0].notes.tobytes()


def test_bars_that_are_no_whole_number_of_steps_are_refused():
    assert CONFIGS["one_drum"].allows(16) is None
    assert CONFIGS["drum_kit"].allows(15) is None
    assert "1/8" in CONFIGS["one_drum"].allows(15)
    with pytest.raises(ValueError, match="one_drum counts in steps of 1/8, and a bar of 15/16 is no whole number"):
        Golden("one_drum").network.extend(passage_for("one_drum", steps_per_bar=15), 4.0)


def test_default_sizes_are_magentas():
    sizes = {name: CONFIGS[name].default_layout().layers for name in NAMES if "outer" not in name}
    assert sizes["drum_kit"] == (256, 256, 256)
    assert sizes["basic_improv"] == (64, 64)
    layout = CONFIGS["attention_improv"].default_layout()
    assert (layout.layers, layout.input_size, layout.attention_length) == ((128, 128, 128), 123, 40)
    assert set(made_up_weights(layout.shapes())) == set(Golden("attention_improv").shapes)
