# pyright: strict
"""Where in the file each character of a scalar's value stands, for messages about what is written inside it."""

from __future__ import annotations

import re

from engine.scenes.text.nodes import ScalarNode
from engine.scenes.text.problems import Span
from engine.scenes.text.source import SourceFile

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|.|[\r\n])", re.DOTALL)
_FOLD = re.compile(r"[ \t]*(?:\r\n|\r|\n)\s*")


def span_within(source: SourceFile, node: ScalarNode, start: int, end: int) -> Span:
    """The stretch of the file that holds the characters start..end of a scalar's value."""
    places = _places(source.text[node.span.start : node.span.end], node)
    last = len(places) - 1
    begin = places[min(max(start, 0), last)]
    finish = max(places[min(max(end - 1, 0), last)] + 1, begin + 1)
    return Span(node.span.start + begin, node.span.start + finish)


def _places(raw: str, node: ScalarNode) -> list[int]:
    """For each character of the value, and for its end, an index into the raw text."""
    properties = _PROPERTIES.match(raw)
    offset = properties.end() if properties else 0
    if node.style in ("|", ">"):
        places = _block(raw, offset, node.text)
    else:
        places = _flow(raw, offset + len(node.style), node.text, node.style)
    return [min(place, max(len(raw) - 1, 0)) for place in places]


def _flow(raw: str, at: int, value: str, quote: str) -> list[int]:
    """Plain and quoted scalars: escapes are one character each, a line break with its indentation is folded."""
    places: list[int] = []
    while len(places) < len(value) and at < len(raw):
        escape = _ESCAPE.match(raw, at) if quote == '"' else None
        fold = _FOLD.match(raw, at)
        if fold:
            # One break becomes a space, n of them n - 1 breaks; without either the line was continued by a backslash.
            folded = re.match(r"\n+| |", value[len(places) :])
            places += [at] * (len(folded[0]) if folded else 0)
            at = fold.end()
        elif escape:
            if escape[0][1] not in "\r\n":
                places.append(at)
                at = escape.end()
            else:
                at = escape.end() + len(raw[escape.end() :]) - len(raw[escape.end() :].lstrip(" \t"))
        else:
            places.append(at)
            at += 2 if quote == "'" and raw.startswith("''", at) else 1
    return places + [at] * (len(value) - len(places) + 1)


def _block(raw: str, at: int, value: str) -> list[int]:
    """Literal and folded scalars: below the header, each line loses its indentation."""
    header = re.compile(r"[|>]([-+]?)([1-9]?)([-+]?)[^\r\n]*(?:\r\n|\r|\n|$)").match(raw, at)
    body = header.end() if header else at
    lines = re.compile(r"([ ]*)([^\r\n]*)(\r\n|\r|\n|$)")
    indent = min((len(line[1]) for line in lines.finditer(raw, body) if line[2]), default=0)
    places: list[int] = []
    for line in lines.finditer(raw, body):
        if len(places) >= len(value):
            break
        start = line.start() + min(indent, len(line[1]))
        content = raw[start : line.end(2)]
        rest = value[len(places) :]
        # In a folded scalar an empty line may stand for a break that was noted already.
        if rest.startswith(content):
            places += range(start, start + len(content))
            if len(places) < len(value) and value[len(places)] in " \n":
                places.append(line.end(2))
    return places + [len(raw) - 1] * (len(value) - len(places) + 1)
