# pyright: strict
"""YAML as a tree of nodes.

ruamel.yaml splits the text into events; here they become nodes, by the rules of YAML 1.2's core schema whatever the
file's header says (`no` is a string). Aliases share nodes, so a "billion laughs" costs nothing and is refused by the
size that it would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.resolver import VersionedResolver

from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode, resolve
from engine.scenes.text.problems import Span
from engine.scenes.text.source import SourceFile, UnreadableError, clipped

DEEPEST = 32
"""Levels of nesting; a scene has five."""

MOST_VALUES = 20_000
"""Keys and values of a file with all aliases written out; a large scene has some hundreds."""

_TAG = "tag:yaml.org,2002:"
# ruamel.yaml's errors have no codes, only these words.
_SYNTAX_HINTS = {
    "mapping values are not allowed": "a text that contains `: ` needs quotes; check the indentation too",
    "cannot start any token": "indent with spaces, never tabs; a text that begins with this character needs quotes",
    "expected <block end>": "check the indentation of this line against the lines above",
    "could not find expected ':'": "a key needs a colon and a space behind it",
    "while scanning a quoted scalar": "close the quotes",
    "undefined alias": "write `&name` at the value that `*name` repeats, further up",
}


def parse(source: SourceFile) -> Node:
    """The tree of a file. Duplicate keys and the like are noted in the source, and the tree is still made.

    Raises:
        UnreadableError: the text is not YAML, or a trap; the reason is noted.
    """
    if not source.readable:
        raise UnreadableError
    try:
        return _Builder(source).build()
    except UnreadableError:
        if not source.ours:
            # What was noted has words of the file in it.
            source.found.clear()
            source.error(Span(0, 1), "the file is not YAML", "a text that says `perpetuum: 1`")
        raise


class _Version12(VersionedResolver):
    """YAML 1.2, also below a `%YAML 1.1` header."""

    @property
    def processing_version(self) -> Any:
        return (1, 2)


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read."""

    node: ListNode | MapNode
    anchor: str | None
    key: ScalarNode | None = None
    merges: list[tuple[ScalarNode, Node]] | None = None


