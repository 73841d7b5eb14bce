"""Facts about how the timbre network is trained: groups of programs, pairs of notes, and a run that is gone on with."""

import struct
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.timbres.neural.layout import PITCH_FEATURES, SIZE
from engine.timbres.neural.weights import read_network
from engine.training.timbre.batches import Pairs, principal
from engine.training.timbre.notes import AnalysedNotes
from engine.training.timbre.soundfont import groups, read_programs
from engine.training.timbre.train import TimbreRecipe, train_on_notes


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def sound_font(programs):
    """A font without sound, by the SoundFont 2 standard: each (bank, program, samples) has an instrument."""
    phdr, pbag, pgen, inst, ibag, igen = b"", b"", b"", b"", b"", b""
    zones = 0
    for number, (bank, program, samples) in enumerate(programs):
        phdr += struct.pack("<20sHHHIII", f"Preset {number}".encode(), program, bank, number, 0, 0, 0)
        pbag += struct.pack("<HH", number, 0)
        pgen += struct.pack("<HH", 41, number)
        inst += struct.pack("<20sH", b"instrument", zones)
        for sample in samples:
            ibag += struct.pack("<HH", zones, 0)
            igen += struct.pack("<HH", 53, sample)
            zones += 1
    count = len(programs)
    phdr += struct.pack("<20sHHHIII", b"EOP", 0, 0, count, 0, 0, 0)
    pbag += struct.pack("<HH", count, 0)
    inst += struct.pack("<20sH", b"EOI", zones)
    ibag += struct.pack("<HH", zones, 0)
    parts = ((b"phdr", phdr), (b"pbag", pbag), (b"pgen", pgen), (b"inst", inst), (b"ibag", ibag), (b"igen", igen))
    body = b"sfbk" + chunk(b"LIST", b"pdta" + b"".join(chunk(name, data) for name, data in parts))
    return chunk(b"RIFF", body)


def test_programs_that_share_samples_directly_or_by_others_are_one_group(tmp_path):
    path = tmp_path / "a.sf2"
    path.write_bytes(
        sound_font([(0, 0, [1]), (0, 1, [2, 3]), (0, 2, [3, 4]), (0, 3, [4, 1]), (0, 4, [9]), (128, 0, [9])])
    )
    programs = read_programs(path)
    assert [(one.number, one.name, sorted(one.samples)) for one in programs][:2] == [
        (0, "Preset 0", [1]),
        (1, "Preset 1", [2, 3]),
    ]
    assert groups(programs) == [[0, 1, 2, 3], [4]]


@pytest.mark.parametrize("data", [b"", b"RIFF", sound_font([(0, 0, [1])])[:150], b"RIFF" + b"\xff" * 200, None])
def test_what_is_no_sound_font_is_refused(tmp_path, data):
    if data is not None:
        (tmp_path / "a.sf2").write_bytes(data)
    with pytest.raises(PerpetuumError, match=r"a\.sf2"):
        read_programs(tmp_path / "a.sf2")


@pytest.fixture(scope="module")
def notes():
    """Notes of a few made-up instruments: smooth envelopes that differ by some numbers."""
    chance = np.random.default_rng(1)
    directions = np.cumsum(chance.standard_normal((5, SIZE)), axis=1) / 20
    pitches, programs = np.meshgrid(np.arange(48, 72, 4), [0, 1, 2, 5, 12])
    vectors = [
        -40 + np.random.default_rng(int(program)).standard_normal(5) @ directions + pitch / 10
        for pitch, program in zip(pitches.ravel(), programs.ravel(), strict=True)
    ]
    rough = chance.standard_normal((len(vectors), SIZE))
    return AnalysedNotes(
        np.array(vectors, np.float32) + rough.astype(np.float32),
        pitches.ravel(),
        programs.ravel(),
        {0: 0, 1: 0, 2: 1, 5: 2, 12: 3},
    )


def test_whole_groups_are_chosen(notes):
    assert set(notes.programs[notes.of((1,))]) == {0, 1}


def test_pairs_are_of_one_instrument_and_the_same_seed_draws_the_same(notes):
    basis = principal(notes.vectors, 8)
    components = basis.compressed(notes.vectors)
    pairs = Pairs(components, notes.pitches, notes.programs, notes.group_of, basis)
    (heard, pitches), wanted = next(pairs.forever(32, 3))
    assert heard.shape == (32, 8)
    assert pitches.shape == (32, 2, PITCH_FEATURES)
    assert np.array_equal(wanted[:, 0], heard)
    same = (pitches[:, 0] == pitches[:, 1]).all(axis=1)
    assert np.allclose(wanted[same, 1], heard[same], atol=1e-5)
    again = next(pairs.forever(32, 3))
    assert np.array_equal(again[1], wanted)


@pytest.mark.models
@pytest.mark.xdist_group("tensorflow")
def test_a_run_that_was_stopped_is_gone_on_with_and_what_comes_of_it_can_be_read(notes, tmp_path):
    recipe = TimbreRecipe(components=8, hidden=16, batch=8, steps=40, round=20)
    rounds = []
    train_on_notes(notes, tmp_path, recipe, rounds.append, 0.0)
    made = train_on_notes(notes, tmp_path, recipe, rounds.append, None)
    assert [now.step for now in rounds] == [20, 40]
    card, weights = read_network(made)
    assert card.trained["steps"] == 40
    assert weights["basis"].shape == (8, SIZE)
    with pytest.raises(PerpetuumError, match="other settings"):
        train_on_notes(notes, tmp_path, replace(recipe, seed=1), lambda now: None, None)
