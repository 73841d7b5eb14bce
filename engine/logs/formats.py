# pyright: strict
"""How an entry is written: a line for people, a line of JSON, fields of systemd's journal."""

from __future__ import annotations

import json
import logging
import struct
from datetime import UTC, datetime

from engine.logs.entry import LogEntry

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def priority(level: int) -> int:
    """The priority of syslog."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def as_text(entry: LogEntry) -> str:
    """For people: local time, level, where it comes from, what; below it what to do."""
    at = datetime.fromtimestamp(entry.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    left_out = f" (and {entry.left_out} more like it)" if entry.left_out else ""
    remedy = f"\n  -> {entry.remedy}" if entry.remedy else ""
    return f"{at} {logging.getLevelName(entry.level):<7} {entry.component}: {entry.message}{left_out}{remedy}"


def as_json(entry: LogEntry) -> str:
    """A line of JSON: `at` in UTC, `level`, `component`, `event`, `message`, `remedy`, `left_out`, `logger`; what says
    nothing is left out."""
    fields: dict[str, str | int] = {
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds"),
        "level": logging.getLevelName(entry.level).lower(),
        "component": entry.component,
        "event": entry.event,
        "message": entry.message,
        "remedy": entry.remedy,
        "left_out": entry.left_out,
        "logger": entry.logger,
    }
    return json.dumps({name: value for name, value in fields.items() if value != "" and value != 0})


def as_datagram(entry: LogEntry, identifier: str = "perpetuum") -> bytes:
    """The native protocol of systemd's journal (systemd.io/JOURNAL_NATIVE_PROTOCOL): a field a line.

    Where its value has several lines: its name, its length in 64 bits and its bytes.
    """
    left_out = f" (and {entry.left_out} more like it)" if entry.left_out else ""
    fields = {
        "MESSAGE": entry.message + left_out,
        "PRIORITY": str(priority(entry.level)),
        "SYSLOG_IDENTIFIER": identifier,
        "PERPETUUM_COMPONENT": entry.component,
        "PERPETUUM_EVENT": entry.event,
        "PERPETUUM_REMEDY": entry.remedy,
        "PERPETUUM_LOGGER": entry.logger,
    }
    found = b""
    for name, value in fields.items():
        data = value.encode("utf-8", "replace")
        if not data:
            continue
        if b"\n" in data:
            found += name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
        else:
            found += name.encode() + b"=" + data + b"\n"
    return found
