"""`--output KIND[:ARGUMENT]`: what it takes, and what it says to what it does not take."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.cli import main
from engine.errors import PerpetuumError
from engine.outputs.opening import OutputChoice, open_outputs

CHUNK = np.full((1024, 2), 0.25, np.float32).tobytes()


@pytest.mark.parametrize(
    ("text", "kind", "argument"),
    [
        ("auto", "auto", None),
        ("device:hw:CARD=PCH,DEV=0", "device", "hw:CARD=PCH,DEV=0"),
        ("wav:takes/", "wav", "takes/"),
        (r"wav:C:\takes\x.wav", "wav", r"C:\takes\x.wav"),
        ("wav:", "wav", ""),
        (":x", "", "x"),
        ("", "", None),
    ],
)
def test_the_first_colon_ends_the_kind_and_all_others_belong_to_the_argument(text, kind, argument):
    choice = OutputChoice.parse(text)
    assert (choice.kind, choice.argument, str(choice)) == (kind, argument, text)


@pytest.mark.parametrize(
    ("texts", "what", "hint"),
    [
        (["wav"], "the output wav needs a PATH", "--output wav:PATH"),
        (["wav:"], "the output wav needs a PATH", "--output wav:PATH"),
        (["null:x"], "takes no argument, 'x' was given", "--output null"),
        (["null", "auto"], "null and auto would both keep time", "any number of recordings"),
        (["device:a", "wav:x.wav", "device:b"], "device:a and device:b would both", "recordings"),
        (["gramophone"], "gramophone", "known are"),
        (["takes/evening.wav"], "'takes/evening.wav'", "--output wav:takes/evening.wav"),
        (["evening.wav"], "'evening.wav'", "--output wav:evening.wav"),
        ([""], "''", "known are"),
        (["null", "wav:/proc/nowhere/x.wav"], "cannot write", ""),
        (["null", "wav:nowhere/takes/"], "nowhere", ""),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do_and_nothing_is_left_behind(tmp_path, monkeypatch, texts, what, hint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PerpetuumError) as caught:
        open_outputs([OutputChoice.parse(text) for text in texts])
    assert what in str(caught.value)
    assert hint in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("texts", [["null", "wav:a.wav", "wav:takes/"], ["wav:a.wav", "wav:takes/", "null"]])
def test_every_recording_follows_the_output_that_keeps_time_wherever_it_stands(tmp_path, monkeypatch, texts):
    monkeypatch.chdir(tmp_path)
    with open_outputs([OutputChoice.parse(text) for text in texts], keep=2) as tee:
        assert tee.description.startswith("no output, in real time; recording to a.wav; recording to takes")
        assert "the last 2 hours" in tee.description
        tee.write(CHUNK)
    paths = [tmp_path / "a.wav", *(tmp_path / "takes").iterdir()]
    assert len(paths) == 2
    for path in paths:
        assert (soundfile.read(path, dtype="float32")[0] == 0.25).all()


def test_hours_to_keep_need_a_folder(tmp_path):
    for texts, what in (
        (["null"], "nothing is recorded"),
        ([f"wav:{tmp_path}/x.wav"], "only single files are recorded"),
    ):
        with pytest.raises(PerpetuumError, match="--keep 2 is for recordings into a folder") as caught:
            open_outputs([OutputChoice.parse(text) for text in texts], keep=2)
        assert what in str(caught.value)
        assert "wav:FOLDER/" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_recording_without_a_sample_makes_no_file_and_replaces_none(tmp_path):
    path = Path(tmp_path / "take.wav")
    path.write_bytes(b"yesterday's")
    with open_outputs([OutputChoice("wav", str(path))]):
        pass
    assert path.read_bytes() == b"yesterday's"
    assert list(tmp_path.iterdir()) == [path]


def test_the_list_of_outputs_writes_them_as_the_option_takes_them(capsys):
    with pytest.raises(SystemExit):
        main(["outputs"])
    told = capsys.readouterr().out
    assert all(form in told for form in ("auto", "device[:NAME]", "null", "wav:PATH"))
