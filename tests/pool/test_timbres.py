"""Banks of notes of a pool: asked for first, the same as made here, looked into before they play, made here without."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from engine.assets import FOLDER_FILE
from engine.errors import PerpetuumError
from engine.pool.asking.banks import PoolBanks, keep_bank
from engine.pool.asking.rung import PoolRung
from engine.pool.serving.making.banks import make_bank
from engine.pool.wire.requests import WireError, WireVersionError
from engine.pool.wire.timbres import read_bank, read_timbre, write_bank, write_timbre
from engine.runtime.timbres.messages import BankFailed, BankMade, BankOrder
from engine.runtime.timbres.timbres import Timbres
from engine.timbres.bank_cache import BankCache
from engine.timbres.contract import bank_digest
from engine.timbres.gansynth import checkpoint
from engine.timbres.gansynth.kind import GANSYNTH, GanSynthSettings
from engine.timbres.neural.kind import NEURAL, NeuralSettings
from engine.timbres.portrait import PORTRAIT
from tests.pool.servers import PoolServer, misbehaving, response
from tests.pool.test_asking import models_of, until
from tests.pool.test_serving import ask
from tests.timbres.golden import SMALL

SETTINGS = NeuralSettings.model_validate({"places": [7, 12], "at": "50 %", "lowest": "C4", "highest": "E4", "every": 4})
DIGEST = bank_digest("neural", SETTINGS)


def order_in(folder: Path, settings: NeuralSettings = SETTINGS) -> BankOrder:
    return BankOrder(bank_digest("neural", settings), "neural", settings, str(folder))


@pytest.fixture(scope="module")
def answer() -> bytes:
    """A bank as it comes from a pool."""
    outcome = make_bank(write_timbre("neural", SETTINGS, DIGEST, 60.0), [])
    assert not outcome.problem
    return outcome.body


@pytest.fixture
def server(tmp_path) -> Iterator[PoolServer]:
    with PoolServer(tmp_path / "weights") as found:
        yield found


@contextmanager
def asking(url: str, folder: Path, command: list[str] | None = None) -> Iterator[Timbres]:
    """A maker of banks whose pool has been heard of; here it makes none unless `command` does."""
    with PoolRung([url]) as rung, Timbres(BankCache(folder), command or ["false"]) as timbres:
        until(lambda: rung.heard_of)
        timbres.ask_first(PoolBanks(rung))
        yield timbres


def answers(timbres: Timbres) -> list[BankMade | BankFailed]:
    found: list[BankMade | BankFailed] = []
    until(lambda: found.extend(timbres.poll()) or found or time.sleep(0.02))
    return found


def test_a_bank_is_made_by_the_pool_once_and_is_the_one_that_would_be_made_here(server, tmp_path):
    here = tmp_path / "here"
    NEURAL.make(SETTINGS, here)
    for number, cache in enumerate(("first", "second")):
        with asking(server.url, tmp_path / cache) as timbres:
            timbres.want([order_in(tmp_path / cache)])
            [made] = answers(timbres)
            assert isinstance(made, BankMade), made
            assert BankCache(tmp_path / cache).find(DIGEST) == Path(made.instrument)
            there = Path(made.instrument).parent
            assert {one.name: one.read_bytes() for one in there.iterdir()} == {
                one.name: one.read_bytes() for one in here.iterdir()
            }
            assert (there / PORTRAIT).is_file()
            assert server.makers.made == 1, "who asks again is answered, and nothing is made"
            assert number == 0 or b"phrases_again_total 1.0" in ask(server, "GET", "/metrics")[1]


def test_where_no_pool_can_make_it_this_machine_does(server, tmp_path):
    server.makers.away = "its replicas are being replaced"
    with PoolRung([server.url]) as rung, Timbres(BankCache(tmp_path / "cache")) as timbres:
        until(lambda: rung.heard_of)
        timbres.ask_first(PoolBanks(rung))
        timbres.want([order_in(tmp_path / "cache")])
        [made] = answers(timbres)
    assert isinstance(made, BankMade), made


def test_what_nobody_wants_any_more_is_not_waited_for(server, tmp_path):
    models = models_of(server)
    with (
        misbehaving(lambda line: response(models) if b"models" in line else None) as silent,
        asking(silent, tmp_path / "cache") as timbres,
    ):
        timbres.want([order_in(tmp_path / "cache")])
        timbres.poll()
        assert timbres.waiting == 1
        timbres.want([])
        assert not timbres.waiting
        assert not timbres.poll()


def without(answer: bytes, name: str) -> dict[str, object]:
    body = json.loads(answer)
    body["files"] = [one for one in body["files"] if one["name"] != name]
    return body


def changed(answer: bytes, text: Callable[[str], str]) -> bytes:
    """An answer whose instrument file says something else."""
    import base64

    body = json.loads(answer)
    for one in body["files"]:
        if one["name"] == FOLDER_FILE:
            one["data"] = base64.b64encode(text(base64.b64decode(one["data"]).decode()).encode()).decode()
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "lie",
    [
        lambda found: b"",
        lambda found: b"{",
        lambda found: found.replace(DIGEST.encode(), b"0" * 32),
        lambda found: found.replace(b'"version":1', b'"version":2'),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":"../C4.flac"'),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":".C4.flac"'),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":"C4.py"'),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":"C4.flac\\n"'),
        lambda found: found.replace(DIGEST.encode(), DIGEST.encode() + b"\\n"),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":"C4_2.flac"'),
        lambda found: found.replace(b'"name":"C4.flac"', b'"name":"c4_2.flac"'),
        lambda found: json.dumps(without(found, FOLDER_FILE)).encode(),
        lambda found: json.dumps(without(found, "C4.flac")).encode(),
        lambda found: changed(found, lambda text: text.replace("C4.flac", "/etc/passwd")),
        lambda found: changed(found, lambda text: text.replace("C4.flac", "../../../../../dev/zero")),
        lambda found: changed(found, lambda text: text.replace("kind: sampler", "kind: subtractive")),
        lambda found: changed(found, lambda text: text.replace("voices: ", "voices: -")),
        lambda found: changed(found, lambda text: "\0" + text),
        lambda found: changed(found, lambda text: "[" * 500),
        lambda found: found.replace(b'"data":"ZkxhQ', b'"data":"AAAAA'),
    ],
)
def test_a_bank_that_is_none_is_refused_and_leaves_nothing(answer, tmp_path, lie):
    told = lie(answer)
    assert told != answer
    with pytest.raises(WireError):
        keep_bank(read_bank(told, DIGEST), order_in(tmp_path / "cache"))
    assert BankCache(tmp_path / "cache").find(DIGEST) is None
    assert {one.name for one in (tmp_path / "cache").glob("**/*")} <= {".lock"}


def test_a_bank_that_is_one_is_kept_by_its_digest(answer, tmp_path):
    kept = keep_bank(read_bank(answer, DIGEST), order_in(tmp_path / "cache"))
    assert kept == BankCache(tmp_path / "cache").find(DIGEST)


def body_with(**changes: object) -> bytes:
    body = json.loads(write_timbre("neural", SETTINGS, DIGEST, 60.0))
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = body
        for step in steps:
            place = place[step]
        place[last] = value
    return msgspec.json.encode(body)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"version": 2}, 409),
        ({"digest": "0" * 32}, 409),
        ({"digest": "../../etc"}, 400),
        ({"digest": DIGEST + "\n"}, 400),
        ({"seconds_left": 1e9}, 400),
        ({"job__kind": "../../etc"}, 400),
        ({"job__kind": "gansynth"}, 409),
        ({"job__version": "00000000"}, 409),
        ({"job__settings": []}, 400),
        ({"job__settings__places": ["/etc/passwd"]}, 400),
        ({"job__settings__places": [10**30]}, 400),
        ({"job__settings__places": [-1]}, 400),
        ({"job__settings__places": list(range(17))}, 400),
        ({"job__settings__highest": 10**9}, 400),
        ({"job__settings__lowest": 80}, 400),
        ({"job__settings__every": 0}, 400),
        ({"job__settings__at": None}, 400),
        ({"job__settings__at": 0.25}, 409),
        ({"job__settings__nonsense": 1}, 400),
    ],
)
def test_what_is_no_request_for_a_bank_is_refused_and_reaches_no_maker(server, changes, status):
    answered, said = ask(server, "POST", "/v1/timbres", body_with(**changes))
    assert (answered, json.loads(said)["problem"] != "") == (status, True), said
    assert server.makers.made == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"every":4', b'"every":' + b"[" * 90_000 + b"]" * 90_000),
        (b'"settings":{', b'"settings":{"x":' + b"[" * 90_000 + b"]" * 90_000 + b","),
        (b'"every":4', b'"\xe9very":4'),
        (b'"kind":', b'"k\xe9nd":'),
    ],
    ids=["deep", "deep and unknown", "no UTF-8 in settings", "no UTF-8"],
)
def test_nonsense_is_refused(server, old, new):
    assert ask(server, "POST", "/v1/timbres", body_with().replace(old, new))[0] == 400


def test_one_place_alone_is_a_bank_too(tmp_path):
    settings = NeuralSettings.model_validate({"places": [7]})
    digest = bank_digest("neural", settings)
    assert read_timbre(write_timbre("neural", settings, digest, 1.0)).settings == settings


def test_recordings_of_this_machine_do_not_travel(tmp_path):
    settings = SETTINGS.model_copy(update={"places": ("/home/me/bell.wav",)})
    with pytest.raises(WireError, match="places"):
        write_timbre("neural", settings, DIGEST, 1.0)


def test_a_checkpoint_is_found_by_what_is_in_it_wherever_it_lies(tmp_path, monkeypatch):
    for name in ("mine", "other", "theirs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text("other" if name == "other" else "the same")
    monkeypatch.setattr(checkpoint, "look_into", lambda folder: None)
    monkeypatch.setattr(checkpoint, "checkpoint_files", lambda folder: [folder / "weights"])
    asked = GanSynthSettings(checkpoint=str(tmp_path / "mine"), latent=3)
    body = write_timbre("gansynth", asked, bank_digest("gansynth", asked), 60.0)
    assert str(tmp_path).encode() not in body
    read = read_timbre(body, [tmp_path / "other", tmp_path / "theirs"])
    assert isinstance(read.settings, GanSynthSettings)
    assert (read.settings.checkpoint, read.settings.latent) == (str(tmp_path / "theirs"), 3)
    with pytest.raises(WireVersionError, match="other weights"):
        read_timbre(body, [tmp_path / "other"])


@pytest.mark.models
@pytest.mark.xdist_group("tensorflow")
def test_a_bank_of_gansynth_that_a_pool_makes_is_the_one_of_this_machine_which_needs_no_tensorflow(tmp_path):
    mine = shutil.copytree(SMALL, tmp_path / "mine" / SMALL.name)
    told = {"checkpoint": str(mine), "latent": 7, "lowest": "C4", "highest": "C4"}
    asked = GanSynthSettings.model_validate(told)
    order = BankOrder(bank_digest("gansynth", asked), "gansynth", asked, str(tmp_path / "cache"))
    GANSYNTH.make(asked, tmp_path / "here")
    with PoolServer(tmp_path / "weights", checkpoints=(SMALL,)) as server, asking(server.url, tmp_path / "cache") as it:
        it.want([order])
        [made] = answers(it)
        assert isinstance(made, BankMade), made
        assert server.makers.made == 1
        files = {one.name: one.read_bytes() for one in Path(made.instrument).parent.iterdir()}
    files.pop(PORTRAIT)  # of whoever keeps it
    assert files == {one.name: one.read_bytes() for one in (tmp_path / "here").iterdir()}
    plays = "import pathlib, sys; from engine.sound.instruments.instrument_file import load_instrument as load; "
    plays += "print(load(pathlib.Path(sys.argv[1]))[0].name, 'tensorflow' in sys.modules)"
    played = subprocess.run([sys.executable, "-c", plays, made.instrument], capture_output=True, text=True, check=True)
    assert played.stdout == "sampler False\n"


def test_a_folder_that_is_too_much_for_an_answer_is_no_bank(tmp_path):
    (tmp_path / FOLDER_FILE).write_text("kind: sampler\n")
    with pytest.raises(PerpetuumError):
        write_bank(DIGEST, tmp_path, 0.0)
