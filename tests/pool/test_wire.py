"""The wire between a player and a pool: what a scene asks for comes out as it went in, and nothing else comes in."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import assets
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Job, Reply, SlowRung
from engine.form.plan import Plan
from engine.generators.contract import Request
from engine.generators.neural.kinds import MELODY_RNN
from engine.generators.neural.settings import MelodyRnnSettings, MusicVaeSettings
from engine.pool.wire import messages as wire
from engine.pool.wire.answers import read_answer, write_answer
from engine.pool.wire.digests import weights_named
from engine.pool.wire.requests import (
    WireError,
    WireVersionError,
    WrittenJob,
    read_envelope,
    read_job,
    write_job,
)
from engine.runtime.rules import ladder_over
from engine.runtime.workers.worker import rehearsal
from engine.scenes import load
from engine.score.phrase import Origin, Phrase, Provenance
from tests.test_codec import same


def sent(job: Job) -> WrittenJob:
    return write_job(job.kind, job.request, weights_named)


def assert_the_same(one: Request, other: Request) -> None:
    for field in fields(Request):
        left, right = getattr(one, field.name), getattr(other, field.name)
        match field.name:
            case "history" | "primer":
                assert same(left, right), field.name
            case "sources":
                assert left.keys() == right.keys()
                assert all(same(phrase, right[link]) for link, phrase in left.items())
            case "taken":
                assert (left is None) == (right is None)
                if left is not None:
                    assert left.idea.digest == right.idea.digest
                    assert (left.variation, left.amount) == (right.variation, right.amount)
            case "settings":
                assert type(left) is type(right)
                assert left.model_copy(update={"weights": None}) == right.model_copy(update={"weights": None})
            case "transforms":
                plain = [
                    [(n, s.model_copy(update={"weights": None}) if hasattr(s, "weights") else s) for n, s in all_of]
                    for all_of in (left, right)
                ]
                assert plain[0] == plain[1]
            case name:
                assert left == right, name
                assert type(left) is type(right), name


class OverTheWire(SlowRung):
    """A rung that writes and reads every job, and makes none."""

    name = "wire"

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self._replies: list[Reply] = []

    def takes(self, job: Job) -> bool:
        return job.network

    def submit(self, job: Job) -> None:
        written = sent(job)
        read = read_envelope(written.request(4.0))
        assert read.data == written.data
        assert set(read.weights) == set(written.weights)
        kind, request = read_job(read.data, written.weights)
        assert kind == job.kind
        assert_the_same(job.request, request)
        assert write_job(kind, request, weights_named).key == written.key
        self.jobs.append(job)
        self._replies.append(Reply(job.ticket, None, None, "nobody is here"))

    def poll(self, timeout: float) -> list[Reply]:
        replies, self._replies = self._replies, []
        return replies

    def cancel(self, tickets: object) -> None:
        pass


def jobs_of(name: str, bars: int) -> list[Job]:
    scene, problems = load(assets.scene(name))
    assert scene is not None, problems
    rung = OverTheWire()
    Conductor(Plan(scene, 3), ladder_over(rung), lambda message: None, FastClock()).run(bars)
    return rung.jobs


@pytest.fixture(scope="module")
def a_job() -> Job:
    return max(jobs_of("slow_groove", 24), key=lambda job: len(sent(job).data))


@pytest.mark.parametrize("name", ["slow_groove", "long_way"])
def test_whatever_networks_are_asked_for_in_a_scene_comes_out_of_the_wire_as_it_went_in(name):
    assert jobs_of(name, 16)


notes = st.lists(
    st.tuples(st.floats(0, 7.999), st.floats(0.001, 30), st.integers(0, 127), st.integers(1, 127)).map(
        lambda note: (note[0], note[0] + note[1], note[2], note[3])
    ),
    max_size=30,
)


@given(notes, st.integers(0, (1 << 63) - 1))
@settings(max_examples=50, deadline=None)
def test_a_phrase_comes_out_bit_for_bit(some, seed):
    phrase = Phrase.of(some, 8.0, Provenance("melody_rnn", Origin.NETWORK, seed, "a reason"))
    body = write_answer("0" * 64, phrase, phrase.with_notes(some[:1]), 0.5)
    raw, after, seconds = read_answer(body, "0" * 64)
    assert same(raw, phrase)
    assert same(after, phrase.with_notes(some[:1]))
    assert seconds == 0.5


def test_the_key_is_of_what_is_asked_and_not_of_the_time_that_is_left(a_job):
    written = sent(a_job)
    assert read_envelope(written.request(1.0)).key == read_envelope(written.request(9.0)).key
    other = replace(a_job, request=replace(a_job.request, seed=a_job.request.seed ^ 1))
    assert sent(other).key != written.key


def test_a_request_names_no_file(a_job):
    body = sent(a_job).request(1.0).decode()
    assert "safetensors" not in body
    assert "/" not in body.replace("4/4", "")


def test_settings_that_name_files_of_this_machine_do_not_travel(tmp_path):
    from engine.generators.neural.kinds import MUSIC_VAE

    request = rehearsal(MUSIC_VAE, MusicVaeSettings(points=(1, "/etc/passwd")))
    with pytest.raises(WireError, match="points"):
        write_job("music_vae", request, weights_named)


def changed(job: Job, path: str, value: object, key: bool = True) -> bytes:
    """The body of a request in which one value is another; its key is right, unless it is to be wrong."""
    body = json.loads(sent(job).request(4.0))
    *steps, last = path.split(".")
    place = body
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    inner = msgspec.json.encode(body["job"])
    body["key"] = wire.key_of(inner) if key else body["key"]
    return msgspec.json.encode({**body, "job": msgspec.Raw(inner)})


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("seconds_left", -1.0, "$.seconds_left"),
        ("seconds_left", 1e300, "$.seconds_left"),
        ("key", "0" * 64, "$.key"),
        ("job", [], "$.job"),
        ("job.bars", 0, "$.job.bars"),
        ("job.bars", 10**9, "$.job.bars"),
        ("job.seed", -1, "$.job.seed"),
        ("job.seed", 1 << 70, "$.job.seed"),
        ("job.meter", [4, 3], "$.job.meter[1]"),
        ("job.key.mode", "majorr", "$.job.key"),
        ("job.role", "bass", "$.job.role"),
        ("job.role", "emperor", "$.job.role"),
        ("job.qpm", "fast", "$.job.qpm"),
        ("job.extra", 1, "$.job"),
        ("job.history.notes.0", [0.0, -1.0, 60, 64], "$.job.history.notes[0][1]"),
        ("job.history.notes.0", [2.0, 1.0, 60, 64], "$.job.history"),
        ("job.history.notes.0", [0.0, 1.0, 128, 64], "$.job.history.notes[0][2]"),
        ("job.history.chords", [{"start": 0, "end": 1, "root": 0, "quality": "((((("}], "$.job.history"),
        ("job.generator.name", "../../etc/passwd", "$.job.generator.name"),
        ("job.generator.version", "00000000", "$.job.generator.version"),
        ("job.generator.weights", None, "$.job.generator.weights"),
        ("job.generator.weights", "../../../etc/passwd", "$.job.generator.weights"),
        ("job.generator.settings", [], "$.job.generator.settings"),
        ("job.generator.settings.temperature", 1e9, "$.job.generator.settings"),
        ("job.generator.settings.temperature", None, "$.job.generator.settings"),
        ("job.generator.settings.candidates", 10**6, "$.job.generator.settings"),
        ("job.generator.settings.range", [100, 20], "$.job.generator.settings"),
        ("job.generator.settings.config", "/etc/passwd", "$.job.generator.settings"),
        ("job.generator.settings.weights", "/etc/passwd", "$.job.generator.settings"),
        ("job.generator.settings.nonsense", 1, "$.job.generator.settings"),
    ],
)
def test_whatever_is_no_request_is_refused_with_what_and_where(path, value, where):
    written = write_job("melody_rnn", a_request(), weights_named)
    body = changed(Job(0, "melody_rnn", a_request(), 0), path, value, key=path != "key")
    with pytest.raises(WireError) as refused:
        read_job(read_envelope(body).data, written.weights)
    assert refused.value.where == where, refused.value
    assert refused.value.message


def a_request() -> Request:
    notes = [(float(beat), beat + 0.5, 60 + beat, 80) for beat in range(4)]
    past = Phrase.of(notes, 4.0, Provenance("melody_rnn", Origin.NETWORK, 1))
    return replace(rehearsal(MELODY_RNN, MelodyRnnSettings()), history=past)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[" * 100_000, b'"\xff"', b"{}", b'{"version": "1"}', b'{"version":1,"version":1}', b"1e999"],
    ids=repr,
)
def test_whatever_is_no_json_of_ours_is_refused(body):
    with pytest.raises(WireError):
        read_envelope(body[:200_000])
    with pytest.raises(WireError):
        read_answer(body, "0" * 64)


def test_another_version_is_told_from_nonsense():
    with pytest.raises(WireVersionError):
        read_envelope(b'{"version":2,"whatever":[]}')
    with pytest.raises(WireVersionError):
        read_answer(b'{"version":2,"whatever":[]}', "0" * 64)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("key", "1" * 64),
        ("raw.length", 0.0),
        ("raw.length", 1e300),
        ("raw.notes", [[0.0, 0.0, 60, 64]]),
        ("raw.notes", [[9.0, 10.0, 60, 64]]),
        ("raw.notes", [[0.0, 1.0, 60, 0]]),
        ("raw.notes", [[0.0, 1.0, 60]] * 3),
        ("raw.notes", [[0.0, 1.0, 60, 64]] * 10_001),
        ("raw.made_by.origin", "god"),
        ("raw.made_by.reason", "x" * 5000),
        ("phrase", {}),
        ("engine", 1),
    ],
)
def test_an_answer_that_is_none_is_refused(path, value):
    phrase = Phrase.of([(0.0, 1.0, 60, 64)], 8.0, Provenance("melody_rnn", Origin.NETWORK))
    body = json.loads(write_answer("0" * 64, phrase, phrase, 0.0))
    *steps, last = path.split(".")
    place = body
    for step in steps:
        place = place[step]
    place[last] = value
    with pytest.raises(WireError):
        read_answer(json.dumps(body).encode(), "0" * 64)


def test_a_version_is_of_what_settings_may_be_and_not_of_the_words_that_describe_them():
    from pydantic import Field

    from engine.generators.contract import Settings
    from engine.pool.wire.settings import version_of

    def versions(words: str, most: int = 9, default: int = 1) -> str:
        class Inner(Settings):
            title: int = Field(default=1, description=words, title=words)

        class Model(Settings):
            description: int = Field(default=default, le=most, description=words, examples=[words])
            inner: Inner = Field(default=Inner(), description=words)

        Model.__doc__ = words
        return version_of(Model)

    assert versions("one") == versions("another")
    assert len({versions("one"), versions("one", most=8), versions("one", default=2)}) == 3

    class Fewer(Settings):
        description: int = 1

    class Other(Settings):
        examples: int = 1

    Other.__name__ = "Fewer"
    assert version_of(Fewer) != version_of(Other)
