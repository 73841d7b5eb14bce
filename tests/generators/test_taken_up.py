"""Generators take ideas up: rules state them, networks are led by them, and the provenance says so."""

from dataclasses import replace

import numpy as np
import pytest

from engine.generators import chain
from engine.generators.contract import Link
from engine.generators.neural import monophonic
from engine.generators.neural.vae.music_vae import MusicVaeGenerator
from engine.ideas.idea import Idea, IdeaKind, TakenUp, Variation
from engine.networks.sphere import slerp
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Origin
from engine.score.piece import Piece, Track
from tests.generators.asking import GIVEN, made, phrase, pitches, request
from tests.generators.neural.test_monophonic import GROOVE, Parrot
from tests.ideas.making import idea, intervals

TUNE = (62, 65, 64, 62, 69, 67, 65, 64)
"""A bar and a half of D dorian in quarters and eighths."""


def tune(key="D dorian", bars=2):
    return idea(TUNE, key=key, bars=bars)


def taking(kind, taken, **how):
    return replace(request(kind, bars=4, bar=0, **how), taken=taken)


@pytest.mark.parametrize("key", ["D dorian", "A dorian", "C major"])
def test_melody_rules_state_the_idea_interval_for_interval_and_go_on(key):
    asked = taking("melody_rules", TakenUp(tune()), key=key, settings={"range": "C4..C6", "breath": "0 %"})
    found, _ = chain.make_phrase("melody_rules", asked, {})
    head = found.slice(0.0, 8.0).notes
    assert intervals(head) == np.diff(TUNE).tolist()
    assert len(found.slice(12.0, 16.0).notes)
    assert (found.provenance.theme, found.provenance.variation) == ("A", "exact")
    assert found.provenance.idea == tune().digest


def test_a_stand_in_states_the_same_idea():
    asked = taking("melody_rnn", TakenUp(tune(), Variation.TRANSPOSED), settings={"range": "C4..C6"})
    raw, _ = chain.stand_in(asked, "late")
    assert raw.provenance.origin is Origin.FALLBACK
    assert raw.provenance.theme == "A"
    assert intervals(raw.slice(0.0, 7.0).notes) == np.diff(TUNE).tolist()[:-1]  # the last may have to close


def test_a_phrase_that_takes_nothing_up_says_nothing():
    made_by = made("melody_rules").provenance
    assert (made_by.theme, made_by.variation, made_by.idea) == ("", "", "")


@pytest.fixture
def parrot(monkeypatch):
    def install(config, *songs):
        bird = Parrot(config, *songs)
        monkeypatch.setattr(monophonic, "rnn_of", lambda *how: bird)
        return bird

    return install


AKIN = [62, -2, -2, -2, 65, -2, -2, -2, 64, -2, -2, -2, 62, -2, -2, -2]
FOREIGN = [62, -2, 74, -2, 60, 62, -2, -2, -2, -2, 71, -2, 69, -2, -1, -2]


@pytest.mark.parametrize("songs", [(FOREIGN, FOREIGN, AKIN, FOREIGN), (FOREIGN, AKIN, FOREIGN, FOREIGN)])
def test_a_network_is_primed_with_the_idea_goes_on_from_it_and_the_candidate_most_akin_is_played(parrot, songs):
    bird = parrot("attention_rnn", FOREIGN, *songs)
    bird.asked.append(None)  # so that the first question is answered with all of them
    asked = taking("melody_rnn", TakenUp(tune()), settings={"range": "C4..C6", "breath": "0 %"}, section_bars=64)
    found, _ = chain.make_phrase("melody_rnn", asked, {})
    passage = bird.asked[1].passage
    assert passage.notes["pitch"].tolist() == list(TUNE)
    assert bird.asked[1].beats == 8.0
    assert intervals(found.slice(0.0, 8.0).notes) == np.diff(TUNE).tolist()
    assert [pitch % 12 for pitch in pitches(found.slice(8.0, 12.0))] == [62 % 12, 65 % 12, 64 % 12, 62 % 12]
    assert found.provenance.origin is Origin.NETWORK
    assert found.provenance.theme == "A"


