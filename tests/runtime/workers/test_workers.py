import os
import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from engine.conductor.makers.contract import Job, Reply
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.generators.neural import monophonic
from engine.processes.reports import Cause
from engine.runtime.workers.messages import FROM_WORKER, Load, Loaded
from engine.runtime.workers.worker import Worker, rehearsal
from engine.runtime.workers.workers import LIMITS, Workers, WorkerState
from engine.score.phrase import Origin
from tests.cli.weights import made_up
from tests.runtime.sound import Reports

DUMMY = [sys.executable, "-m", "tests.dummies.worker"]
RULES = GENERATORS.get("melody_rules")


def job(ticket: int, kind: str = "well-behaved", part: str = "tune", settings: object = None, deadline: int = 0) -> Job:
    request = replace(rehearsal(RULES, settings or RULES.settings()), part=part, bars=2)  # type: ignore[arg-type]
    return Job(ticket, kind, request, deadline)


def collect(workers: Workers, count: int, seconds: float = 20.0) -> list[Reply]:
    """`count` replies, or as many as came within a time that is only there to end a test that fails."""
    replies: list[Reply] = []
    until = time.monotonic() + seconds
    while len(replies) < count and time.monotonic() < until:
        replies += workers.poll(0.1)
    return replies


def until_ready(workers: Workers, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not workers.ready:
        assert not workers.poll(0.05)
        assert time.monotonic() < until, workers.statuses


def pid_of(reply: Reply) -> int:
    assert reply.phrase is not None, reply.problem
    return reply.phrase.provenance.seed


@pytest.fixture
def found():
    return Reports()


@pytest.fixture
def workers(found):
    with Workers(command=DUMMY, patience=1.0, report=found) as workers:
        yield workers


def test_a_job_comes_back_with_its_ticket(workers):
    for ticket in (5, 3, 8):
        workers.submit(job(ticket))
    replies = collect(workers, 3)
    assert [reply.ticket for reply in replies] == [5, 3, 8]
    assert all(reply.phrase is not None for reply in replies)


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("dies", Cause.DIED),
        ("hangs", Cause.HUNG),
        ("spins", Cause.HUNG),
        ("garbage", Cause.BROKE_PROTOCOL),
        ("raw garbage", Cause.BROKE_PROTOCOL),
        ("oversized", Cause.BROKE_PROTOCOL),
        ("wrong ticket", Cause.BROKE_PROTOCOL),
        ("torn", Cause.DIED),
        ("negative length", Cause.BROKE_PROTOCOL),
        ("no ticket", Cause.BROKE_PROTOCOL),
        ("no type", Cause.BROKE_PROTOCOL),
        ("no phrase", Cause.BROKE_PROTOCOL),
        ("nests", Cause.BROKE_PROTOCOL),
        ("a pickle", Cause.BROKE_PROTOCOL),
    ],
)
def test_a_worker_that_dies_hangs_or_breaks_the_protocol_fails_its_jobs_and_is_replaced(workers, found, kind, cause):
    workers.submit(job(1))
    before = pid_of(collect(workers, 1)[0])
    workers.submit(job(2, kind))
    workers.submit(job(3))
    replies = collect(workers, 2)
    assert {reply.ticket for reply in replies} == {2, 3}
    assert next(reply for reply in replies if reply.ticket == 2).problem
    assert found.lost("worker 1", cause) == found.lost("worker 1") == 1
    until_ready(workers)
    assert found.started("worker 1") == 2
    workers.submit(job(4))
    after = pid_of(collect(workers, 1)[0])
    assert after != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


def test_a_job_that_fails_is_a_failed_reply_and_its_worker_goes_on(workers):
    workers.submit(job(1))
    before = pid_of(collect(workers, 1)[0])
    workers.submit(job(2, "fails"))
    [reply] = collect(workers, 1)
    assert reply.problem
    assert reply.phrase is None
    workers.submit(job(3))
    assert pid_of(collect(workers, 1)[0]) == before


def test_a_worker_that_needs_more_memory_than_it_may_is_replaced_once_its_jobs_are_done(monkeypatch, found):
    monkeypatch.setattr("engine.processes.memory_budget.LOOK", 0.1)
    limits = replace(LIMITS, memory=220_000_000)
    with Workers(command=DUMMY, report=found, limits=limits) as workers:
        workers.submit(job(1, "grows"))
        [reply] = collect(workers, 1)
        assert reply.phrase is not None
        until = time.monotonic() + 20
        while not found.lost("worker 1", Cause.OVER_BUDGET):
            assert workers.poll(0.1) == []
            assert time.monotonic() < until
        until_ready(workers)
        workers.submit(job(2))
        assert pid_of(collect(workers, 1)[0]) != pid_of(reply)
        assert found.lost("worker 1") == 1


