"""Facts about the network that ships: its file, places, ways between them, and its twin in Keras."""

import json
import time

import numpy as np
import pytest
from safetensors.numpy import load, save

from engine.errors import PerpetuumError
from engine.timbres.neural.banks import bank_pitches, neural_instrument, play, raw_notes
from engine.timbres.neural.layout import (
    BANDS,
    FLUTTER_BANDS,
    MOMENTS,
    PARTIALS,
    PITCH_FEATURES,
    RATE,
    Envelopes,
    pitch_features,
)
from engine.timbres.neural.network import LATENT, PLACE, Sizes
from engine.timbres.neural.places import between, drawn_place, load_place, save_place
from engine.timbres.neural.tone import LOUDEST, TONE
from engine.timbres.neural.weights import SHIPPED, load_network, read_network
from engine.timbres.samples.instrument import About
from engine.timbres.samples.pitch import track_pitch


@pytest.fixture(scope="module")
def network():
    return load_network()


def test_the_file_is_small_and_its_card_says_where_it_is_from():
    card, _ = read_network(SHIPPED)
    assert SHIPPED.stat().st_size < 15_000_000
    assert card.licence == "MIT"
    assert "Frank Wen" in card.credits[0]
    assert card.trained["notes"] > 2000


@pytest.mark.parametrize("seed", range(4))
def test_a_place_that_is_drawn_sounds_at_its_pitch(network, seed):
    sound = play(network, drawn_place(seed), 57)
    assert np.isfinite(sound).all()
    assert sound.std() > 1e-3
    heard = track_pitch(sound, RATE, 57)
    assert heard is not None
    if heard.clear:
        assert heard.pitch == pytest.approx(57, abs=0.2)


def test_what_the_network_made_is_found_where_it_was_made(network):
    place = 0.7 * drawn_place(11)
    found = network.encode(network.decode(place[None], [60]), [60])[0]
    assert np.corrcoef(found[:LATENT], place[:LATENT])[0, 1] > 0.9
    assert np.abs(found[LATENT:]).max() < 3.0


def test_a_way_is_even_and_ends_where_it_should(network):
    ends = [drawn_place(1), drawn_place(2), drawn_place(3)]
    way = [between(ends, share) for share in np.linspace(0, 1, 41)]
    assert np.allclose(way[0], ends[0])
    assert np.allclose(way[20], ends[1])
    assert np.allclose(way[40], ends[2])
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.max() < 2 * steps.mean()
    opposite = between([ends[0], -ends[0]], 0.5)
    assert np.linalg.norm(opposite) == pytest.approx(np.linalg.norm(ends[0]))


def test_an_instrument_is_made_of_notes_at_two_velocities(network):
    made, judged = neural_instrument(raw_notes(network, drawn_place(7), bank_pitches(48, 60, 6)), About("t"))
    assert len(judged) == 6
    kept = made.document["samples"]
    assert len(kept) == sum(one.zone is not None for one in judged)
    assert {one.get("low", 1) for one in kept} == {1, 64}


def test_an_instrument_of_notes_that_are_no_sound_is_refused(network):
    class Broken(type(network)):
        def __init__(self):
            pass

        def decode(self, places, pitches):
            found = network.decode(places, pitches)
            for one in found:
                one.partials[:], one.noise[:] = -90, -90
            return found

    with pytest.raises(PerpetuumError, match="silent"):
        neural_instrument(raw_notes(Broken(), drawn_place(1), [60, 66]), About("t"))


@pytest.mark.models
@pytest.mark.xdist_group("tensorflow")
def test_its_twin_in_keras_says_the_same(network):
    from engine.training.timbre.keras_timbre import TimbreVae

    weights = read_network(SHIPPED)[1]
    model = TimbreVae(Sizes(*weights["decoder/out/kernel"].shape[::-1]), weights["scale"], 20.0, 1.0, 0)
    model.take(weights)
    places, pitches = np.stack([drawn_place(seed) for seed in range(5)]), [30, 48, 60, 61, 90]
    inner = (places[:, :LATENT] @ weights["frame"] + weights["home"]).astype(np.float32)
    features = pitch_features(np.array(pitches, np.float64))
    theirs = np.asarray(model.decoder(np.concatenate([inner, features], axis=1)))
    ours = network.components(places, pitches)
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    said = np.asarray(model.encoder(np.concatenate([theirs, features], axis=1)))[:, :LATENT]
    back = (said - weights["home"]) @ np.linalg.inv(weights["frame"].astype(np.float64))
    assert np.abs(network.guessed(theirs, pitches) - back).max() < 1e-3
    assert features.shape == (5, PITCH_FEATURES)


def test_a_note_is_made_faster_than_it_sounds(network):
    play(network, drawn_place(0), 60)
    begun = time.process_time()
    play(network, drawn_place(1), 60)
    # By measurement a hundred times; the bound only says that nothing became slow by orders.
    assert time.process_time() - begun < 3.0


