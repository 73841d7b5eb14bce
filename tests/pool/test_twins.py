"""Heavy networks in a replica: TensorFlow plays them where it may and can, numpy where it fails; who did is told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.errors import PerpetuumError
from engine.generators.contract import Request
from engine.generators.neural.kinds import MUSIC_VAE
from engine.generators.neural.settings import MusicVaeSettings
from engine.networks import load_network
from engine.pool.serving.file.config import MB, Compute, PoolConfig
from engine.pool.serving.making import twins as twins_module
from engine.pool.serving.making.makers import JobOutcome, MakersAwayError
from engine.pool.serving.making.phrases import IN_MEMORY, BuiltModels, PhraseMaker
from engine.pool.serving.making.replica import Replica
from engine.pool.serving.making.replicas import RayMakers
from engine.pool.serving.making.twins import Twins, are_heavy
from engine.pool.wire.digests import weights_named
from engine.pool.wire.messages import Words
from engine.pool.wire.requests import write_job
from engine.runtime.workers.worker import rehearsal
from engine.timbres import backend
from tests.pool.servers import PoolServer
from tests.pool.test_together import notes_of

HEAVY = 3 * MB
"""Small as they are, the shipped weights are heavy in these tests."""

Sent = tuple[str, bytes, Mapping[str, str]]


def wanted(config: str, seed: int = 3, **settings: object) -> Request:
    """Four bars of a network."""
    chosen = MusicVaeSettings.model_validate({"config": config, "points": (3, 4 + seed), **settings})
    return replace(rehearsal(MUSIC_VAE, chosen), bars=4, seed=seed, theme=seed)


def sent(config: str, seed: int = 3, **settings: object) -> Sent:
    written = write_job("music_vae", wanted(config, seed, **settings), weights_named)
    return "music_vae", written.data, {digest: str(path) for digest, path in written.weights.items()}


def replica(compute: Compute, **more: object) -> Replica:
    return Replica(1 << 30, 1 << 40, compute=compute, heavy=HEAVY, **more)  # type: ignore[arg-type]


@pytest.mark.models
def test_a_replica_plays_two_heavy_networks_by_tensorflow_as_numpy_would_and_goes_on_when_it_is_given_up():
    jobs = [sent("cat-mel_2bar_small"), sent("trio_4bar", 5), sent("cat-mel_2bar_small", 5, mode="sample")]
    own = replica(Compute.TENSORFLOW, batch=2, early=True)

    async def made(*more: str) -> list[tuple[bytes, str, int, str]]:
        return await asyncio.gather(*(own.make(*job, *more) for job in jobs))

    by_twin, by_numpy = asyncio.run(made()), asyncio.run(made("replicas died"))
    plain = PhraseMaker(1 << 30)
    for job, (body, problem, _, by), (again, _, _, then) in zip(jobs, by_twin, by_numpy, strict=True):
        alone = plain.make(*job[1:])
        assert (problem, by, then, alone.heavy) == ("", "tensorflow_cpu", "numpy: replicas died", "")
        assert notes_of(alone.body) == notes_of(body) == notes_of(again)


def test_without_a_gpu_nothing_of_tensorflow_is_imported():
    code = """
import sys, os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
from tests.pool.test_twins import Compute, HEAVY, PhraseMaker, Twins, sent
outcome = PhraseMaker(1 << 30, twins=Twins(Compute.AUTO, HEAVY)).make(*sent("cat-mel_2bar_small")[1:])
print(outcome.problem, outcome.heavy, "tensorflow" in sys.modules)"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "numpy: there is no GPU False"


@pytest.mark.parametrize(
    ("shown", "devices", "has"),
    [
        (None, ["nvidia0"], True),
        (None, ["nvidia12"], True),
        (None, ["nvidiactl", "nvidia-uvm"], False),
        (None, ["dxg"], True),
        ("", ["nvidia0"], False),
        ("-1", ["nvidia0"], False),
        ("NoDevFiles", ["nvidia0"], False),
        ("0,1", ["nvidia0"], True),
        ("GPU-8932f937", ["nvidia0"], True),
        ("0", [], False),
    ],
)
def test_a_gpu_is_one_that_is_there_and_is_not_hidden(monkeypatch, tmp_path, shown, devices, has):
    monkeypatch.setattr(backend, "_DEVICES", tmp_path)
    for name in devices:
        (tmp_path / name).touch()
    if shown is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert backend.has_gpu_device() is has


class NoGpu:
    """TensorFlow as it is with a CUDA that does not load."""

    class config:  # noqa: N801 - as TensorFlow calls it
        """What it has."""

        @staticmethod
        def list_physical_devices(kind: str) -> list[str]:
            return []


def absent(who: str) -> object:
    raise PerpetuumError(f"{who} needs TensorFlow, which cannot be imported (No module named 'tensorflow')")


def broken(who: str) -> object:
    raise OSError("libcudart.so.12: cannot open shared object file")


def endless(who: str) -> object:
    raise PerpetuumError("ümlaut \udcff " * 1000)


