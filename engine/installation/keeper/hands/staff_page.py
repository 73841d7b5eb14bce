# pyright: strict
"""The page for staff: how it is, in words, and what they may do about it, on a telephone, without any script.

Forms alone do it, so that it works in whatever browser there is. Who has shown the token gets a cookie that opens this
page and nothing else: neither the alarm nor scenes can be had with it. Each form carries a value that no other site
knows, so that none can send one in the name of whoever is logged in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
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

PATH = "/staff"
"""Where it lies."""

LOGIN, LOGOUT = "login", "logout"

COOKIE = "perpetuum_staff"

LASTS = 30 * 24 * 3600
"""Seconds for which a telephone stays logged in; another token ends it sooner."""

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
    """

    def __init__(self, answer: Callable[[str], str]) -> None:
        self._answer = answer
        self._own = secrets.token_bytes(32)  # of forms where there is no token

    def visit(self, visit: Visit, token: str | None) -> Page:
        """Answer a visit.

        Args:
            visit: the request, whose host has been looked at.
            token: that must have been shown; None: none is asked for.
        """
        action = visit.path.removeprefix(PATH).strip("/")
        known = token is None or _same(_cookie(visit.cookies), _sealed(token, "cookie"))
        if action == "" and visit.method in ("GET", "HEAD"):
            return self._show(token) if known else _login_page()
        if action not in (*_MAY, LOGIN, LOGOUT):
            return _problem(404, "There is no such page.")
        if visit.method != "POST":
            return Page(303, more=(("Location", PATH),))  # a link, or a page that was loaded again: it does nothing
        if not _is_ours(visit):
            return _problem(403, "Another page sent this. Nothing was done.")
        if action == LOGIN:
            return _logged_in(token, visit.form.get("token", ""))
        if not known:
            return _login_page(401, "Please log in once more. Nothing was done.")
        if not _same(visit.form.get("form", ""), self._form_value(token)):
            return self._show(token, "This page was too old. Nothing was done; please do it once more.", 403)
        if action == LOGOUT:
            return Page(303, more=(("Location", PATH), ("Set-Cookie", _cookie_set("", 0))))
        try:
            self._answer(_MAY[action])
        except PerpetuumError as error:
            return self._show(token, f"It cannot be done now: {error}", 409)
        return Page(303, more=(("Location", PATH),))  # so that loading again does nothing again

    def _form_value(self, token: str | None) -> str:
        return _sealed(token, "form") if token is not None else hmac.new(self._own, b"form", "sha256").hexdigest()

    def _show(self, token: str | None, refused: str = "", code: int = 200) -> Page:
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
        hidden = f'<input type="hidden" name="form" value="{self._form_value(token)}">'
        leave = [(LOGOUT, "Log out")] if token is not None else []
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
        + f'<form method="post" action="{PATH}/{LOGIN}"><label for="token">Password of this installation</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required>'
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


def _logged_in(token: str | None, given: str) -> Page:
    if token is not None and not _same(given.strip(), token):
        return _login_page(401, "That is not the password.")
    more = (("Set-Cookie", _cookie_set(_sealed(token, "cookie"), LASTS)),) if token is not None else ()
    return Page(303, more=(("Location", PATH), *more))


def _is_ours(visit: Visit) -> bool:
    """Whether a form was sent by this page itself, as far as the browser says."""
    if visit.site not in ("", "same-origin", "none"):
        return False
    try:
        return not visit.origin or (bool(visit.host) and urlsplit(visit.origin).netloc == visit.host)
    except ValueError:
        return False


def _sealed(token: str, use: str) -> str:
    """What stands for a token in a browser; the token cannot be had from it."""
    return hmac.new(token.encode(), f"perpetuum staff {use}".encode(), "sha256").hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))


def _cookie(header: str) -> str:
    """Our cookie; by hand, since one of another port of this host that is written badly would hide it."""
    pairs = (one.strip().partition("=") for one in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _cookie_set(value: str, seconds: int) -> str:
    return f"{COOKIE}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict"
