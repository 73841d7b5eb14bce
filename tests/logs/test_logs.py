"""The log: fields, bounds, and nothing that waits."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli.terminal import Terminal
from engine.errors import PerpetuumError
from engine.events import OutputFailed
from engine.events.log import log_event
from engine.logs.choice import LogChoice, LogFormat
from engine.logs.entry import LONGEST, MARK, LogEntry, as_line, entry_of, from_line
from engine.logs.formats import as_datagram, as_json, as_text
from engine.logs.limiting import LogLimiter
from engine.logs.log import Log
from engine.logs.sinks import FileSink, JournalSink, StreamSink
from tests.health.prometheus import wait_until

ROOT = Path(__file__).parents[2]

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
    # Away for longer than an entry, the kernel has parted us from it.
    journal.close()
    os.unlink(place)
    for _ in range(2):
        with pytest.raises(OSError):
            sink.write(ENTRY)
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


class Held:
    """A stream that takes nothing until it is let go."""

    def __init__(self):
        self.let_go = threading.Event()
        self.begun = threading.Event()
        self.texts = []

    def write(self, text):
        self.begun.set()
        assert self.let_go.wait(60)
        self.texts.append(text)

    encoding = "utf-8"


@pytest.fixture
def held(monkeypatch):
    """The log's stream, held."""
    stream = Held()
    monkeypatch.setattr(StreamSink, "write", lambda self, entry: stream.write(entry))
    return stream


def test_entries_that_were_dropped_are_counted_and_said_though_their_kind_is_limited(held, monkeypatch):
    monkeypatch.setattr("engine.logs.log.MOST_WAITING", 5)
    log = Log("keeper", LogFormat.TEXT, LogLimiter(burst=1))
    warn = lambda: log.handle(logging.LogRecord("engine.x", logging.WARNING, "", 0, "it goes on", None, None))  # noqa: E731
    warn()
    assert held.begun.wait(60)
    for _ in range(20):
        warn()
    held.let_go.set()
    log.close()
    written = [one for one in held.texts if one.message == "it goes on"]
    (said,) = [one.message for one in held.texts if "dropped" in one.message]
    assert said == "15 entries were dropped: more came than could be written"
    assert sum(1 + one.left_out for one in written) == 6


def test_what_a_child_has_left_out_is_not_lost_where_its_kind_is_limited():
    limiter = LogLimiter(burst=1)
    limiter.take(ENTRY)
    limiter.take(replace(ENTRY, left_out=7))
    assert [one.left_out for one in limiter.rest()] == [7]


def test_an_entry_is_in_the_file_while_the_stream_takes_nothing(held, tmp_path):
    log = Log("keeper", LogFormat.TEXT)
    log.take_choice(LogChoice(file=True), tmp_path)
    log.handle(logging.LogRecord("engine.x", logging.WARNING, "", 0, "it goes on", None, None))
    try:
        assert held.begun.wait(60)
        assert "it goes on" in (tmp_path / "log" / "perpetuum.log").read_text()
    finally:
        held.let_go.set()
        log.close()


def test_another_choice_leaves_no_descriptor_open_and_nothing_is_written_twice(tmp_path, capfd):
    log = Log("keeper", LogFormat.TEXT)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        log.take_choice(LogChoice(file=True, size=1_000_000 + number), tmp_path)
        log.handle(logging.LogRecord("engine.x", logging.WARNING, "", 0, f"message {number}", None, None))
    log.take_choice(LogChoice(), tmp_path)
    log.close()
    assert len(os.listdir("/proc/self/fd")) == before
    lines = (tmp_path / "log" / "perpetuum.log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in lines] == [f"message {number}" for number in range(20)]


def test_half_a_line_on_a_disk_that_is_full_spoils_no_other(tmp_path, monkeypatch):
    sink = FileSink(tmp_path, 100_000, 0)
    sink.write(ENTRY)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr("engine.logs.sinks.os.write", lambda descriptor, data: write(descriptor, data[:9]))
        with pytest.raises(OSError, match="No space"):
            sink.write(ENTRY)
    sink.write(ENTRY)
    sink.close()
    assert len([json.loads(line) for line in (tmp_path / "perpetuum.log").read_text().splitlines()]) == 2


def test_what_a_place_could_not_take_is_said_there_when_it_takes_again(tmp_path, capfd):
    place = tmp_path / "log"
    place.write_text("no folder")
    log = Log("keeper", LogFormat.TEXT)
    log.take_choice(LogChoice(file=True), tmp_path)
    warn = lambda text: log.handle(logging.LogRecord("engine.x", logging.WARNING, "", 0, text, None, None))  # noqa: E731
    warn("one")
    warn("two")
    log.take_choice(LogChoice(file=True), tmp_path)  # the file was read again, and says the same
    log._writer.do(place.unlink)
    warn("three")
    log.close()
    lines = [json.loads(line)["message"] for line in (place / "perpetuum.log").read_text().splitlines()]
    assert lines == ["2 entries could not be written here", "three"]


def test_lines_that_a_terminal_does_not_take_are_counted_and_said(monkeypatch):
    monkeypatch.setattr("engine.cli.terminal.MOST_WAITING", 5)
    out, err = Held(), Held()
    err.let_go.set()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    with Terminal() as terminal:
        terminal.say("first")
        assert out.begun.wait(60)
        for number in range(20):
            terminal.say(f"line {number}")
        terminal.handle(logging.LogRecord("engine.x", logging.WARNING, "", 0, "%d and %s", (1,), None))
        out.let_go.set()
    assert out.texts == ["first\n", *(f"line {number}\n" for number in range(5))]
    assert err.texts == ["16 lines were left out: more came than were read\n"]


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


def test_every_child_that_is_listened_to_tells_its_log_by_the_one_way():
    """Those of which only an answer is read (a check, a render of the bank) have no log."""
    sources = "".join(one.read_text() for one in (ROOT / "engine").rglob("*.py"))
    modules = set(re.findall(r'python_module\("([\w.]+)"\)', sources))
    answering = {"engine.installation.bank", "engine.installation.steered.checking"}
    assert answering < modules
    for module in modules - answering:
        assert "log_to_parent()" in ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(), module


def test_the_last_words_of_a_child_that_logs_a_traceback_are_its_last_line():
    from engine.codec import Codec
    from engine.processes.child import Child, OomScore

    script = (
        "import logging; from engine.logs.log import log_to_parent\nlog_to_parent()\n"
        "try: 1 / 0\nexcept Exception: logging.getLogger('engine.far').exception('it broke')\n"
    )
    command = [sys.executable, "-c", script]
    child = Child("audio", command, Codec(int), Codec(int), lambda child, message: None, OomScore.AUDIO)
    try:
        assert wait_until(lambda: child.last_words() == "ZeroDivisionError: division by zero", 60)
    finally:
        child.close()


def test_importing_the_log_brings_nothing_but_the_standard_library():
    code = (
        "import sys; import engine.logs.log; print([n for n in sys.modules if n in ('numpy', 'structlog', 'pydantic')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