def broken(path, change):
    data = SHIPPED.read_bytes()
    tensors = load(data)
    size = int.from_bytes(data[:8], "little")
    meta = json.loads(data[8 : 8 + size])["__metadata__"]
    tensors, meta = change(tensors, meta) or (tensors, meta)
    path.write_bytes(save(tensors, meta))
    return path


CHANGES = {
    "no card": lambda tensors, meta: (tensors, {}),
    "card of another kind": lambda tensors, meta: (tensors, {"card": "[1]"}),
    "deep card": lambda tensors, meta: (tensors, {"card": "[" * 100_000}),
    "weight missing": lambda tensors, meta: tensors.pop("encoder/out/bias") is None,
    "weight of another shape": lambda tensors, meta: tensors.update(home=np.zeros(3, np.float32)),
    "no number": lambda tensors, meta: tensors.update(home=np.full(LATENT, np.nan, np.float32)),
    "of whole numbers": lambda tensors, meta: tensors.update(home=np.zeros(LATENT, np.int64)),
    "flat": lambda tensors, meta: tensors.update(frame=np.zeros((LATENT, LATENT), np.float32)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_that_is_no_network_is_refused(tmp_path, name):
    def change(tensors, meta):
        found = CHANGES[name](tensors, meta)
        return found if isinstance(found, tuple) else None

    with pytest.raises(PerpetuumError):
        read_network(broken(tmp_path / "x.safetensors", change))


@pytest.mark.parametrize("data", [b"", b"\xff" * 64, b"{}" * 99, None])
def test_bytes_that_are_no_network_are_refused(tmp_path, data):
    path = tmp_path / "x.safetensors"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(PerpetuumError):
        read_network(path)


def test_a_place_is_kept_in_a_file(tmp_path):
    save_place(tmp_path / "a.timbre.json", drawn_place(5), 60, "bell.wav")
    assert np.allclose(load_place(tmp_path / "a.timbre.json"), drawn_place(5), atol=1e-6)


def test_a_place_of_a_newer_version_is_refused_and_says_why(tmp_path):
    save_place(tmp_path / "a.timbre.json", drawn_place(5), 60, "bell.wav")
    kept = json.loads((tmp_path / "a.timbre.json").read_text())
    (tmp_path / "a.timbre.json").write_text(json.dumps(kept | {"perpetuum_timbre": 3}))
    with pytest.raises(PerpetuumError, match="newer perpetuum"):
        load_place(tmp_path / "a.timbre.json")


def test_a_place_of_the_first_version_has_no_tone(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"perpetuum_timbre": 1, "place": [0.5] * LATENT}))
    assert np.array_equal(load_place(tmp_path / "a.json"), [0.5] * LATENT + [0.0] * TONE)


def test_a_recording_of_odd_partials_comes_back_by_its_tone(network):
    """A hollow sound with a hole that no instrument has: without a tone of its own it is another one."""
    partials = np.full((len(MOMENTS), PARTIALS), -90.0, np.float32)
    partials[:, :8] = [-3, -60, -6, -60, -30, -4, -60, -8]
    nothing = np.full((len(MOMENTS), BANDS), -90.0, np.float32)
    note = Envelopes(partials, nothing, np.zeros(FLUTTER_BANDS, np.float32), 0.0, 0.0)

    def away(toned):
        back = network.decode(network.encode([note], [60], toned=toned), [60])[0].partials
        return np.abs(np.maximum(back, -60) - np.maximum(partials, -60))[10:, :8].mean()

    assert away(True) < 0.5 * away(False)


def test_tones_mean_the_same_at_every_pitch_and_are_mixed_on_a_way(network):
    bright = drawn_place(1) + np.eye(PLACE)[LATENT + 2] * 6.0
    for pitch in (40, 80):
        plain, other = network.decode(np.stack([drawn_place(1), bright]), [pitch] * 2)
        added = other.partials - plain.partials
        heard = (plain.partials > -60) & (plain.partials < -6)
        assert np.allclose(added[:, 2][heard[:, 2]], 6.0, atol=1e-3)
        assert np.allclose(np.delete(added, 2, axis=1), 0.0, atol=1e-4)
    assert between([drawn_place(1), bright], 0.25)[LATENT + 2] == pytest.approx(1.5)


BAD = ["", "[1]", "{}", '{"place": [1]}', '{"place": [true' + ", 1" * 15 + "]}", "[" * 9999, '{"place": "1"}']
BAD += [json.dumps({"place": [10**400] * LATENT}), '{"place": [NaN' + ", 1" * 15 + "]}"]


@pytest.mark.parametrize("text", BAD)
def test_a_file_that_holds_no_place_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(PerpetuumError):
        load_place(tmp_path / "a.json")


def test_a_place_out_of_all_bounds_is_brought_near(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"place": [1e5] * LATENT}))
    assert np.linalg.norm(load_place(tmp_path / "a.json")) == pytest.approx(12)
    (tmp_path / "a.json").write_text(json.dumps({"place": [0.0] * LATENT + [-1e5] * TONE}))
    assert np.array_equal(load_place(tmp_path / "a.json")[LATENT:], [-LOUDEST] * TONE)
