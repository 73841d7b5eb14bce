"""The log: fields, bounds, and nothing that waits."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.events.log import log_event
from engine.logs.choice import LogChoice, LogFormat
from engine.logs.entry import LONGEST, MARK, LogEntry, as_line, entry_of, from_line
from engine.logs.formats import as_datagram, as_json, as_text
from engine.logs.limiting import LogLimiter
from engine.logs.log import Log
from engine.logs.sinks import FileSink, JournalSink
from tests.health.prometheus import wait_until

ENTRY = LogEntry(1_795_858_000.5, 30, "mind", "engine.x", "no sound\nat all", "SoundStarved", "look", "no sound")


@pytest.fixture
def record(monkeypatch):
    """The record of a call of a logger, as a handler gets it."""

    def run(call):
        found = []
        handler = logging.Handler()
        handler.emit = found.append
        logger = logging.getLogger("engine.test_logs")
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        try:
            call(logger)
        finally:
            logger.removeHandler(handler)
            logger.propagate = True
        return found[0]

    return run


def test_a_perpetuum_error_gives_the_remedy_and_an_event_its_name(record, caplog):
    entry = entry_of(record(lambda log: log.error("it fails: %s", PerpetuumError("no card", "plug it in"))), "keeper")
    assert (entry.message, entry.remedy, entry.component) == ("it fails: no card", "plug it in", "keeper")
    log_event(OutputFailed("the card is gone", 0, 0))
    entry = entry_of(caplog.records[-1], "keeper")
    assert (entry.event, entry.level) == ("OutputFailed", logging.WARNING)
    assert "perpetuum outputs" in entry.remedy


@pytest.mark.parametrize("call", [
    lambda log: log.warning("%d notes", "three"),
    lambda log: log.warning("%s and %s", 1),
    lambda log: log.warning("x" * 1_000_000),
    lambda log: log.warning(f"a{MARK}b\n{MARK}c"),
    lambda log: log.exception("it failed"),
    lambda log: log.warning({"a": 1}),
])  # fmt: skip
def test_an_entry_comes_of_any_record_and_travels_from_a_child_on_one_line_whatever_is_in_it(record, call):
    entry = entry_of(record(call), "mind")
    assert len(entry.message) < LONGEST + 100
    line = as_line(entry)
    assert "\n" not in line
    assert from_line(line, "mind") == entry


@given(st.one_of(st.text(), st.text().map(lambda text: MARK + text), st.dictionaries(st.text(), st.integers()).map(
    lambda told: MARK + json.dumps(told))))  # fmt: skip
@settings(max_examples=60)
def test_what_a_child_prints_otherwise_is_no_entry(line):
    assert from_line(line, "mind") is None


@pytest.mark.parametrize("wrong", [{"level": "30"}, {"at": None}, {"message": 3}, {"more": "x"}, {"left_out": True}])
def test_an_entry_with_fields_of_other_kinds_is_none(wrong):
    told = json.loads(as_line(ENTRY)[1:]) | wrong
    assert from_line(MARK + json.dumps(told), "mind") is None


def test_of_each_kind_ten_a_minute_are_written_and_the_others_are_counted():
    now = 0.0
    limiter = LogLimiter(clock=lambda: now)
    other = LogEntry(0.0, 30, "mind", "x", "once", template="once")
    written = [one for _ in range(1000) for one in limiter.take(ENTRY)]
    assert (len(written), limiter.take(other)) == (10, [other])
    now = 61.0
    (told,) = limiter.due()
    assert (told.left_out, told.message) == (989, ENTRY.message)
    assert limiter.take(ENTRY) == [ENTRY]
    assert limiter.rest() == []


@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 30)), max_size=300))
@settings(max_examples=30)
def test_no_entry_is_lost_uncounted_however_many_kinds_there_are(told):
    now = 0.0
    limiter = LogLimiter(burst=2, clock=lambda: now)
    written = []
    for kind, seconds in told:
        now += seconds
        written += limiter.take(LogEntry(now, 30, "mind", "x", "m", template=str(kind)))
    written += limiter.rest()
    assert sum(1 + one.left_out for one in written) == len(told)


def test_a_line_for_people_has_the_remedy_below_it_and_json_has_fields():
    assert as_text(ENTRY).endswith("WARNING mind: no sound\nat all\n  -> look")
    told = json.loads(as_json(ENTRY))
    assert (told["component"], told["event"], told["remedy"], told["level"]) == (
        "mind",
        "SoundStarved",
        "look",
        "warning",
    )
    assert "left_out" not in told
    assert told["at"] == "2026-11-28T09:26:40.500+00:00"


def fields_of(data: bytes) -> dict[str, str]:
    """A datagram of the journal, read as its protocol says."""
    found = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + length], data[9 + length :]
        found[name.decode()] = value.decode()
    return found


def test_the_journal_is_sent_fields_over_its_socket_also_after_it_was_started_anew(tmp_path):
    place = str(tmp_path / "socket")

    def listening() -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.settimeout(30)
        made.bind(place)
        return made

    journal = listening()
    sink = JournalSink(place)
    sink.write(ENTRY)
    found = fields_of(journal.recv(1 << 16))
    assert found["MESSAGE"] == "no sound\nat all"
    assert (found["PRIORITY"], found["PERPETUUM_COMPONENT"], found["PERPETUUM_REMEDY"]) == ("4", "mind", "look")
    assert fields_of(as_datagram(ENTRY)) == found
    journal.close()
    os.unlink(place)
    journal = listening()
    sink.write(ENTRY)
    assert fields_of(journal.recv(1 << 16)) == found
    sink.close()
    journal.close()


def test_files_are_of_bounded_size_and_number_and_the_newest_line_is_in_the_first(tmp_path):
    sink = FileSink(tmp_path / "log", 1000, 2)
    for number in range(100):
        sink.write(LogEntry(0.0, 30, "mind", "x", f"message {number}"))
    sink.close()
    again = FileSink(tmp_path / "log", 1000, 2)
    again.write(LogEntry(0.0, 30, "mind", "x", "the last"))
    again.close()
    files = sorted((tmp_path / "log").iterdir())
    assert [one.name for one in files] == ["perpetuum.log", "perpetuum.log.1", "perpetuum.log.2"]
    assert all(one.stat().st_size <= 1000 for one in files)
    lines = [json.loads(line)["message"] for one in reversed(files) for line in one.read_text().splitlines()]
    assert lines[-1] == "the last"
    assert lines[:-1] == [f"message {number}" for number in range(101 - len(lines), 100)]


@pytest.mark.parametrize("hostile", ["fifo", "folder", "loop", "full"])
def test_a_log_that_cannot_be_kept_is_said_once_and_nothing_waits(tmp_path, hostile, capfd):
    place = tmp_path / "log" / "perpetuum.log"
    place.parent.mkdir()
    match hostile:
        case "fifo":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "loop":
            place.symlink_to(place)
        case _:
            place.symlink_to("/dev/full")
    log = Log("keeper", LogFormat.TEXT)
    log.take_choice(LogChoice(file=True), tmp_path)
    logger = logging.getLogger("engine.test_hostile")
    logger.addHandler(log)
    for number in range(5):
        logger.warning("it goes on, %d", number)
    logger.removeHandler(log)
    log.close()
    said = capfd.readouterr().err
    assert said.count("the log cannot be kept") == 1
    assert said.count("it goes on") == 5


def test_nobody_waits_for_a_pipe_that_nobody_reads():
    """A child logs a megabyte into a pipe; what it does besides goes on."""
    script = (
        "import logging, sys; from engine.logs.log import Log\n"
        "log = Log('keeper'); root = logging.getLogger(); root.addHandler(log)\n"
        "for n in range(3000): root.warning('%s', f'{n} ' + 'x' * 4000)\n"
        "print('done', flush=True); sys.stdin.read(); import os; os._exit(0)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:  # fmt: skip
        timer = threading.Timer(60, process.kill)
        timer.start()
        assert process.stdout.readline() == b"done\n"
        timer.cancel()
        process.kill()


def test_what_a_child_logs_is_written_by_its_parent_with_its_name(caplog):
    from engine.codec import Codec
    from engine.processes.child import Child, OomScore

    script = (
        "import logging; from engine.logs.log import log_to_parent\n"
        "log_to_parent(); logging.getLogger('engine.far').warning('from afar: %s', 3)\n"
        "logging.getLogger('engine.far').info('unheard')\n"
    )
    child = Child(
        "mind", [sys.executable, "-c", script], Codec(int), Codec(int), lambda child, message: None, OomScore.MIND
    )
    try:
        assert wait_until(lambda: any("from afar: 3" in one.getMessage() for one in caplog.records), 60)
    finally:
        child.close()
    record = next(one for one in caplog.records if "from afar" in one.getMessage())
    assert (record.name, record.levelno, record.entry.component) == ("engine.far", logging.WARNING, "mind")
    assert not any("unheard" in one.getMessage() for one in caplog.records)
    assert entry_of(record, "keeper").message == "from afar: 3"


def test_importing_the_log_brings_nothing_but_the_standard_library():
    code = (
        "import sys; import engine.logs.log; print([n for n in sys.modules if n in ('numpy', 'structlog', 'pydantic')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
