"""Facts about drums played with feel, and drums to a rhythm; with made-up networks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.networks import CONFIGS, build_network, load_network
from engine.networks.card import read_weights
from engine.networks.studio.grooving import drumify_piece, groove_piece
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.score.phrase import NOTE
from engine.score.piece import Piece, Track
from engine.score.time import Meter
from tests.cli.weights import made_up


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return lambda config: load_network(made_up(folder, config))


def beat(bars, steps_per_bar=16):
    """A stiff rock beat, a crash at its beginning, and two pitches that are no drums of the network."""
    rows = []
    for step in range(bars * steps_per_bar):
        pitches = [42] * (step % 2 == 0) + [36] * (step % 8 == 0) + [38] * (step % 8 == 4) + [49] * (step == 0)
        rows += [(step / 4, step / 4 + 0.2, pitch, 100) for pitch in [*pitches, *[3] * (step == 6)]]
    return np.array(rows, NOTE)


TUNE = Track(np.array([(0, 1, 60, 80), (1.5, 2, 64, 80), (4, 5, 67, 80)], NOTE), "Tune")


def song(bars=5, meter=None):
    meter = meter or Meter()
    return Piece((TUNE, Track(beat(bars, meter.steps_per_bar), "Kit", is_drum=True)), 97.0, meter)


def same_strokes(one, other):
    """The notes of `other` in the order of those of `one`, if these are the same strokes, moved by less than half a
    step."""
    found = []
    rest = list(range(len(other)))
    for note in one:
        match = next(
            place
            for place in rest
            if other[place]["pitch"] == note["pitch"] and abs(other[place]["start"] - note["start"]) <= 0.125 + 1e-9
        )
        rest.remove(match)
        found.append(match)
    assert not rest
    return other[found]


PLAYED_WITH_FEEL = ("groovae_2bar_humanize", HUMANIZE_TEMPO, "groovae_4bar", "groovae_2bar_hits_control_tfds")


@pytest.mark.parametrize("config", PLAYED_WITH_FEEL)
def test_every_stroke_stays_and_only_its_loudness_and_place_within_the_step_change(network, config):
    piece = song()
    made = groove_piece(network(config), piece, np.random.default_rng(1)).piece
    before, after = piece.tracks[1].notes, made.tracks[1].notes
    after = same_strokes(before, after)
    known = before["pitch"] != 3
    assert (after["start"][known] != before["start"][known]).mean() > 0.9
    assert (after["velocity"][known] != before["velocity"][known]).mean() > 0.9
    np.testing.assert_array_equal(after[~known], before[~known])
    np.testing.assert_allclose(after["end"] - after["start"], before["end"] - before["start"])
    assert (after["start"] >= 0).all()


def test_a_network_that_is_told_the_tempo_plays_otherwise_where_it_is_another(network):
    groovae, piece = network(HUMANIZE_TEMPO), song()
    begins = piece.meter.beats_per_bar

    def feel(**tempo):
        return groove_piece(groovae, replace(piece, **tempo), np.random.default_rng(1)).piece.tracks[1].notes["start"]

    slow, fast, slower = feel(qpm=60.0), feel(qpm=180.0), feel(qpm=180.0, tempos=((0.0, 180.0), (begins, 60.0)))
    assert (slow != fast).any()
    early = piece.tracks[1].notes["start"] < begins - 0.2
    np.testing.assert_array_equal(slower[early], fast[early])
    assert (slower != fast).any()
    deaf = network("groovae_2bar_humanize")
    np.testing.assert_array_equal(
        *(
            groove_piece(deaf, replace(piece, qpm=qpm), np.random.default_rng(1)).piece.tracks[1].notes["start"]
            for qpm in (60.0, 180.0)
        )
    )


def test_other_tracks_tempo_and_meter_stay(network):
    piece = song()
    made = groove_piece(network("groovae_2bar_humanize"), piece, np.random.default_rng(1)).piece
    assert made.tracks[0] is TUNE
    assert replace(made, tracks=piece.tracks) == piece


@pytest.mark.parametrize("meter", ["3/4", "6/8", "5/4", "9/4"])
def test_other_meters_are_grooved_bar_by_bar(network, meter):
    piece = song(3, Meter.parse(meter))
    made = groove_piece(network("groovae_2bar_humanize"), piece, np.random.default_rng(1)).piece
    same_strokes(piece.tracks[1].notes, made.tracks[1].notes)


def test_a_bar_is_played_straight_after_the_bar_before_it(network):
    """What stands in bars 1 and 2 decides on bar 2; what comes later does not."""
    groovae = network("groovae_2bar_humanize")
    long, short = song(6), song(2)
    first, second = (
        groove_piece(groovae, piece, np.random.default_rng(1)).piece.tracks[1].notes for piece in (long, short)
    )
    np.testing.assert_array_equal(first[: len(second)], second)


def test_strokes_that_share_a_step_stay_in_their_order(network):
    flam = np.array([(1.0, 1.1, 38, 60), (1.05, 1.2, 38, 100), (2, 2.2, 36, 90)], NOTE)
    made = groove_piece(
        network("groovae_2bar_humanize"), Piece((Track(flam, is_drum=True),)), np.random.default_rng(1)
    ).piece.tracks[0].notes  # fmt: skip
    assert made["start"][1] - made["start"][0] == pytest.approx(0.05)
    assert made["velocity"][0] <= made["velocity"][1]


def kit(*rows, name="Kit", drum=True):
    """A track of strokes (start, pitch) or (start, pitch, velocity), a 32nd each."""
    strokes = sorted((row[0], row[0] + 0.125, row[1], row[2] if len(row) > 2 else 90) for row in rows)
    return Track(np.array(strokes, NOTE), name, is_drum=drum)


def played_by(network, track, config="groovae_2bar_humanize", **facts):
    made = groove_piece(network(config), Piece((track,), **facts), np.random.default_rng(1), temperature=1.5)
    return made.piece.tracks[0].notes


def by_pitch(notes):
    """The starts of each pitch, in order: an order of strokes that is known without knowing who moved them."""
    return {pitch: np.sort(notes["start"][notes["pitch"] == pitch]) for pitch in set(notes["pitch"].tolist())}


@pytest.mark.parametrize("begin", [0.0, 0.125, 1.0, 2.375])
@pytest.mark.parametrize("gap", [1 / 8, 1 / 6, 1 / 12])
def test_rolls_keep_their_distances(network, begin, gap):
    track = kit(*((begin + gap * number, 38) for number in range(40)))
    heard = played_by(network, track)
    np.testing.assert_allclose(np.diff(heard["start"]), gap, atol=1e-9)
    assert heard["velocity"].tolist() != track.notes["velocity"].tolist()


def test_32nds_between_the_strokes_of_another_drum_stay_between_them(network):
    heard = played_by(network, kit(*((step / 8, 38 if step % 2 else 45) for step in range(64))))
    assert heard["pitch"].tolist() == [45, 38] * 32


def test_triplets_stay_triplets(network):
    """They would be sixteenths, if a stroke on no sixteenth were pulled to the nearest."""
    written = np.arange(24) / 3
    heard = played_by(network, kit(*((start, 42) for start in written)))
    assert np.abs(heard["start"] - written).max() < 1 / 6
    late = np.abs(heard["start"] * 4 - np.rint(heard["start"] * 4))
    assert np.median(late) > 0.1


def test_of_strokes_that_share_a_step_the_nearest_one_is_put_where_the_network_wants_it(tmp_path):
    """A network of which each answer is known: a quarter of a step late, velocity 64."""
    _, weights = read_weights(made_up(tmp_path, "groovae_2bar_humanize"))
    weights["decoder/output_projection/kernel"][:] = 0
    weights["decoder/output_projection/bias"][9:18] = 0
    weights["decoder/output_projection/bias"][18:] = np.arctanh(-0.5)
    late = build_network(CONFIGS["groovae_2bar_humanize"], weights)
    flam = kit((0.9, 38, 50), (1.02, 38, 100), (3.0, 36, 90))
    heard = groove_piece(late, Piece((flam,)), np.random.default_rng(1)).piece.tracks[0].notes
    np.testing.assert_allclose(heard["start"], [1.0625 - 0.12, 1.0625, 3.0625], atol=1e-6)
    assert heard["velocity"].tolist() == [32, 64, 64]


@given(
    rows=st.lists(st.tuples(st.floats(0, 15.99), st.sampled_from([36, 38, 40, 42, 46, 49])), min_size=1, max_size=40),
    changed=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_whatever_is_struck_is_struck_once_and_in_its_order(network, rows, changed):
    """No stroke is lost, invented, or put before one of its own drum that came before it."""
    facts = {"meters": ((0.0, Meter()), (5.0, Meter(3, 4))), "tempos": ((0.0, 120.0), (5.0, 90.0))} if changed else {}
    rows = [(start, pitch, 1 + number) for number, (start, pitch) in enumerate(sorted(rows))]
    before, after = by_pitch(kit(*rows).notes), by_pitch(played_by(network, kit(*rows), **facts))
    assert {pitch: len(starts) for pitch, starts in before.items()} == {k: len(v) for k, v in after.items()}
    assert all(np.abs(after[pitch] - starts).max() <= 0.21 for pitch, starts in before.items())


def test_a_long_rest_costs_no_time(network):
    heard = played_by(network, kit((0.0, 36), (40_000.0, 38)))
    assert np.rint(heard["start"] * 4).tolist() == [0, 160_000]


def test_bars_are_counted_anew_where_the_meter_changes(network):
    """A pickup of a beat is played as it is alone, and what follows as if the piece began there."""
    pickup, rest = [(0.5, 38), (0.75, 38)], [(1 + row["start"], int(row["pitch"])) for row in beat(4)]
    groovae = network("groovae_2bar_humanize")
    meters = ((0.0, Meter(1, 4)), (1.0, Meter()))
    whole, alone = (
        groove_piece(groovae, piece, np.random.default_rng(1)).piece.tracks[0].notes
        for piece in (
            Piece((kit(*pickup, *rest),), meter=Meter(1, 4), meters=meters),
            Piece((kit(*((start - 1, pitch) for start, pitch in rest)),)),
        )
    )
    later = whole[whole["start"] > 2]
    np.testing.assert_allclose(later["start"] - 1, alone["start"][-len(later) :], atol=1e-6)


def test_a_clip_of_a_kit_on_another_channel_is_drums_and_that_is_said(network):
    clip = kit(*((step / 2, 36 + 2 * (step % 2)) for step in range(8)), drum=False)
    made = groove_piece(network("groovae_2bar_humanize"), Piece((clip,)), np.random.default_rng(1))
    assert made.remarks == ("track 1 (Kit) is no drum track; its notes are heard as drums",)
    assert len(made.piece.tracks[0].notes) == 8
    assert not made.piece.tracks[0].is_drum


def test_without_a_temperature_chance_is_not_asked_and_with_one_each_seed_is_another(network):
    groovae, piece = network("groovae_2bar_humanize"), song(2)

    def played(seed, temperature):
        made = groove_piece(groovae, piece, np.random.default_rng(seed), temperature=temperature).piece
        return made.tracks[1].notes.tobytes()

    assert played(1, None) == played(2, None)
    assert played(1, 1.0) == played(1, 1.0) != played(2, 1.0)


def test_the_network_that_adds_hats_plays_its_own_and_keeps_the_rest(network):
    piece = song(2)
    made = groove_piece(network("groovae_2bar_add_closed_hh"), piece, np.random.default_rng(1), temperature=2.0)
    before, after = piece.tracks[1].notes, made.piece.tracks[1].notes
    same_strokes(before[before["pitch"] != 42], after[after["pitch"] != 42])
    assert 0 < (after["pitch"] == 42).sum() != (before["pitch"] == 42).sum()


def test_all_drum_tracks_are_grooved_or_the_named_one(network):
    second = Track(beat(1), "Second", is_drum=True)
    piece = replace(song(1), tracks=(*song(1).tracks, second))
    groovae = network("groovae_2bar_humanize")
    made = groove_piece(groovae, piece, np.random.default_rng(1)).piece.tracks
    assert all(
        one.notes.tobytes() != other.notes.tobytes() for one, other in zip(made[1:], piece.tracks[1:], strict=True)
    )
    made = groove_piece(groovae, piece, np.random.default_rng(1), track="second").piece.tracks
    assert made[1] is piece.tracks[1]
    assert made[2].notes.tobytes() != second.notes.tobytes()


def test_a_named_track_that_is_no_drum_track_is_heard_as_drums_and_that_is_said(network):
    made = groove_piece(network("groovae_2bar_humanize"), song(1), np.random.default_rng(1), track="tune")
    assert made.remarks == ("track 1 (Tune) is no drum track; its notes are heard as drums",)


def test_a_piece_without_drums_has_nothing_to_groove(network):
    with pytest.raises(PerpetuumError, match="there are no drums"):
        groove_piece(network("groovae_2bar_humanize"), Piece((TUNE,)), np.random.default_rng(1))


def test_a_rhythm_becomes_drums_in_a_track_of_their_own(network):
    tapped = network("groovae_2bar_tap_fixed_velocity")
    piece = Piece((Track(beat(5), "Piano"), TUNE), 97.0)
    made = drumify_piece(tapped, piece, np.random.default_rng(1), "Piano", temperature=1.5)
    assert made.piece.tracks[:2] == piece.tracks
    drums = made.piece.tracks[2]
    assert drums.is_drum
    assert len(drums.notes) > 0
    assert (drums.notes["start"] >= 0).all()
    # Windows of two bars, over all five.
    assert 16 <= drums.notes["start"].max() < 24
    again = drumify_piece(tapped, piece, np.random.default_rng(1), "Piano", temperature=1.5)
    np.testing.assert_array_equal(again.piece.tracks[2].notes, drums.notes)


def test_the_same_rhythm_is_played_in_the_same_way_again(network):
    tapped = network("groovae_2bar_tap_fixed_velocity")
    made = drumify_piece(tapped, Piece((Track(beat(4), "Piano"),)), np.random.default_rng(1), temperature=1.5)
    notes = made.piece.tracks[-1].notes
    first, second = (notes[np.abs(notes["start"] - middle) < 3] for middle in (4, 12))
    assert len(first) > 0
    np.testing.assert_allclose(second["start"] - 8, first["start"])
    assert second["pitch"].tolist() == first["pitch"].tolist()


def test_the_rhythm_is_that_of_the_tune_unless_told_otherwise(network):
    tapped = network("groovae_2bar_tap_fixed_velocity")
    low = Track(np.array([(step / 4, step / 4 + 0.2, 30, 80) for step in range(32)], NOTE), "Low")
    high = Track(np.array([(step / 2, step / 2 + 0.2, 80, 80) for step in range(16)], NOTE), "High")
    made = drumify_piece(tapped, Piece((low, high)), np.random.default_rng(1), temperature=1.0)
    assert "the rhythm is that of track 2 (High); --track chooses another" in made.remarks
    drums = Piece((Track(beat(2), "Kit", is_drum=True),))
    made = drumify_piece(tapped, drums, np.random.default_rng(1), temperature=1.0)
    assert len(made.piece.tracks) == 1
    assert made.piece.tracks[0].name == "drums"


def test_a_rhythm_in_which_the_network_hears_nothing_is_said(tmp_path):
    _, weights = read_weights(made_up(tmp_path, "groovae_2bar_tap_fixed_velocity"))
    weights["decoder/output_projection/bias"][:9] = -50
    deaf = build_network(CONFIGS["groovae_2bar_tap_fixed_velocity"], weights)
    made = drumify_piece(deaf, Piece((TUNE,)), np.random.default_rng(1))
    assert made.remarks == ("the network hears no drums in this rhythm; with a higher --temperature it tries some",)
    assert len(made.piece.tracks[1].notes) == 0


def test_silent_bars_get_no_drums(network):
    gap = Track(np.array([(0, 1, 60, 80), (24, 25, 60, 80)], NOTE))
    made = drumify_piece(
        network("groovae_2bar_tap_fixed_velocity"), Piece((gap,)), np.random.default_rng(3), temperature=2.0
    )
    starts = made.piece.tracks[1].notes["start"]
    assert not ((starts > 8) & (starts < 23.5)).any()