def test_the_last_words_of_a_dead_worker_are_in_the_problem(workers):
    workers.submit(job(1, "prints and dies"))
    [reply] = collect(workers, 1)
    assert "no weights on this machine" in reply.problem
    assert "exit status 7" in reply.problem


def test_a_hung_worker_is_found_even_when_its_job_was_cancelled(workers, found):
    workers.submit(job(1, "hangs"))
    workers.cancel([1])
    until = time.monotonic() + 20
    while found.lost("worker 1", Cause.HUNG) == 0:
        assert workers.poll(0.1) == []
        assert time.monotonic() < until


def test_submitting_never_waits_however_deaf_the_worker_is(workers):
    until_ready(workers)
    workers.submit(job(0, "hangs"))
    for ticket in range(1, 2001):  # far more than the socket holds; nobody polls, so that a wait would never end
        workers.submit(job(ticket))
    assert sorted(reply.ticket for reply in collect(workers, 2001)) == list(range(2001))


def test_a_job_that_cannot_be_sent_is_a_failed_reply(workers):
    strange = type("Strange", (RULES.settings,), {})()  # a class that no other process knows
    workers.submit(job(1, settings=strange))
    [reply] = collect(workers, 1)
    assert "cannot be sent" in reply.problem


def test_a_generator_that_cannot_be_sent_hides_no_other_and_is_told():
    strange = type("Strange", (RULES.settings,), {})()
    net = GENERATORS.get("drums_rnn")
    with Workers(command=DUMMY, load=[("melody_rules", strange), ("drums_rnn", net.settings())]) as workers:
        until_ready(workers)
        [status] = workers.statuses
        assert list(status.problems) == ["melody_rules"]
        assert "no installed generator" in status.problems["melody_rules"]
        assert status.loaded == 1


def test_each_part_keeps_to_one_worker():
    with Workers(count=2, command=DUMMY) as workers:
        for ticket in range(8):
            workers.submit(job(ticket, part="ab"[ticket % 2]))
        pids = [{pid_of(r) for r in collect_of} for collect_of in _by_parity(collect(workers, 8))]
    assert [len(found) for found in pids] == [1, 1]
    assert pids[0] != pids[1]


def _by_parity(replies: list[Reply]) -> list[list[Reply]]:
    return [[reply for reply in replies if reply.ticket % 2 == parity] for parity in (0, 1)]


def test_a_program_that_does_not_exist_is_a_state_and_not_an_error():
    with Workers(command=["/nonexistent/worker"]) as workers:
        workers.submit(job(1))
        [reply] = collect(workers, 1)
        assert reply.problem
        assert workers.statuses[0].state is WorkerState.DEAD


def test_closing_leaves_no_process_behind():
    workers = Workers(command=DUMMY)
    workers.submit(job(1))
    pid = pid_of(collect(workers, 1)[0])
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert workers.statuses[0].state is WorkerState.CLOSED


def test_the_real_worker_makes_phrases_by_rules_and_survives_a_generator_that_cannot():
    with Workers() as workers:
        workers.submit(job(1, "melody_rules"))
        workers.submit(job(2, "no_such_kind"))
        workers.submit(job(3, "melody_rules"))
        replies = {reply.ticket: reply for reply in collect(workers, 3, 60)}
    assert "no_such_kind" in replies[2].problem
    for ticket in (1, 3):
        phrase = replies[ticket].phrase
        assert phrase is not None
        assert len(phrase.notes)
        assert phrase.provenance.origin is Origin.RULES
    assert (replies[1].phrase.notes == replies[3].phrase.notes).all()  # type: ignore[union-attr]


def test_the_real_worker_loads_networks_of_generators_and_transforms_and_plays_them(tmp_path):
    """A transform's network that is not there is told when it is loaded, and fails its jobs."""
    groove = TRANSFORMS.get("groove")
    here = groove.settings(weights=str(made_up(tmp_path, "groovae_2bar_humanize")))
    away = groove.settings(style="tap", weights="nowhere")
    net = GENERATORS.get("drums_rnn")
    drums = GENERATORS.get("drum_rules")
    with Workers(load=[("drums_rnn", net.settings()), ("groove", here), ("groove", away)]) as workers:
        until_ready(workers, 60)
        assert list(workers.statuses[0].problems) == ["groove"]
        assert "nowhere" in workers.statuses[0].problems["groove"]
        for ticket, settings in enumerate((here, away)):
            request = rehearsal(drums, drums.settings(), (("groove", settings),))
            workers.submit(Job(ticket, "drum_rules", request, 0))
        replies = {reply.ticket: reply for reply in collect(workers, 2, 60)}
    raw, heard = replies[0].raw, replies[0].phrase
    assert raw is not None
    assert heard is not None
    assert sorted(raw.notes["pitch"]) == sorted(heard.notes["pitch"])
    assert set(raw.notes["velocity"]) != set(heard.notes["velocity"])
    assert "nowhere" in replies[1].problem