def test_the_same_idea_goes_on_in_the_same_way_and_one_that_is_varied_far_does_not(parrot):
    chances = {}
    for variation in (Variation.EXACT, Variation.INVERTED):
        for seed in (1, 2):
            bird = parrot("attention_rnn", AKIN)
            asked = taking("melody_rnn", TakenUp(tune(), variation, 0.5), seed=seed, settings={"range": "C4..C6"})
            chain.make_phrase("melody_rnn", asked, {})
            chances[variation, seed] = bird.asked[0].chance
    assert chances[Variation.EXACT, 1] == chances[Variation.EXACT, 2]
    assert chances[Variation.INVERTED, 1] != chances[Variation.INVERTED, 2]


def test_drums_go_on_from_the_groove_and_what_is_most_like_it_is_played(parrot):
    groove = Parrot("drum_kit").encoding.to_notes(GROOVE)
    other = [0b1, 0, 0, 0b1000, 0, 0b10, 0, 0b1, 0b1000, 0, 0b10, 0, 0, 0, 0b1, 0b10]
    bird = parrot("drum_kit", other, other, other, GROOVE, other)
    bird.asked.append(None)
    known = Idea(IdeaKind.GROOVE, "A", "drums", 0, Key(), 4.0, phrase(groove, beats=4.0))
    found, _ = chain.make_phrase("drums_rnn", taking("drums_rnn", TakenUp(known)), {})
    assert bird.asked[1].passage.length == 4.0
    steps = {round(start * 4) for start in found.slice(0.0, 4.0).notes["start"].tolist()}
    assert steps == {step for step, drums in enumerate(GROOVE) if drums}


def test_a_walk_plays_the_progression_in_the_key_of_the_moment():
    chords = [Chord(0, ""), Chord(9, "m"), Chord(5, ""), Chord(7, "")]
    spans = [ChordSpan(place * 4.0, place * 4.0 + 4.0, chord) for place, chord in enumerate(chords)]
    known = Idea(IdeaKind.PROGRESSION, "A", "pad", 0, Key.parse("C major"), 4.0, phrase((), 16.0, spans))
    found, _ = chain.make_phrase("chord_walk", taking("chord_walk", TakenUp(known), key="D major"), {})
    assert [span.chord.name for span in found.chords] == ["D", "Bm", "G", "A"]
    assert found.provenance.theme == "A"


def music_vae(**how):
    asked = taking("music_vae", how.pop("taken"), settings={"config": "cat-mel_2bar_small", "range": "C4..C6"}, **how)
    return MusicVaeGenerator(asked.settings), asked


def heard_by(generator, notes):
    converter = generator.network.config.make_converter()
    return generator.network.encode(converter.window(Piece((Track(notes),))).inputs[None])[0][0]


def test_music_vae_plays_where_the_idea_lies_and_on_the_way_to_another():
    one, other = tune(), idea((74, 72, 71, 69, 67, 65, 64, 62), theme="B", key="D dorian", bars=2)
    generator, asked = music_vae(taken=TakenUp(one))
    here, there = heard_by(generator, one.phrase.notes), heard_by(generator, other.phrase.notes)
    at = generator._led(asked, asked.settings)
    assert np.allclose(at(0), here, atol=1e-5)
    _, asked = music_vae(taken=TakenUp(one, Variation.TOWARDS, 0.6, other))
    assert np.allclose(generator._led(asked, asked.settings)(0), slerp(here, there, 0.3), atol=1e-4)


def test_music_vae_comes_back_to_an_idea_note_for_note_in_every_key_that_shares_its_intervals():
    chords = phrase((), 16.0, [ChordSpan(0.0, 16.0, Chord(2, "m"))])
    found = {}
    for key, seed, bar in (("D dorian", 1, 0), ("D dorian", 2, 8), ("E dorian", 3, 8)):
        generator, asked = music_vae(taken=TakenUp(tune()), key=key, seed=seed)
        asked = replace(asked, place=replace(asked.place, bar=bar, section_bars=64), theme=7)
        sources = {Link.CHORDS: chords} if key == "D dorian" else {}
        found[key, seed] = generator.generate(replace(asked, sources=sources))
    first, again, higher = found.values()
    assert pitches(first) == pitches(again)
    assert intervals(first.slice(0.0, 12.0).notes) == intervals(higher.slice(0.0, 12.0).notes)
    assert first.provenance.theme == "A"
    assert first.provenance.origin is GIVEN.origin or first.provenance.origin is Origin.NETWORK