class _Builder:
    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._anchors: dict[str, Node | None] = {}
        self._stack: list[_Open] = []
        self._root: Node | None = None
        self._values = 0
        self._seen = 0

    def build(self) -> Node:
        yaml: Any = YAML(typ="safe", pure=True)
        yaml.Resolver = _Version12
        documents = 0
        try:
            for event in yaml.parse(self._source.text):
                self._seen = event.end_mark.index
                if isinstance(event, yaml_events.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._refuse(self._span(event), "a second document begins here", "one document a file")
                self._take(event)
        except UnreadableError:
            raise
        except MarkedYAMLError as error:
            self._syntax(error)
        except (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError) as error:
            # ruamel.yaml answers some broken texts with such errors of its own.
            where = Span(self._seen, self._seen + 1)
            self._refuse(where, f"not YAML: {clipped(str(error)) or type(error).__name__}", "")
        if self._root is None:
            self._refuse(
                Span(0, 0),
                "the file is empty",
                "a scene, an installation or a training (see `docs/`)",
            )
        return self._root

    def _take(self, event: Any) -> None:
        anchor: object = getattr(event, "anchor", None)
        if isinstance(event, yaml_events.ScalarEvent):
            self._add(self._scalar(event), anchor)
        elif isinstance(event, yaml_events.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml_events.SequenceStartEvent | yaml_events.MappingStartEvent):
            self._begin(event)
        elif isinstance(event, yaml_events.SequenceEndEvent | yaml_events.MappingEndEvent):
            self._end(event)

    def _span(self, event: Any) -> Span:
        return Span(event.start_mark.index, event.end_mark.index)

    def _refuse(self, span: Span, message: str, expected: str, hint: str = "") -> NoReturn:
        self._source.error(span, message, expected, hint=hint)
        raise UnreadableError

    def _syntax(self, error: Any) -> None:
        mark: Any = error.problem_mark or error.context_mark
        index = mark.index if mark is not None else self._seen
        problem = " ".join(filter(None, [error.problem, error.context]))
        hint = next((hint for words, hint in _SYNTAX_HINTS.items() if words in problem), "")
        self._refuse(Span(index, index + 1), f"not YAML: {clipped(problem, 160)}", "", hint)

    def _scalar(self, event: Any) -> ScalarNode:
        span, text, style = self._span(event), event.value, event.style or ""
        tag = str(event.tag) if event.tag else ""
        value = text
        if tag:
            value = self._tagged(span, tag, text)
        elif not style:
            value = resolve(text)
        # The end mark of a block scalar lies behind the line breaks that follow it.
        if style in ("|", ">"):
            span = Span(span.start, span.start + len(self._source.text[span.start : span.end].rstrip()))
        return ScalarNode(span, value, text, style)

    def _tagged(self, span: Span, tag: str, text: str) -> Any:
        kind = tag.removeprefix(_TAG)
        if tag == "!" or kind == "str":
            return text
        value = resolve(text)
        right = {"int": int, "float": int | float, "bool": bool, "null": type(None)}.get(kind)
        if right is None or not tag.startswith(_TAG):
            self._source.error(
                span,
                f"the tag `{clipped(tag.replace(_TAG, '!!'))}` is not used here",
                hint="delete the tag; values need none",
            )
        elif not isinstance(value, right) or (kind != "bool" and isinstance(value, bool)):
            self._source.error(span, f"`{clipped(text)}` is not what its tag `!!{kind}` says", hint="delete the tag")
        return value

    def _begin(self, event: Any) -> None:
        start = Span(event.start_mark.index, event.end_mark.index)
        is_list = isinstance(event, yaml_events.SequenceStartEvent)
        tag = str(event.tag) if event.tag else ""
        if tag and tag != _TAG + ("seq" if is_list else "map"):
            shown = clipped(tag.replace(_TAG, "!!"))
            self._source.error(start, f"the tag `{shown}` is not used here", hint="delete the tag")
        if len(self._stack) >= DEEPEST:
            self._refuse(start, f"nested more than {DEEPEST} levels deep", "a file whose values nest five deep")
        if event.anchor:
            self._anchors[str(event.anchor)] = None  # known, but not finished
        node = ListNode(start, []) if is_list else MapNode(start, {})
        self._stack.append(_Open(node, event.anchor))

    def _end(self, event: Any) -> None:
        opened = self._stack.pop()
        node = opened.node
        # A block ends where the next token begins; the breaks before that are not part of it.
        text = self._source.text[node.span.start : max(node.span.end, event.end_mark.index)]
        node.span = Span(node.span.start, node.span.start + len(text.rstrip()))
        inside: list[Node] = node.items if isinstance(node, ListNode) else []
        if isinstance(node, MapNode):
            for key, value in opened.merges or ():
                self._merge(node, key, value)
            inside = [value for _, value in node.entries.values()]
        node.size = 1 + sum(item.size for item in inside)
        node.depth = 1 + max((item.depth for item in inside), default=0)
        if node.size > MOST_VALUES or node.depth > DEEPEST:
            self._refuse(
                Span(node.span.start, node.span.start + 1),
                f"with its aliases written out this has more than {MOST_VALUES} values or {DEEPEST} levels",
                "a file of some hundred values",
                "do not nest aliases in aliases",
            )
        self._add(node, opened.anchor)

    def _alias(self, event: Any) -> None:
        name, span = str(event.anchor), self._span(event)
        if name not in self._anchors:
            self._refuse(
                span,
                f"not YAML: undefined alias `*{clipped(name)}`",
                "",
                "write `&name` at the value that `*name` repeats, further up",
            )
        node = self._anchors[name]
        if node is None:
            self._refuse(span, f"the alias `*{clipped(name)}` stands inside the value that it repeats", "")
        self._place(node, span)

    def _add(self, node: Node, anchor: object) -> None:
        if anchor:
            self._anchors[str(anchor)] = node
        self._place(node, node.span)

    def _place(self, node: Node, span: Span) -> None:
        """Put a finished node where it belongs; `span` is where it is written, which for an alias is elsewhere."""
        self._values += 1
        if self._values > MOST_VALUES:
            self._refuse(span, f"more than {MOST_VALUES} values", "a file of some hundred values")
        if not self._stack:
            self._root = node
            return
        opened = self._stack[-1]
        if isinstance(opened.node, ListNode):
            opened.node.items.append(node)
        elif opened.key is None:
            if not isinstance(node, ScalarNode):
                self._refuse(span, "a list or mapping cannot be a key", "a name and a colon")
            opened.key = ScalarNode(span, node.value, node.text, node.style)
        else:
            key, opened.key = opened.key, None
            if key.text == "<<" and not key.style:
                opened.merges = [*(opened.merges or ()), (key, node)]
                return
            first = opened.node.entries.get(key.text)
            if first is not None and not key.text.startswith("x-"):
                line, _ = self._source.place(first[0].span.start)
                self._source.error(
                    key.span,
                    f"the key `{clipped(key.text)}` stands twice, first in line {line}",
                    hint="delete one of them",
                )
                return
            opened.node.entries[key.text] = (key, node)

    def _merge(self, into: MapNode, key: ScalarNode, value: Node) -> None:
        for node in value.items if isinstance(value, ListNode) else [value]:
            if not isinstance(node, MapNode):
                self._source.error(key.span, "`<<` merges mappings only", "an alias of a mapping, like `<<: *base`")
                continue
            self._values += len(node.entries)
            if self._values > MOST_VALUES:
                self._refuse(key.span, f"more than {MOST_VALUES} values", "a file of some hundred values")
            for name, entry in node.entries.items():
                into.entries.setdefault(name, entry)
