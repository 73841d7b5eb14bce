"""The curator: which of a network's phrases is played, by what the request says and nothing else."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from engine.assets import find
from engine.generators.chain import make_phrase
from engine.generators.contract import Cadence, Link
from engine.generators.neural.curating.candidate import PhraseCandidate
from engine.generators.neural.curating.curator import chosen
from engine.generators.neural.curating.qualities import QUALITIES, Stand
from engine.generators.neural.curating.settings import ChoirTaste, Taste
from engine.generators.neural.curating.typicality import Typical, typical_of
from engine.ideas.wear import HALVED_EVERY, HeardFigures, Wear, figures_of, freshness
from engine.score.phrase import NOTE
from tests.generators.asking import made, phrase, request, same_notes

NOTHING = np.zeros(0, NOTE)
notes_of = st.lists(
    st.tuples(st.floats(0, 15.9), st.floats(0.05, 9), st.integers(0, 127), st.integers(1, 127)), max_size=12
).map(lambda rows: np.array(sorted((a, a + b, c, d) for a, b, c, d in rows), NOTE))
CHORDS = made("chord_walk", seed=3)
DRUMS = phrase([(step / 4, step / 4 + 0.2, 36, 90) for step in (0, 6, 10, 16, 22, 26, 32, 48)])


@cache
def stand(kind="melody_rnn"):
    asked = request(kind, bar=12, chords=CHORDS, rhythm=DRUMS, history=made("melody_rules", seed=1))
    worn = Wear().hearing([HeardFigures(1, kind, figures_of(DRUMS.notes, True))]).at(1).of(kind)
    asked = replace(asked, worn=worn)
    span = None if kind == "drums_rnn" else asked.settings.range
    return Stand(asked, asked, 0.0, span, made("melody_rules", seed=2), Typical(2.0, 0.5))


def only(quality, *candidates, where=None):
    """Which candidate is taken where one quality alone counts."""
    taste = Taste(**{name: float(name == quality) for name in QUALITIES})
    return chosen(candidates, [0.0] * len(candidates), taste, where or stand()).place


def one(*notes, **how):
    rows = np.array([(start, end, pitch, 80) for start, end, pitch in notes], NOTE)
    return PhraseCandidate(rows, rows, **how)


@tried(max_examples=30, deadline=None)
@given(
    found=st.lists(notes_of, min_size=2, max_size=5),
    kind=st.sampled_from(["melody_rnn", "drums_rnn", "polyphony_rnn"]),
    nats=st.floats(allow_nan=False, width=32),
)
def test_scores_are_thousandths_from_0_to_1_whatever_the_phrase(found, kind, nats):
    """Of silence, of one note, of percussion, with nats beyond all measure."""
    candidates = [PhraseCandidate(notes, notes, nats=nats, faults=1e9) for notes in [*found, NOTHING]]
    choice = chosen(candidates, [0.0] * len(candidates), Taste(), stand(kind))
    for score in (*choice.scores, *(value for _, value in choice.qualities)):
        assert 0.0 <= score <= 1.0
        assert score == round(score, 3)
    assert choice.scores[choice.place] == max(choice.scores)
    assert choice.scores.index(max(choice.scores)) == choice.place, "of equal ones the first"


@tried(max_examples=20, deadline=None)
@given(found=st.lists(notes_of, min_size=2, max_size=6), order=st.randoms(use_true_random=False))
def test_the_order_of_candidates_decides_between_equal_ones_alone(found, order):
    candidates = [PhraseCandidate(notes, notes, nats=float(len(notes))) for notes in found]
    shuffled = list(candidates)
    order.shuffle(shuffled)
    nothing = [0.0] * len(candidates)
    choices = [chosen(several, nothing, Taste(), stand()) for several in (candidates, shuffled)]
    assert sorted(choices[0].scores) == sorted(choices[1].scores)
    assert max(choices[0].scores) == choices[1].scores[choices[1].place]


def test_doubt_comes_before_taste_and_what_cannot_be_played_never_comes():
    song = [one((0, 4, 62)), one((0, 4, 65)), one((0, 4, 69))]
    tastes = [Taste(harmony=9.0), Taste(harmony=0.0, novelty=9.0)]
    assert [chosen(song, [0.2, 0.1, float("inf")], taste, stand()).place for taste in tastes] == [1, 1]


def test_each_quality_prefers_what_it_is_there_for():
    chord = CHORDS.chords[0].chord
    tone, clash = 60 + chord.root, 61 + chord.root
    calm = replace(stand(), request=replace(stand().request, sources={Link.CHORDS: replace(CHORDS, notes=NOTHING)}))
    assert only("harmony", one((0, 2, clash)), one((0, 2, tone)), where=calm) == 1
    assert only("harmony", one((0, 2, tone), snapped=1), one((0, 2, tone)), where=calm) == 1
    assert only("tessitura", one((0, 2, 57)), one((0, 2, 70))) == 1
    assert only("typical", one((0, 2, 62), nats=0.1), one((0, 2, 62), nats=2.1), one((0, 2, 62), nats=9.0)) == 1
    last = int(stand().request.history.notes["pitch"][-1])
    assert only("leading", one((0, 2, last + 11)), one((0, 2, last - 1))) == 1
    leaps, steps = (one(*((beat, beat + 1, 60 + gap * (beat % 3)) for beat in range(8))) for gap in (5, 1))
    assert only("conjunct", leaps, steps) == 1
    with_it, beside = (one(*((step / 4, step / 4 + 0.2, 60) for step in steps)) for steps in ((0, 6, 16), (1, 6, 17)))
    assert only("rhythm", beside, with_it) == 1
    idea = stand().idea.notes
    assert only("kinship", one((0, 1, 60), (1, 2, 60), (2, 3, 60)), PhraseCandidate(idea, idea)) == 1


def test_a_period_closes_by_itself_where_a_cadence_is_due():
    asked = replace(stand().request, place=replace(stand().request.place, cadences=((4, Cadence.HALF),)))
    tonic, fifth = asked.key.tonic + 60, asked.key.tonic + 67
    home, away = one((0, 1, 70), (12, 16, tonic)), one((0, 1, 70), (12, 16, fifth))
    assert only("cadence", home, away, where=replace(stand(), request=asked)) == 1
    assert only("cadence", away, home) == 1, "the section ends here, so it comes home"


def test_drums_that_turn_around_close_a_period_rather_than_such_as_go_on():
    groove = [(bar * 4 + step, bar * 4 + step + 0.2, 36) for bar in range(4) for step in (0, 1.5, 2.5)]
    fill = [(12 + step / 4, 12.2 + step / 4, 45) for step in (8, 10, 12, 13, 14, 15)]
    on, turned = one(*groove), one(*groove[:9], *fill)
    restless = one(*((step, step + 0.2, 36) for step in range(0, 16, 3)))
    closing, going_on = (replace(stand("drums_rnn"), request=request("drums_rnn", bar=bar)) for bar in (12, 0))
    assert only("cadence", on, restless, turned, where=closing) == 2
    assert only("cadence", on, turned, where=going_on) == 0, "no period closes here"


def test_of_a_choir_counterpoint_counts_before_all_else():
    clean = replace(one((0, 2, 60), nats=9.0), faults=0.0)
    typical = replace(one((0, 2, 60), nats=2.0), faults=1.5)
    where = replace(stand(), counterpoint=True)
    assert chosen([typical, clean], [0.0, 0.0], ChoirTaste(), where).place == 1


@pytest.mark.parametrize("drums", [True, False])
def test_what_was_heard_often_is_less_new_and_becomes_new_again_with_the_hours(drums):
    heard, other = (made("drum_rules" if drums else "melody_rules", seed=seed).notes for seed in (1, 2))
    wear = Wear()
    for bar in range(1, 60):
        wear = wear.hearing([HeardFigures(bar, "p", figures_of(heard, drums))]).at(bar)
    assert freshness(wear.of("p"), heard, drums) < 0.5
    assert freshness(wear.of("p"), heard, drums) < freshness(wear.of("p"), other, drums)
    later = [freshness(wear.at(bar * HALVED_EVERY).of("p"), heard, drums) for bar in (1, 3, 20)]
    assert later == sorted(later)
    assert later[-1] == 1.0
    assert wear.at(20 * HALVED_EVERY).tables == ()


@pytest.mark.skipif(find("weights", "attention_rnn", ".safetensors") is None, reason="no weights are shipped")
def test_a_phrase_says_which_of_how_many_was_taken_and_why():
    """With the network that is shipped: the same request, the same choice; one alone is not chosen."""
    asked = request("melody_rnn", bar=4, bars=2, chords=CHORDS.slice(0, 8), settings={"candidates": 3})
    (first, _), (again, _) = (make_phrase("melody_rnn", asked, {}) for _ in range(2))
    assert same_notes(first, again)
    assert first.provenance == again.provenance
    told = first.provenance
    assert len(told.scores) == 3
    assert told.scores[told.chosen] == max(told.scores)
    assert {"harmony", "tessitura"} <= {name for name, _ in told.qualities}
    alone, _ = make_phrase("melody_rnn", request("melody_rnn", bar=4, bars=2, settings={"candidates": 1}), {})
    assert alone.provenance.scores == ()


def test_what_is_typical_is_read_off_the_card():
    weights = find("weights", "drum_kit", ".safetensors")
    typical = typical_of(weights)
    assert typical is not None
    assert typical.likeness(typical.median) == 1.0
    assert typical.likeness(typical.median + typical.spread) == pytest.approx(0.5)
    assert typical.likeness(float("inf")) == typical.likeness(float("nan")) == 0.0
    assert typical_of(None) is None
