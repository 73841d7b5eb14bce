# pyright: strict
"""A sheet of paper for the wall: what correct operation sounds and looks like, and what to do first.

Made from the installation file, as HTML that prints on one page, so that it never says anything else than what runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from engine.installation.hours.opening import WEEK, ExceptionDays, Hours
from engine.installation.installation import Installation, Order

_STYLE = """
body { font: 12pt/1.4 sans-serif; max-width: 44em; margin: 2em auto; color: #111; }
h1 { font-size: 20pt; margin: 0 0 .2em; } h2 { font-size: 13pt; margin: 1.2em 0 .3em; border-bottom: 1px solid #999; }
table { border-collapse: collapse; } td { padding: .1em 1.2em .1em 0; vertical-align: top; }
ol, ul { margin: .3em 0; } code { font-size: 11pt; } .small { font-size: 10pt; color: #444; }
@media print { body { margin: 0; } }
"""


def sheet(installation: Installation, name: str, contact: str = "") -> str:
    """The sheet, as a whole HTML page.

    Args:
        installation: of which.
        name: by which the commands call it.
        contact: whom to call, in words; empty leaves a line to write on.
    """
    title = escape(installation.title)
    parts = [
        _section("What you should hear", _list(_sound(installation))),
        *([_section("What you should see", _list(seen))] if (seen := _seen(installation)) else []),
        *([_section("From a telephone", _list(page))] if (page := _page(installation)) else []),
        _section("When", _table(_when(installation))),
        _section("When nothing can be heard, and it should", _numbered(_FIRST)),
        _section("What else can be done", _table(_commands(name))),
        _section("Whom to call", f"<p>{escape(contact)}</p>" if contact else "<p>" + "_" * 50 + "</p>"),
    ]
    head = f'<head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
    small = f'<p class="small">Made from {escape(installation.path.name)}. Print it again when the file changes.</p>'
    body = f"<body><h1>{title}</h1>{''.join(parts)}{small}</body>"
    return f'<!doctype html><html lang="en">{head}{body}</html>\n'


_FIRST = (
    "Is it open? Look at the hours above. A hand may have muted it: see below.",
    "Is the amplifier on, and its volume up?",
    "Are the cables plugged in, at the box and at the amplifier?",
    "Pull the plug of the box, wait ten seconds, and plug it in again. Music comes back within a minute, where it was.",
    "Still nothing: call.",
)


def _sound(installation: Installation) -> list[str]:
    programme = installation.programme
    turns = [entry for entry in programme.scenes.values() if not entry.hours]
    names = ", ".join(_words(entry.name) for entry in turns)
    lines = [
        f"Music without end: {names}." if len(turns) == 1 else f"Music without end, from {len(turns)} pieces: {names}."
    ]
    if len(turns) > 1:
        shortest, longest = (min(one.shortest for one in turns), max(one.longest for one in turns))
        how = "in this order" if programme.order is Order.FILE else "in an order that is drawn anew each day"
        lines.append(
            f"Each lasts {_span(shortest, longest)}, {how}. Between two of them it may be silent for some seconds."
        )
    fixed = [entry for entry in programme.scenes.values() if entry.hours]
    lines += [f"At {_hours(entry.hours)}{_on(entry.days)}: {_words(entry.name)}." for entry in fixed]
    quiet = installation.quiet
    if quiet.hours:
        lines.append(f"At {_hours(quiet.hours)}{_on(quiet.days)}: softer by {abs(quiet.level):g} dB.")
    if installation.fades.fade_in or installation.fades.fade_out:
        lines.append(
            f"It comes in over {_seconds(installation.fades.fade_in)} at the opening, "
            f"and goes over {_seconds(installation.fades.fade_out)} before the closing."
        )
    loudness = installation.loudness
    if loudness.calibration is not None:
        shown = loudness.calibration.decibels_a(loudness.loudest)
        lines.append(f"At its loudest hour about {shown:.0f} dB(A) where the meter stood.")
    outside = installation.outside
    lines.append(f"Outside the hours: {_words(outside.name)}, softly." if outside else "Outside the hours: silence.")
    if installation.sound.mono:
        lines.append("All loudspeakers play the same.")
    lines.append("Never: crackling, a tone that does not end, the same few seconds over and over.")
    return lines


def _seen(installation: Installation) -> list[str]:
    buttons, ups = installation.buttons, installation.ups
    lines: list[str] = []
    if buttons.light is not None:
        lines.append("The light is on: all is as it should be, in silence, too, where silence is meant.")
        lines.append("It blinks slowly: somebody muted it, or the fire alarm is on.")
        lines.append("It blinks quickly: something is wrong; see below.")
    there = {"louder": buttons.louder, "softer": buttons.softer, "mute": buttons.mute, "quiet mode": buttons.quiet}
    named = [name for name, pin in there.items() if pin is not None]
    if named:
        lines.append(f"Buttons: {', '.join(named)}. The next opening begins as loud as usual.")
    if ups is not None:
        goes = f" for {_seconds(ups.after)}, and then switches itself off" if ups.shutdown else ""
        lines.append(f"When the power is out it plays on from its battery{goes}. With power again it starts by itself.")
    return lines


def _page(installation: Installation) -> list[str]:
    """The page for staff: where it is, and what opens it. Of a machine whose only address is its own there is none."""
    listening = installation.listening
    there = [f"http://{one}/staff" for one in listening.control if not one.loopback and not one.everywhere]
    if not there and any(one.everywhere for one in listening.control):
        ports = dict.fromkeys(one.port for one in listening.control if one.everywhere)
        there = ["http://" + "_" * 20 + f":{port}/staff" for port in ports]
    if not there:
        return []
    with_what = "the password of staff" if listening.staff_password is not None else "the token of this installation"
    return [
        f"In the network of the house: {' or '.join(there)}. It asks once for {with_what}.",
        "Its first line says that music plays, or that silence is meant; or else what is wrong, and what to do first.",
        "It has buttons: louder, softer, mute, quiet mode. The next opening begins as loud as usual.",
    ]


def _when(installation: Installation) -> list[tuple[str, str]]:
    opening = installation.opening
    if opening.week is None:
        rows = [("Every day", "all day and all night")]
    else:
        rows: list[tuple[str, str]] = []
        for hours, days in groupby(enumerate(opening.week), key=lambda one: one[1]):
            numbers = [number for number, _ in days]
            named = WEEK[numbers[0]].capitalize()
            if len(numbers) > 1:
                named += f" to {WEEK[numbers[-1]].capitalize()}"
            rows.append((named, _hours(hours) or "closed"))
    rows += [(_dates(one), _hours(one.hours) or "closed") for one in opening.exceptions]
    if installation.restart is not None:
        hour, minute = divmod(round(installation.restart.at) // 60, 60)
        rows.append((f"Restart{_on(installation.restart.days)}", f"{hour:02d}:{minute:02d}, while nobody is there"))
    return rows


def _commands(name: str) -> list[tuple[str, str]]:
    return [
        ("How is it?", f"perpetuum status {name}"),
        ("Silence, until further notice", f"perpetuum control {name} mute"),
        ("Music again", f"perpetuum control {name} unmute"),
        ("Softer, for a guided tour", f"perpetuum control {name} quiet"),
        ("The tour is over", f"perpetuum control {name} normal"),
        ("A little softer, for today", f"perpetuum control {name} softer"),
        ("A little louder, for today", f"perpetuum control {name} louder"),
        ("As loud as usual again", f"perpetuum control {name} volume 0"),
        ("After a fire alarm", f"perpetuum control {name} release"),
    ]


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>{body}"


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _numbered(lines: Sequence[str]) -> str:
    return "<ol>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ol>"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(left)}</td><td>{_code(right)}</td></tr>" for left, right in rows)
    return f"<table>{cells}</table>"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>" if text.startswith("perpetuum ") else escape(text)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _hours(hours: Sequence[Hours]) -> str:
    return " and ".join(str(one).replace("..", " to ") for one in hours)


def _on(days: Sequence[int]) -> str:
    if len(days) == len(WEEK):
        return ""
    return " on " + ", ".join(WEEK[day].capitalize() for day in sorted(days))


def _dates(days: ExceptionDays) -> str:
    first, last = (_date(one) for one in (days.first, days.last))
    return first if days.single else f"{first} to {last}"


def _date(date: tuple[int, int, int]) -> str:
    year, month, day = date
    return f"{year}-{month:02d}-{day:02d}" if year else f"{month:02d}-{day:02d} of every year"


def _span(shortest: float, longest: float) -> str:
    low, high = round(shortest / 60), round(longest / 60)
    return f"{low} minutes" if low == high else f"{low} to {high} minutes"


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