@pytest.mark.parametrize(
    ("tensorflow", "compute", "why"),
    [
        (absent, Compute.TENSORFLOW, "cannot be imported"),
        (absent, Compute.AUTO, "cannot be imported"),
        (broken, Compute.TENSORFLOW, "libcudart.so.12"),
        (endless, Compute.TENSORFLOW, "ümlaut"),
        (lambda who: NoGpu, Compute.AUTO, "does not find the GPU that is there"),
        (broken, Compute.NUMPY, "numpy: the pool's file says so"),
    ],
    ids=["absent", "absent-auto", "broken", "endless", "no-gpu", "numpy"],
)
def test_whatever_is_wrong_with_tensorflow_numpy_plays_and_says_why(monkeypatch, tensorflow, compute, why):
    monkeypatch.setattr(twins_module, "tensorflow", tensorflow)
    monkeypatch.setattr(twins_module, "has_gpu_device", lambda: True)
    outcome = PhraseMaker(1 << 30, twins=Twins(compute, HEAVY)).make(*sent("cat-mel_2bar_small")[1:])
    assert not outcome.problem
    assert outcome.heavy.startswith("numpy: ")
    assert why in outcome.heavy
    assert msgspec.json.decode(msgspec.json.encode(outcome.heavy), type=Words) == outcome.heavy


@pytest.mark.models
def test_what_lies_on_a_device_counts_within_the_budget_and_is_let_go_of_with_its_network():
    jobs = [sent("cat-mel_2bar_small"), sent("trio_4bar", 5)]
    paths = [path for job in jobs for path in job[2].values()]
    sizes = [Path(path).stat().st_size for path in paths]
    floats = [load_network(path).bytes for path in paths]
    # Room for both in numpy, and not for what they have on a device.
    twins = Twins(Compute.TENSORFLOW, HEAVY)
    models = BuiltModels(IN_MEMORY * sum(sizes) + MB, twins)
    maker = PhraseMaker(0, models, twins)
    for job, size, on_device in zip(jobs, sizes, floats, strict=True):
        assert maker.make(*job[1:]).heavy == "tensorflow_cpu"
        assert len(models) == 1
        assert twins.bytes == on_device
        assert models.bytes == IN_MEMORY * size + on_device
    assert maker.make(*jobs[0][1:]).heavy == "tensorflow_cpu"


def test_what_is_light_is_nobodys_business(tmp_path):
    assert Twins(Compute.AUTO, 32 * MB).played_by(sent("cat-mel_2bar_small")[2].values()) == ""
    assert not are_heavy((str(tmp_path / "gone"), "one_drum", ""), 0)
    assert Twins().played_by([]) == ""


def test_the_server_tells_what_played_heavy_weights_in_its_models_and_metrics(tmp_path, caplog):
    with PoolServer(tmp_path) as server:
        files = sent("cat-mel_2bar_small")[2]
        for by in ("tensorflow_gpu", "numpy: out of memory", "tensorflow_gpu", "numpy: out of memory", ""):
            server.pool._tell_of(files, by)
        with urllib.request.urlopen(f"{server.url}/v1/models", timeout=30) as answer:
            told = {one["digest"]: one.get("played_by") for one in json.load(answer)["models"]}
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
    assert [told.pop(digest) for digest in files] == ["numpy: out of memory"]
    assert set(told.values()) == {None}, "players of before know no such field"
    for by in ("tensorflow_gpu", "numpy"):
        assert f'perpetuum_pool_heavy_phrases_total{{by="{by}"}} 2.0' in metrics
    assert len(caplog.records) == 2, "each once"


class Dying:
    """A deployment as Ray hands it out, whose replicas die while TensorFlow plays.

    Attributes:
        asked: what each was told of playing plainly.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.make = self

    def remote(self, kind: str, job: bytes, paths: Mapping[str, str], plain: str = "") -> object:
        """Begin."""
        self.asked.append(plain)

        async def answer() -> tuple[bytes, str, int, str]:
            if not plain:
                raise RuntimeError("The actor died\nunexpectedly")
            return b"a phrase", "", 0, f"numpy: {plain}"

        return asyncio.ensure_future(answer())


def test_where_tensorflow_takes_its_replica_along_the_last_attempt_and_all_after_it_are_numpys(tmp_path):
    makers = RayMakers.__new__(RayMakers)
    light, heavy = Dying(), Dying()
    makers._config, makers._plain, makers._handles = PoolConfig(tmp_path), {}, {"all": light, "heavy": heavy}
    file = tmp_path / "big.safetensors"
    with file.open("wb") as sparse:
        sparse.truncate(33 * MB)

    async def ask() -> list[JobOutcome]:
        return [await makers.make("music_vae", b"", {"0": str(file)}) for _ in range(2)]

    why = "replicas died of it: The actor died"
    assert asyncio.run(ask()) == [JobOutcome(b"a phrase", heavy=f"numpy: {why}")] * 2
    assert heavy.asked == ["", "", why, why]
    with pytest.raises(MakersAwayError, match="The actor died"):
        asyncio.run(makers.make("music_vae", b"", {"0": __file__}))
    assert light.asked == ["", "", ""], "which TensorFlow has no part in"
