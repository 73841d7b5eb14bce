# pyright: strict
"""Takes secrets out of texts: as they are, and in every way in which a URL, JSON or base64 writes them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus, unquote, urlsplit

from engine.scenes.text.source import SECRET

MASK = "<secret>"

SHORTEST = 4
"""Characters of a secret that is looked for; a shorter one is part of every other word."""

_SHORTEST_PART = 6
"""Characters of a part of a URL that is looked for by itself."""

_PLAIN = 16
"""Characters from which a part of a path without a digit is no word that a language has."""

_KEY = rf"(?i:(?:{SECRET.pattern})[\w-]{{0,40}})"
_COLON = r"[\"']?[ \t]{0,9}:[ \t]{0,99}"
_WRITTEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(\b\w[\w+.-]{0,20}://)[^\s/@\"']{1,300}@"), rf"\1{MASK}@"),
    (re.compile(r"\b((?i:bearer|basic)\s{1,9})[\w.~+/=-]{4,}"), rf"\1{MASK}"),
    (re.compile(rf"({_KEY}=)[^\s&\"']+"), rf"\1{MASK}"),
    (re.compile(rf"({_KEY}{_COLON})([\"'])(?:(?!\2)[^\r\n\\]|\\.)*\2"), rf"\1\2{MASK}\2"),
    (re.compile(rf"({_KEY}{_COLON})(?![ \t{{\[#]|$|[\"']{MASK})[^\r\n]+"), rf"\1{MASK}"),
)
"""What looks like a secret, whatever it is: in URLs, in headers, behind a key that is called so."""


class Masker:
    """Masks secrets.

    Args:
        secrets: that are known; those below `SHORTEST` characters are left alone.
        unread: where others lie that could not be read.

    Attributes:
        left: what is not masked, in sentences; empty where all is.
    """

    def __init__(self, secrets: Iterable[str], unread: Sequence[str] = ()) -> None:
        known = {one.strip() for one in secrets} - {""}
        too_short = sum(len(one) < SHORTEST for one in known)
        self.left = [f"{too_short} secrets are too short to be looked for."] if too_short else []
        self.left += [f"The secret in {where} could not be read here, and so not be looked for." for where in unread]
        spellings = {spelling for one in known if len(one) >= SHORTEST for spelling in _spellings(one)}
        self._known = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """A text without them."""
        for one in self._known:
            text = text.replace(one, MASK)
        for pattern, mask in _WRITTEN:
            text = pattern.sub(mask, text)
        return text


def _spellings(secret: str) -> Iterator[str]:
    for part in {secret, *_parts(secret)}:
        plain = {part, quote(part), quote(part, safe=""), quote_plus(part), unquote(part), html.escape(part)}
        for one in plain | {quote(part).lower(), quote(part, safe="").lower()}:
            yield one
            yield json.dumps(one)[1:-1]
            yield json.dumps(one, ensure_ascii=False)[1:-1]
            yield repr(one)[1:-1]
        yield from _in_base64(part.encode())
        yield part.encode().hex()


def _parts(secret: str) -> Iterator[str]:
    """What of a URL is secret by itself: all behind the host, each piece of it, and who logs in."""
    try:
        parts = urlsplit(secret)
        if not parts.scheme or not parts.netloc:
            return
        whole = secret.partition("://")[2].partition("/")[2]
        login = [parts.username or "", parts.password or ""]
    except ValueError:  # no URL
        return
    path, _, query = whole.partition("?")
    words = [piece for piece in path.split("/") if len(piece) >= _PLAIN or any(map(str.isdigit, piece))]
    for piece in (whole, *words, *re.split(r"[&=#;]", query), *login):
        if len(piece) >= _SHORTEST_PART:
            yield piece


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters that a secret comes to in base64, wherever in a longer text it stands."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + data)
        core = coded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6].decode()
        if len(core) >= _SHORTEST_PART:
            yield core
            yield core.replace("+", "-").replace("/", "_")
