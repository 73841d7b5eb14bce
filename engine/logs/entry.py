# pyright: strict
"""An entry of the log: a message, and what machines ask it for."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from engine.errors import PerpetuumError

LONGEST = 8192
"""Characters of a message; of a longer one the rest is left out."""

MARK = "\x1e"
"""What a line begins with in which a child tells its parent an entry; no text that people read has it."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Something that is worth a line.

    Attributes:
        at: seconds since 1970.
        level: as logging counts: 30 is a warning.
        component: the process that it comes from: "keeper", "mind", "recorder", "worker 1".
        logger: name of the module.
        message: for people.
        event: name of the event that it tells; empty without.
        remedy: what to do; empty where nothing can be said.
        template: of the message, the same for all of its kind.
        left_out: how many of its kind were not written before it.
    """

    at: float
    level: int
    component: str
    logger: str
    message: str
    event: str = ""
    remedy: str = ""
    template: str = ""
    left_out: int = 0


def entry_of(record: logging.LogRecord, component: str) -> LogEntry:
    """The entry of a record; never raises, whatever its arguments are.

    A `PerpetuumError` among the arguments gives the remedy, and its message alone stands in the text.
    """
    fields: dict[str, Any] = record.__dict__
    remedy = str(fields.get("remedy", ""))
    arguments = record.args
    if isinstance(arguments, tuple):
        errors = [one for one in arguments if isinstance(one, PerpetuumError)]
        remedy = remedy or next((one.hint for one in errors if one.hint), "")
        arguments = tuple(one.message if isinstance(one, PerpetuumError) else one for one in arguments)
    try:
        message = str(record.msg) % arguments if arguments else str(record.msg)
    except Exception:  # arguments that do not fit
        message = f"{record.msg} {arguments!r}"
    if record.exc_info and record.exc_info[0] is not None:
        message += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
    template = str(record.msg)
    return LogEntry(
        record.created,
        record.levelno,
        str(fields.get("component", component)),
        record.name,
        clipped(message),
        str(fields.get("event", "")),
        clipped(remedy),
        # One that is nothing but its argument is as many kinds as there are arguments.
        clipped(message, 80) if template.strip() in ("%s", "%r") else clipped(template, 200),
    )


def clipped(text: str, longest: int = LONGEST) -> str:
    """A text of bounded length, without what would end a line of a child too soon."""
    text = text.replace(MARK, " ")
    return text if len(text) <= longest else f"{text[: longest - 4]} ..."


def as_line(entry: LogEntry) -> str:
    """How a child tells it."""
    return MARK + json.dumps(asdict(entry))


def from_line(line: str, child: str) -> LogEntry | None:
    """What a child tells; None for what it prints otherwise, and for what is no entry.

    Args:
        line: that it printed.
        child: its name, for entries that do not say where they come from.
    """
    if not line.startswith(MARK):
        return None
    try:
        told: object = json.loads(line[len(MARK) :])
        entry = LogEntry(**_checked(told))
    except (ValueError, TypeError):
        return None
    return entry if entry.component else replace(entry, component=child)


def _checked(told: object) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise ValueError("no entry")
    fields = cast("dict[str, Any]", told)
    numbers, wholes = ("at",), ("level", "left_out")
    for name, value in fields.items():
        wanted = (int, float) if name in numbers else int if name in wholes else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ValueError(name)
        if isinstance(value, str):
            fields[name] = clipped(value)
    return fields


def record_of(entry: LogEntry) -> logging.LogRecord:
    """A record of the same, for the handlers of this process."""
    record = logging.LogRecord(entry.logger, entry.level, "", 0, entry.message, None, None)
    record.created = entry.at
    record.__dict__ |= {"entry": entry}
    return record
