# pyright: strict
"""A calibration into the text of an installation file: all else of it stays as it is, comments too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import PerpetuumError
from engine.installation.choices.calibration import Calibration
from engine.installation.installation import Installation
from engine.installation.loading import look_into_installation
from engine.installation.reading.entries import NamedScenes
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import read_tree
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.nodes import MapNode, Node
from engine.scenes.text.parsing import parse
from engine.scenes.text.problems import Span
from engine.scenes.text.source import SourceFile, UnreadableError


def calibration_words(calibration: Calibration) -> str:
    """As a file says it: "{reading: 68 dBA, at: -20 LUFS}"."""
    return "{" + ", ".join(f"{name}: {value}" for name, value in _values(calibration).items()) + "}"


def by_hand(calibration: Calibration) -> str:
    """What to do where it cannot be put there, so that no reading is lost."""
    return f"write it by hand, below `loudness:`: `calibration: {calibration_words(calibration)}`"


def read_to_calibrate(path: Path) -> tuple[Installation | None, list[Diagnostic]]:
    """An installation file that may say dBA before it has a calibration; what it says in dBA is left out then.

    Returns:
        (installation, diagnostics); None where anything else is wrong with it.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source, node = read_tree(path)
    if isinstance(node, MapNode):
        loudness = node.get("loudness")
        if isinstance(loudness, MapNode) and "calibration" not in loudness.entries:
            kept = {name: entry for name, entry in loudness.entries.items() if not _in_dba(source, entry[1].span)}
            entries = {**node.entries, "loudness": (node.key("loudness"), replace(loudness, entries=kept))}
            node = replace(node, entries=entries)
    checked = look_into_installation(source, node, NamedScenes(Instruments(), {}))
    return checked.installation, checked.diagnostics


def with_calibration(text: str, calibration: Calibration) -> str:
    """The text of an installation file with a calibration in its `loudness`.

    Raises:
        PerpetuumError: it cannot be put there; the line must be written by hand.
    """
    node = _tree(text)
    if isinstance(node, MapNode):
        made = _edited(text, node, calibration)
        wanted = node.plain()
        loudness = node.get("loudness")
        said = loudness.plain() if isinstance(loudness, MapNode) else {}
        wanted["loudness"] = {**said, "calibration": _values(calibration)}
        found = _tree(made)
        if isinstance(found, MapNode) and found.plain() == wanted:
            return made
    raise PerpetuumError("the calibration cannot be put into the file", by_hand(calibration))


def _edited(text: str, node: MapNode, calibration: Calibration) -> str:
    words = calibration_words(calibration)
    line_break = "\r\n" if "\r\n" in text else "\n"
    if "loudness" not in node.entries:
        start = text if text.endswith(("\n", "\r")) or not text else text + line_break
        return f"{start}{line_break}loudness:{line_break}  calibration: {words}{line_break}"
    key, loudness = node.entries["loudness"]
    if not isinstance(loudness, MapNode):  # `loudness:` and nothing behind it
        colon = text.index(":", key.span.end) + 1
        return f"{text[:colon]} {{calibration: {words}}}{text[colon:]}"
    old = loudness.get("calibration")
    if isinstance(old, MapNode):
        return _replaced(text, old, calibration)
    if not loudness.entries or text[loudness.span.start] == "{":
        brace = loudness.span.start + 1
        return f"{text[:brace]}calibration: {words}{', ' if loudness.entries else ''}{text[brace:]}"
    first = min(one.span.start for one, _ in loudness.entries.values())
    line = max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1
    return f"{text[:line]}{text[line:first]}calibration: {words}{line_break}{text[line:]}"


def _replaced(text: str, old: MapNode, calibration: Calibration) -> str:
    """With the values of a calibration that stands there already."""
    values = _values(calibration)
    spans = [(value.span, values[name]) for name, _, value in old.meant() if name in values]
    for span, value in sorted(spans, key=lambda one: -one[0].start):
        text = text[: span.start] + value + text[span.end :]
    return text


def _values(calibration: Calibration) -> dict[str, str]:
    return {"reading": f"{calibration.reading:g} dBA", "at": f"{calibration.at:g} LUFS"}


def _tree(text: str) -> Node | None:
    """What a text says; None where it cannot be read."""
    source = SourceFile(Path("installation.yaml"), text)
    try:
        node = parse(source)
    except UnreadableError:
        return None
    return node if source.sound else None


def _in_dba(source: SourceFile, span: Span) -> bool:
    return "dba" in source.text[span.start : span.end].casefold()
