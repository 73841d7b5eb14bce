"""Places inside scalars of every style."""

import pytest

from engine.scenes.text.nodes import MapNode, ScalarNode
from engine.scenes.text.parsing import parse
from engine.scenes.text.positions import span_within
from engine.scenes.text.source import SourceFile

WRITTEN = [
    ("plain", "a: one WORD three\n"),
    ("plain over lines", "a: one\n  two\n\n  WORD three\n"),
    ("single quotes", "a: 'it''s a ''WORD'' there'\n"),
    ("single quotes over lines", "a: 'it''s\n\n\n   a WORD'\n"),
    ("double quotes", 'a: "one\\ttwo WORD"\n'),
    ("escapes", 'a: "\\u0041\\x42\\U00000043\\n\\\\ \\" WORD"\n'),
    ("double quotes over lines", 'a: "one\n\n  two \\\n    WORD"\n'),
    ("literal", "a: |\n  one\n    two\n\n  WORD x\n"),
    ("literal with header", "a: |2-   # a remark\n    one\n  WORD\n"),
    ("folded", "a: >\n  one\n  two\n\n\n  three WORD\n"),
    ("folded keeps deeper lines", "a: >-\n  one\n\n    two\n    WORD\n  x\n"),
    ("tagged and anchored", "a: !!str &x one WORD\n"),
    ("windows line ends", 'a: "one\r\n  WORD"\r\n'),
    ("flow", "a: {b: [1, 2]}\nc: [one WORD]\n"),
]


@pytest.mark.parametrize("text", [text for _, text in WRITTEN], ids=[name for name, _ in WRITTEN])
def test_a_word_inside_a_scalar_is_found_in_the_file(tmp_path, text):
    path = tmp_path / "file.yaml"
    path.write_bytes(text.encode())
    source = SourceFile.read(path)
    scalar = next(node for node in scalars(parse(source)) if "WORD" in node.text)
    start = scalar.text.index("WORD")
    span = span_within(source, scalar, start, start + 4)
    assert source.text[span.start : span.end] == "WORD"


def scalars(node):
    if isinstance(node, ScalarNode):
        return [node]
    inner = [value for _, _, value in node.meant()] if isinstance(node, MapNode) else node.items
    return [scalar for item in inner for scalar in scalars(item)]
