# pyright: strict
"""The page for staff: how it is, in words, and what they may do about it, on a telephone, without any script.

Forms alone do it, so that it works in whatever browser there is. Who has shown the password of staff, or the token,
gets a cookie that opens this page and nothing else: neither the alarm nor scenes can be had with it. Each form carries
a value that no other site knows, so that none can send one in the name of whoever is logged in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

import msgspec

from engine.errors import PerpetuumError
from engine.events.snapshot import HealthSnapshot
from engine.health.page import for_caretaker
from engine.installation.keeper.hands.hands import Ask
from engine.processes.backoff import Backoff

log = logging.getLogger(__name__)

PATH = "/staff"
"""Where it lies."""

LOGIN, LOGOUT = "login", "logout"

COOKIE = "perpetuum_staff"

LASTS = 30 * 24 * 3600
"""Seconds for which a telephone stays logged in; another password or token ends it sooner."""

MOST_WRONG = 5
"""Wrong passwords in a row after which one has to wait, and again after each further one."""

FIRST_WAIT, LONGEST_WAIT = 60.0, 3600.0
"""Seconds of these waits. Whoever is logged in does not notice, and the token is always taken."""

_MAY: Mapping[str, str] = {
    "softer": Ask.SOFTER,
    "louder": Ask.LOUDER,
    "usual": f"{Ask.VOLUME} 0",
    "mute": Ask.MUTE,
    "unmute": Ask.UNMUTE,
    "quiet": Ask.QUIET,
    "normal": Ask.NORMAL,
}
"""What the page does, and the line at the control socket that it is. Nothing else can be asked here."""

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.25rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 32rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; }
button, input { box-sizing: border-box; font: inherit; margin: .3rem 0; min-height: 3.5rem; width: 100%; }
.refused { border-left: .4rem solid; padding-left: .8rem; }
"""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # Not `no-referrer`: browsers would then call the page's own forms of no origin.
    ("Referrer-Policy", "same-origin"),
)
"""Of every answer. Nothing from elsewhere is loaded, nothing is kept, no other page shows this one in itself."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request.

    Attributes:
        method: of HTTP.
        path: what is asked for.
        host: that it was sent to, as its header says.
        origin: of the page that sent it, by its header; empty where the browser says nothing.
        site: `Sec-Fetch-Site`, likewise.
        cookies: its header.
        form: what was filled in.
    """

    method: str
    path: str
    host: str
    origin: str = ""
    site: str = ""
    cookies: str = ""
    form: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: status of HTTP, headers beside `HEADERS`, text."""

    code: int
    text: str = ""
    more: tuple[tuple[str, str], ...] = ()


class StaffPage:
    """Answers visits.

    Args:
        answer: gives the answer to a line, as at the control socket.
        clock: gives seconds.
    """

    def __init__(self, answer: Callable[[str], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._answer = answer
        self._clock = clock
        self._own = secrets.token_hex(32)  # seals where there is no token
        self._lock = threading.Lock()
        self._backoff = Backoff(FIRST_WAIT, LONGEST_WAIT)
        self._wrong = 0
        self._until = -math.inf

    def visit(self, visit: Visit, token: str | None, password: str | None = None) -> Page:
        """Answer a visit.

        Args:
            visit: the request, whose host has been looked at.
            token: that opens it; None without.
            password: of staff, that opens it; None without. Where there is neither, nothing is asked for.
        """
        action = visit.path.removeprefix(PATH).strip("/")
        opening = [one for one in (password, token) if one is not None]
        # Of what staff know alone it could be found by trying: the seal needs what nobody but this machine has.
        seal = token if token is not None else self._own
        cookie = _cookie(visit.cookies)
        known = not opening or any(_same(cookie, _sealed(seal, f"cookie {one}")) for one in opening)
        if action == "" and visit.method in ("GET", "HEAD"):
            return self._show(seal, bool(opening)) if known else _login_page()
        if action not in (*_MAY, LOGIN, LOGOUT):
            return _problem(404, "There is no such page.")
        if visit.method != "POST":
            return Page(303, more=(("Location", PATH),))  # a link, or a page that was loaded again: it does nothing
        if not _is_ours(visit):
            return _problem(403, "Another page sent this. Nothing was done.")
        if action == LOGIN:
            return self._logged_in(seal, visit.form.get("password", "").strip(), token, password)
        if not known:
            return _login_page(401, "Please log in once more. Nothing was done.")
        if not _same(visit.form.get("form", ""), _sealed(seal, "form")):
            again = "This page was too old. Nothing was done; please do it once more."
            return self._show(seal, bool(opening), again, 403)
        if action == LOGOUT:
            return Page(303, more=(("Location", PATH), ("Set-Cookie", _cookie_set("", 0))))
        try:
            self._answer(_MAY[action])
        except PerpetuumError as error:
            return self._show(seal, bool(opening), f"It cannot be done now: {error}", 409)
        return Page(303, more=(("Location", PATH),))  # so that loading again does nothing again

    def _logged_in(self, seal: str, given: str, token: str | None, password: str | None) -> Page:
        """Let somebody in, if they know what opens it; one at a time, so that nobody tries more than is counted."""
        if token is None and password is None:
            return Page(303, more=(("Location", PATH),))
        with self._lock:
            now = self._clock()
            if now < self._until and not (token is not None and _same(given, token)):
                minutes = math.ceil((self._until - now) / 60)
                return _login_page(429, f"Too many wrong passwords. Please wait for {minutes} min, or call.")
            for one in (token, password):
                if one is not None and _same(given, one):
                    self._wrong, self._until = 0, -math.inf
                    self._backoff.reset()
                    cookie = _cookie_set(_sealed(seal, f"cookie {one}"), LASTS)
                    return Page(303, more=(("Location", PATH), ("Set-Cookie", cookie)))
            self._wrong += 1
            if self._wrong >= MOST_WRONG:
                self._until = now + self._backoff.next_delay()
                log.warning(
                    "%d wrong passwords in a row on the page for staff: nobody is let in for a while", self._wrong
                )
            return _login_page(401, "That is not the password.")

    def _show(self, seal: str, guarded: bool, refused: str = "", code: int = 200) -> Page:
        status: dict[str, Any] = json.loads(self._answer("status"))
        found: object = status.get("snapshot")
        snapshot = msgspec.convert(found, HealthSnapshot) if found is not None else None
        muted, quiet, volume = bool(status.get("muted")), bool(status.get("quiet")), float(status.get("volume") or 0.0)
        if snapshot is not None and snapshot.muted != muted:
            # It is of a second ago, and whoever has just muted it shall not read that music plays.
            snapshot = replace(snapshot, muted=muted, expected=not muted, silent=0.0)
        words = "".join(f"<p>{escape(line)}</p>" for line in for_caretaker(snapshot, time.monotonic()))
        usual = [("usual", "Volume as usual")] if volume else []
        others = [
            ("unmute", "Sound on") if muted else ("mute", "Mute"),
            ("normal", "End quiet mode") if quiet else ("quiet", "Quiet mode"),
        ]
        hidden = f'<input type="hidden" name="form" value="{_sealed(seal, "form")}">'
        leave = [(LOGOUT, "Log out")] if guarded else []
        body = (
            (f'<p class="refused" role="alert">{escape(refused)}</p>' if refused else "")
            + f'<section role="status" aria-label="How it is">{words}</section>'
            + f"<h2>Volume</h2><p>{_volume_words(volume)}</p>"
            + _buttons([("louder", "Louder"), ("softer", "Softer"), *usual], hidden)
            + f"<h2>Silence</h2><p>{_silence_words(muted, quiet)}</p>"
            + _buttons(others, hidden)
            + f'<p><a href="{PATH}">Look again</a></p>'
            + _buttons(leave, hidden)
        )
        return Page(code, _html(str(status.get("title") or "Installation"), body))


def _buttons(pairs: list[tuple[str, str]], hidden: str) -> str:
    return "".join(
        f'<form method="post" action="{PATH}/{action}">{hidden}<button>{label}</button></form>'
        for action, label in pairs
    )


def _volume_words(volume: float) -> str:
    if not volume:
        return "As usual."
    return f"{abs(volume):g} dB {'louder' if volume > 0 else 'softer'} than usual, until the next opening."


def _silence_words(muted: bool, quiet: bool) -> str:
    return ("Muted." if muted else "Not muted.") + (" Quiet mode is on." if quiet else " Quiet mode is off.")


def _login_page(code: int = 200, refused: str = "") -> Page:
    body = (
        (f'<p class="refused" role="alert">{escape(refused)}</p>' if refused else "")
        + f'<form method="post" action="{PATH}/{LOGIN}"><label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        "<button>Log in</button></form>"
    )
    return Page(code, _html("Staff", body))


def _problem(code: int, text: str) -> Page:
    return Page(code, _html("Staff", f'<p role="alert">{text}</p><p><a href="{PATH}">To the page</a></p>'))


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _is_ours(visit: Visit) -> bool:
    """Whether a form was sent by this page itself, as far as the browser says."""
    if visit.site not in ("", "same-origin", "none"):
        return False
    try:
        return not visit.origin or (bool(visit.host) and urlsplit(visit.origin).netloc == visit.host)
    except ValueError:
        return False


def _sealed(seal: str, use: str) -> str:
    """What stands in a browser for something that is known here; neither can be had from it."""
    return hmac.new(seal.encode(), f"perpetuum staff {use}".encode(), "sha256").hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


def _cookie(header: str) -> str:
    """Our cookie; by hand, since one of another port of this host that is written badly would hide it."""
    pairs = (one.strip().partition("=") for one in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _cookie_set(value: str, seconds: int) -> str:
    return f"{COOKIE}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
