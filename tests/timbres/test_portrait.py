"""A bank is held against the one before it by some numbers beside it: silent, too loud, too far ones are not taken."""

import json

import numpy as np
import pytest

from engine.timbres.bank_cache import BankCache
from engine.timbres.portrait import LEAP, PORTRAIT, objection
from engine.timbres.samples.instrument import About, make_sampler, write_instrument
from engine.timbres.samples.notes import RawNote

RATE = 48_000
TIME = np.arange(RATE) / RATE


def tone(overtones, pitch=60):
    hertz = 440.0 * 2.0 ** ((pitch - 69) / 12)
    return sum(gain * np.sin(2 * np.pi * hertz * (number + 1) * TIME) for number, gain in enumerate(overtones))


def noise():
    return 0.2 * np.random.default_rng(1).standard_normal(RATE)


@pytest.fixture
def kept(tmp_path):
    """Keeps banks of one sound each, and gives their instrument files."""
    cache = BankCache(tmp_path)

    def keep(sound, name="b"):
        made, _ = make_sampler([RawNote(sound.astype(np.float32), RATE, 60)], About("t"))
        return cache.keep(name * 32, lambda folder: write_instrument(made, folder))

    return keep


def changed(bank, **values):
    """The portrait of a bank says something else."""
    path = bank.parent / PORTRAIT
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_sound_like_the_one_before_is_taken_and_one_that_is_far_is_not(kept):
    before = kept(tone([0.5, 0.2, 0.1]), "a")
    assert objection(before, kept(tone([0.5, 0.25, 0.05]), "b")) == ""
    far = kept(noise(), "c")
    assert "dB from those before, and 30 dB are the most" in objection(before, far, LEAP)
    assert objection(before, far, 60.0) == ""
    assert objection(before, before, 1.0) == ""


def test_what_is_much_louder_or_silent_is_not_taken(kept):
    before, after = kept(tone([0.5]), "a"), kept(tone([0.4]), "b")
    level = json.loads((before.parent / PORTRAIT).read_text())["level"]
    assert level == pytest.approx(-18.0, abs=0.2)  # as all banks are
    for value, words in ((level + 13, "13 dB louder"), (level - 13, "13 dB softer"), (-np.inf, "silent")):
        changed(after, level=value)
        assert words in objection(before, after)


def test_without_a_leap_a_bank_may_be_as_far_as_the_two_timbres_that_it_lies_between(kept):
    before, after = kept(tone([0.5, 0.2]), "a"), kept(tone([0.2, 0.5]), "b")
    away = float(objection(before, after, 0.0).split(" dB")[0].split()[-1])
    assert away < LEAP
    assert objection(before, after, None) == ""  # neither lies between any
    changed(before, reach=away + 1)
    assert objection(before, after, None) == ""
    changed(before, reach=away - 1)
    assert f"{away:.1f} dB from those before" in objection(before, after, None)
    changed(after, reach=away + 1)
    assert objection(before, after, None) == ""


@pytest.mark.parametrize("spoilt", [b"", b"[" * 9_999, b"{}", b'{"level": 1, "bands": [[null]]}', b"\xff" * 99_999])
def test_without_a_portrait_nothing_speaks_against_a_bank(kept, spoilt):
    before, after = kept(tone([0.5]), "a"), kept(noise(), "b")
    (after.parent / PORTRAIT).write_bytes(spoilt)
    assert objection(before, after) == objection(after, before) == ""
    (after.parent / PORTRAIT).unlink()
    assert objection(before, after) == ""
