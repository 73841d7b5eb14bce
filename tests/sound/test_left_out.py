"""A part whose instrument cannot be built is silent, and the others sound; told by the real audio process."""

import numpy as np
import pytest
import soundfile

from engine.sound.messages import Notes, Ready, Trouble
from tests.sound.rendering import instrument, notes, part, render

RATE = 48_000
SAMPLER = "perpetuum: 1\nkind: sampler\ntitle: t\nsamples:\n  - {file: s.wav, pitch: C4}\n"


def damages(folder):
    """An instrument file and its sample, each damaged in a way of its own after it was valid."""
    path = folder / "mine.yaml"
    return {
        "sample is gone": lambda: (folder / "s.wav").unlink(),
        "sample is noise": lambda: (folder / "s.wav").write_bytes(np.random.default_rng(1).bytes(9999)),
        "sample is not a number": lambda: soundfile.write(
            folder / "s.wav", np.full(999, np.nan), RATE, subtype="FLOAT"
        ),
        "instrument is gone": path.unlink,
        "instrument is a secret": lambda: path.write_text("root:secret:1:\n  - {"),
        "instrument is of another kind": lambda: path.write_text("perpetuum: 1\nkind: secret\n"),
        "instrument is wrong": lambda: path.write_text(SAMPLER.replace("C4", "secret")),
    }


@pytest.mark.parametrize("damage", ["sample is noise", "instrument is a secret"])
def test_the_other_parts_sound_as_ever_and_it_is_said_once(tmp_path, damage):
    soundfile.write(tmp_path / "s.wav", np.sin(np.arange(RATE) * 0.05) * 0.3, RATE)
    (tmp_path / "mine.yaml").write_text(SAMPLER)
    damages(tmp_path)[damage]()
    other, broken = part("sub_bass"), part(str(tmp_path / "mine.yaml"))
    played = [Notes(one.name, notes((0, RATE, 48, 100))) for one in (broken, other)]
    result = render([broken, other], played, RATE)
    alone = render([other], played[1:], RATE)
    assert result.code == 0
    assert np.sqrt((result.sound**2).mean()) > 0.01
    assert np.abs(result.sound - alone.sound).max() < 1e-3
    [told] = result.of(Trouble)
    assert not told.fatal
    assert broken.name in told.message
    assert "secret" not in told.message
    assert result.of(Ready)


def test_whatever_happens_to_an_instrument_the_graph_is_built(tmp_path):
    parts, made = [part("sub_bass")], []
    for number, name in enumerate(damages(tmp_path)):
        folder = tmp_path / str(number)
        folder.mkdir()
        soundfile.write(folder / "s.wav", np.zeros(999), RATE)
        (folder / "mine.yaml").write_text(SAMPLER)
        damages(folder)[name]()
        parts.append(part(str(folder / "mine.yaml")))
        made.append(name)
    result = render(parts, [Notes(parts[0].name, notes((0, RATE, 48, 100)))], RATE // 2)
    assert result.code == 0
    assert len(result.of(Trouble)) == len(made)
    assert np.sqrt((result.sound**2).mean()) > 0.01
    assert instrument("sub_bass") not in " ".join(one.message for one in result.of(Trouble))
