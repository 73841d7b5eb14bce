"""Facts about music out of a latent space; with made-up networks."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, build_network, load_network
from engine.networks.card import read_weights
from engine.networks.studio import latent
from engine.networks.studio.latent import interpolate_pieces, joined, sample_piece
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.score.harmony.chords import Chord
from engine.score.phrase import NOTE, ChordSpan
from engine.score.piece import Piece, Track
from engine.score.time import Meter
from tests.cli.weights import made_up

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return lambda config: load_network(made_up(folder, config))


def tune(*pitches, start=0.0, program=0):
    rows = [(start + place / 2, start + (place + 1) / 2, pitch, 80) for place, pitch in enumerate(pitches)]
    return Track(np.array(rows, NOTE), "Tune", program)


UP, DOWN = Piece((tune(*range(60, 76)),), 90.0), Piece((tune(*range(76, 60, -1), start=8.0),), 110.0)
KIT = np.array([(beat / 2, beat / 2 + 0.2, 36 + 2 * (beat % 2), 90) for beat in range(16)], NOTE)


@pytest.mark.parametrize("config", [name for name, one in CONFIGS.items() if one.family in ("music_vae", "groovae")])
def test_every_network_gives_music_that_can_be_played(network, config):
    if config in ("groovae_2bar_hits_control_tfds", HUMANIZE_TEMPO):
        with pytest.raises(PerpetuumError, match="decodes to hits that it is given"):
            sample_piece(network(config), RNG(1), RNG(1))
        return
    made = sample_piece(network(config), RNG(1), RNG(2), temperature=1.5)
    assert made.length == {"1": 64.0, "4": 16.0}.get(config.removeprefix("groovae_").split("_")[-1][:1], 8.0)
    notes = np.concatenate([track.notes for track in made.piece.tracks])
    assert len(notes) > 0
    assert (notes["start"] >= 0).all()
    assert (notes["start"] < made.length).all()
    assert len(made.piece.tracks) == (3 if "trio" in config else 1)


def test_one_point_with_other_chances_is_a_variation(network):
    vae = network("cat-mel_2bar_small")

    def notes(point, chance):
        return sample_piece(vae, RNG(point), RNG(chance), temperature=0.7).piece.tracks[0].notes.tobytes()

    assert notes(1, 1) == notes(1, 1)
    assert notes(1, 1) != notes(1, 2)
    assert notes(1, 1) != notes(2, 1)


def test_chords_change_what_is_played_over_them(network):
    vae = network("cat-mel_2bar_med_chords")
    spans = [(ChordSpan(0, 8, Chord(root)),) for root in (0, 6)]
    made = [sample_piece(vae, RNG(1), RNG(1), None, chords=chords).piece for chords in spans]
    assert made[0].tracks[0].notes.tobytes() != made[1].tracks[0].notes.tobytes()
    assert made[0].chords == spans[0]


def test_the_ends_of_a_way_are_what_the_network_makes_of_the_pieces(network):
    vae = network("cat-mel_2bar_small")
    made = interpolate_pieces(vae, UP, DOWN, 5, RNG(1))
    assert len(made) == 5
    assert [one.piece.qpm for one in made] == [90, 95, 100, 105, 110]
    for end, piece in ((made[0], UP), (made[-1], DOWN)):
        alone = interpolate_pieces(vae, piece, piece, 2, RNG(1))
        assert [one.piece.tracks[0].notes.tobytes() for one in alone] == [end.piece.tracks[0].notes.tobytes()] * 2


def test_what_is_heard_begins_with_the_bar_of_the_first_note(network):
    vae = network("cat-mel_2bar_small")
    early = replace(DOWN, tracks=(tune(*range(76, 60, -1)),))
    ways = [interpolate_pieces(vae, UP, last, 3, RNG(1)) for last in (DOWN, early)]
    assert [one.piece.tracks[0].notes.tobytes() for one in ways[0]] == [
        one.piece.tracks[0].notes.tobytes() for one in ways[1]
    ]


def test_drums_go_to_drums_and_a_trio_to_a_trio(network):
    drums = Piece((Track(KIT, "Kit", is_drum=True),)), Piece((Track(KIT[::2], "Kit", is_drum=True),))
    made = interpolate_pieces(network("cat-drums_2bar_small"), *drums, 3, RNG(1))
    assert all(one.piece.tracks[0].is_drum for one in made)
    trio = Piece((tune(60, 62), tune(36, 38, program=33), Track(KIT, is_drum=True)))
    assert len(interpolate_pieces(network("hierdec-trio_16bar"), trio, trio, 2, RNG(1))[0].piece.tracks) == 3


def test_chords_in_the_files_are_reduced_and_said(network):
    chord = Track(np.array([(0, 2, pitch, 80) for pitch in (60, 64, 67)], NOTE), "Piano")
    made = interpolate_pieces(network("cat-mel_2bar_small"), Piece((chord,)), UP, 2, RNG(1))
    assert made[0].remarks == ("1 chord was reduced to its top note; --voice lowest takes the bottom",)


def test_a_meter_that_the_network_never_heard_is_said(network):
    waltz = Piece(UP.tracks, 90.0, Meter(3, 4))
    made = interpolate_pieces(network("cat-mel_2bar_small"), waltz, UP, 2, RNG(1))
    assert made[0].remarks == ("3/4 is heard as if it were 4/4, the meter of cat-mel_2bar_small",)


def test_pieces_of_another_kind_are_clear_errors(network):
    with pytest.raises(PerpetuumError, match=r"cat-drums_2bar_small \(music_vae\) hears drums: there are no drums"):
        interpolate_pieces(network("cat-drums_2bar_small"), UP, DOWN, 3, RNG(1))
    with pytest.raises(PerpetuumError, match="hears melody, bass and drums, and the file has no notes"):
        interpolate_pieces(network("hierdec-trio_16bar"), Piece(()), UP, 3, RNG(1))


def without_encoder(folder, config):
    _, weights = read_weights(made_up(folder, config))
    decoder = {name: value for name, value in weights.items() if not name.startswith("encoder")}
    return build_network(CONFIGS[config], decoder)


def test_weights_without_an_encoder_are_searched_for_what_says_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(latent, "fit_latent", partial(latent.fit_latent, rounds=30))
    alone = without_encoder(tmp_path, "cat-mel_2bar_small")
    made = interpolate_pieces(alone, UP, DOWN, 2, RNG(1))
    heard = [alone.config.make_converter().window(piece, start).targets[None] for piece, start in ((UP, 0), (DOWN, 8))]
    for one, targets in zip(made, heard, strict=True):
        z, _ = latent.fit_latent(alone, targets)
        expected = alone.config.make_converter().to_tracks(alone.decode(z)[0])
        assert one.piece.tracks[0].notes.tobytes() == expected[0].notes.tobytes()
    assert made[0].piece.tracks[0].notes.tobytes() != made[1].piece.tracks[0].notes.tobytes()


def test_weights_that_can_neither_hear_nor_be_searched_are_a_clear_error(tmp_path):
    with pytest.raises(PerpetuumError, match="hierdec-mel_16bar are a decoder alone, and cannot hear music"):
        interpolate_pieces(without_encoder(tmp_path, "hierdec-mel_16bar"), UP, DOWN, 3, RNG(1))


def test_a_way_in_one_piece_has_a_marker_for_each_step(network):
    made = interpolate_pieces(network("cat-mel_2bar_small"), UP, DOWN, 3, RNG(1))
    whole = joined(made)
    assert whole.length == 24
    assert whole.piece.markers == ((0.0, "1 of 3"), (8.0, "2 of 3"), (16.0, "3 of 3"))
    assert whole.piece.tempos == ((0.0, 90.0), (8.0, 100.0), (16.0, 110.0))
    for number, one in enumerate(made):
        part = whole.piece.cut(8.0 * number, 8.0 * number + 8.0)
        np.testing.assert_array_equal(part.tracks[0].notes, one.piece.tracks[0].notes)


def test_longer_music_is_interpolated_in_windows_side_by_side_that_are_joined(network):
    """The windows of a long way are the ways between the windows, of which the shorter piece's come again."""
    vae = network("cat-mel_2bar_small")
    first, second, other = (tune(*range(base, base + 16)) for base in (50, 60, 70))
    late = replace(second, notes=tune(*range(60, 76), start=8.0).notes)
    long = Piece((replace(first, notes=np.concatenate([first.notes, late.notes])),), 90.0)
    made = interpolate_pieces(vae, long, Piece((other,), 110.0), 3, RNG(1))
    assert [one.length for one in made] == [16.0] * 3
    assert [one.piece.qpm for one in made] == [90, 100, 110]
    said = "cat-mel_2bar_small takes 8 beats at once: 2 windows of 2 bars go side by side, and are joined"
    assert said in made[0].remarks
    assert "the last piece is shorter, and heard from its beginning again" in made[0].remarks
    for place, part in ((0.0, first), (8.0, second)):
        alone = interpolate_pieces(vae, Piece((part,)), Piece((other,)), 3, RNG(1))
        for whole, window in zip(made, alone, strict=True):
            notes = whole.piece.cut(place, place + 8).tracks[0].notes
            np.testing.assert_array_equal(notes, window.piece.tracks[0].notes)


def test_music_out_of_a_networks_range_is_said(network):
    low = Piece((tune(1, 3, 5, 120, 122),))
    with pytest.raises(PerpetuumError, match=r"first piece: no note lies in the range of .* 21 to 108, .* 1 to 122"):
        interpolate_pieces(network("cat-mel_2bar_small"), low, UP, 3, RNG(1))
    partly = Piece((tune(1, 60, 127),))
    made = interpolate_pieces(network("cat-mel_2bar_small"), UP, partly, 2, RNG(1))
    assert "2 notes outside of MIDI pitches 21 to 108 were not heard" in made[0].remarks
    no_drums = Piece((Track(np.array([(0, 1, 3, 90), (1, 2, 120, 90)], NOTE), is_drum=True),))
    with pytest.raises(PerpetuumError, match="knows none of the 2 notes that it hears"):
        interpolate_pieces(network("cat-drums_2bar_small"), no_drums, no_drums, 2, RNG(1))
