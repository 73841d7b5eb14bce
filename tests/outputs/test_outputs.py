import logging
import time

import pytest

from engine.errors import PerpetuumError
from engine.outputs.contract import OUTPUTS
from engine.outputs.opening import OutputChoice, open_outputs
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

STEREO = AudioFormat(2)
FRAME_BYTES = STEREO.frame_bytes


def test_every_kind_of_output_is_registered_and_says_what_it_is():
    kinds = OUTPUTS.kinds()
    assert {"auto", "device", "null", "wav"} <= set(kinds)
    assert all(kind.summary and kind.name == name for name, kind in kinds.items())


@pytest.mark.parametrize(("name", "argument"), [("wav", None), ("null", "x"), ("auto", "x"), ("gramophone", None)])
def test_an_output_that_cannot_be_is_refused(name, argument):
    with pytest.raises(PerpetuumError):
        open_outputs([OutputChoice(name, argument)])


def test_a_recording_that_cannot_be_written_is_refused_at_once():
    with pytest.raises(PerpetuumError, match="cannot write"):
        open_outputs([OutputChoice("wav", "/proc/nowhere/x.wav")])


def test_auto_says_so_once_where_there_is_no_sound_card_and_goes_on_in_real_time(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("engine.outputs.devices.players._has_card", lambda: False)
    with caplog.at_level(logging.WARNING), open_outputs([OutputChoice("auto")]) as output:
        assert "no sound card" in output.description
        assert caplog.text == ""  # whoever opens it tells the description
        began = time.monotonic()
        for _ in range(24):
            output.write(bytes(2048 * FRAME_BYTES))
        assert (time.monotonic() - began) / (24 * 2048 / SAMPLE_RATE) == pytest.approx(1.0, abs=0.1)