class Inbox:
    """A conductor's end of a connection."""

    def __init__(self):
        self.sent = []

    def send_bytes(self, data):
        self.sent.append(FROM_WORKER.decode(data))


def test_a_network_that_rehearses_badly_is_loaded_however_often_it_is_named():
    """That it was built already, for another part or before an edit of the scene, is no problem to tell."""
    inbox = Inbox()
    worker = Worker(inbox)
    net = GENERATORS.get("melody_rnn")
    settings = net.settings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monophonic, "judged_melody", lambda notes, request: ("babble", 0.0))
        for _ in range(2):
            worker._load(Load((("melody_rnn", settings), ("melody_rnn", settings))))
    assert [message.problems for message in inbox.sent if isinstance(message, Loaded)] == [(), ()]


def test_a_network_that_rehearses_in_a_role_that_it_does_not_play_is_loaded(tmp_path):
    """A drum VAE is asked for a bar of melody, the first role of its kind: strokes at once are no melody."""
    inbox = Inbox()
    net = GENERATORS.get("music_vae")
    settings = net.settings(config="cat-drums_2bar_small", weights=str(made_up(tmp_path, "cat-drums_2bar_small")))
    Worker(inbox)._load(Load((("music_vae", settings),)))
    assert [message.problems for message in inbox.sent if isinstance(message, Loaded)] == [()]


def test_a_phrase_whose_network_is_built_does_not_wait_for_the_other_networks(tmp_path):
    """The first bars need some of a scene's networks; the rest are loaded after them."""
    inbox = Inbox()
    worker = Worker(inbox)
    groove = TRANSFORMS.get("groove")
    here = groove.settings(weights=str(made_up(tmp_path, "groovae_2bar_humanize")))
    later = groove.settings(style="hits_control", weights=str(made_up(tmp_path, "groovae_2bar_hits_control_tfds")))
    drums = GENERATORS.get("drum_rules")
    jobs = [
        Job(ticket, "drum_rules", rehearsal(drums, drums.settings(), (("groove", settings),)), deadline)
        for ticket, settings, deadline in ((7, here, 1), (8, later, 2), (9, here, 3))
    ]
    for one in jobs:
        worker._inbox.put((one.deadline, one.ticket, one))
    worker._load(Load((("groove", here), ("groove", later), ("groove", later))))
    told = [message.ticket for message in inbox.sent if isinstance(message, Reply)]
    assert told == [7, 8, 9]
    order = [type(message).__name__ for message in inbox.sent]
    assert order.index("Reply") < max(place for place, name in enumerate(order) if name == "Loading")
    assert order[-1] == "Loaded"


def test_a_worker_that_is_told_to_load_twice_is_ready_after_the_second():
    with Workers() as workers:
        net = GENERATORS.get("drums_rnn")
        workers.load([("drums_rnn", net.settings())])
        until_ready(workers, 60)
        assert workers.statuses[0].to_load == workers.statuses[0].loaded == 1
        workers.load([])
        until_ready(workers, 60)
        assert workers.statuses[0].to_load == 0


def test_networks_that_no_part_names_any_more_are_let_go(tmp_path):
    """A scene that is edited for days does not fill the memory."""
    worker = Worker(Inbox())
    groove = TRANSFORMS.get("groove")
    paths = [str(made_up(tmp_path, f"groovae_{config}")) for config in ("2bar_humanize", "2bar_hits_control_tfds")]
    for path, style in zip(paths, ("humanize", "hits_control"), strict=True):
        worker._load(Load((("groove", groove.settings(weights=path, style=style)),)))
        assert [name for name in worker._cache if name[0] == "transform"] == [("transform", "groove", path)]


def test_the_real_worker_takes_the_nearest_deadline_first_and_drops_what_is_cancelled():
    with Workers() as workers:
        until_ready(workers)
        for ticket in range(200):  # busy for a while, so that the last ones wait together
            workers.submit(job(ticket, "melody_rules", deadline=1))
        workers.submit(job(1000, "melody_rules", deadline=30))
        workers.submit(job(1001, "melody_rules", deadline=40))
        workers.submit(job(1002, "melody_rules", deadline=20))
        workers.cancel([1001])
        order = [reply.ticket for reply in collect(workers, 202, 60)]
    assert order[-2:] == [1002, 1000]
    assert 1001 not in order


def test_a_worker_ignores_ctrl_c():
    """A terminal's Ctrl-C belongs to the parent; even one that is sent directly does not stop the music making."""
    found = Reports()
    with Workers(report=found) as workers:
        until_ready(workers, 60)
        [pid] = workers.pids
        assert pid is not None
        with suppress(ProcessLookupError):
            os.kill(pid, 2)
        assert os.getsid(pid) != os.getsid(0)
        workers.submit(job(1, "melody_rules"))
        assert collect(workers, 1, 60)[0].phrase is not None
        assert found.lost("worker 1") == 0
