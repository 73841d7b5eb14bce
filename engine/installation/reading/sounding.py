# pyright: strict
"""Outputs of an installation file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import PerpetuumError
from engine.installation.installation import FollowerChoice, Sound
from engine.installation.reading.models import InstallationFile, OutputEntryFile
from engine.outputs.contract import OUTPUTS
from engine.outputs.opening import OutputChoice
from engine.scenes.schema.kinds import find_kind
from engine.scenes.schema.validation import validate
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span, good, problems
from engine.scenes.text.source import SourceFile

MOST_FOLLOWERS = 16

_FORM = "`KIND` or `KIND:ARGUMENT`, like `device:hw:CARD=PCH,DEV=0`, or a mapping with `kind`"


def read_sound(source: SourceFile, node: MapNode, head: InstallationFile) -> Sound | Problem:
    """Where the sound goes."""
    output = Sound().output
    if "output" in node.entries:
        key, value = node.entries["output"]
        read = _read_output(source, value, key.span, master=True)
        if isinstance(read, Problem):
            _read_followers(source, node)
            return read
        output = read.choice
    followers = _read_followers(source, node)
    if isinstance(followers, Problem):
        return followers
    return Sound(output, followers, head.mono)


def _read_followers(source: SourceFile, node: MapNode) -> tuple[FollowerChoice, ...] | Problem:
    if "followers" not in node.entries:
        return ()
    key, value = node.entries["followers"]
    if not isinstance(value, ListNode):
        return source.error(key.span, "`followers` must be a list", "like `[wav:/srv/takes/]`")
    if len(value.items) > MOST_FOLLOWERS:
        return source.error(key.span, f"more than {MOST_FOLLOWERS} followers")
    read = [_read_output(source, item, key.span, master=False) for item in value.items]
    wrong = problems(read)
    return wrong[0] if wrong else tuple(good(read))


def _read_output(source: SourceFile, node: Node, at: Span, master: bool) -> FollowerChoice | Problem:
    span = node.span if node.span.end > node.span.start else at
    noun = "`output`" if master else "a follower"
    if isinstance(node, MapNode):
        if "kind" in node.entries:
            key, value = node.entries["kind"]
            node = replace(node, entries={**node.entries, "kind": (key, _with_null(value))})
        file = validate(OutputEntryFile, node, source, noun, at)
        if isinstance(file, Problem):
            return file
        kind = node.get("kind")
        if not isinstance(kind, ScalarNode):
            return source.error(span, f"{noun} has no `kind`", _FORM)
        choice = OutputChoice(file.kind, file.argument if "argument" in node.entries else None)
        return _checked(source, FollowerChoice(choice, file.keep), kind, span, master)
    node = _with_null(node)
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text:
        return source.error(span, f"{noun} names no output", _FORM)
    choice = OutputChoice.parse(node.text)
    named = ScalarNode(span, choice.kind, choice.kind, "")
    return _checked(source, FollowerChoice(choice), named, span, master)


def _with_null(node: Node) -> Node:
    """The output `null` is what YAML takes for nothing where no quotes are around it."""
    return replace(node, value=node.text) if isinstance(node, ScalarNode) and node.text == "null" else node


def _checked(
    source: SourceFile, one: FollowerChoice, named: ScalarNode, span: Span, master: bool
) -> FollowerChoice | Problem:
    kind = find_kind(source, OUTPUTS, named)
    if isinstance(kind, Problem):
        return kind
    argument = one.choice.argument
    if argument is not None and not kind.argument:
        return source.error(span, f"the output `{kind.name}` takes no argument", f"`{kind.name}`")
    if argument == "" or (argument is None and kind.needs_argument):
        return source.error(span, f"the output `{kind.name}` needs a {kind.argument}", f"`{kind.name}:{kind.argument}`")
    if argument is not None and "\0" in argument:
        return source.error(span, "an argument has no NUL characters in it")
    if argument is not None:
        try:
            kind.examine(argument)
        except PerpetuumError as error:
            return source.error(span, error.message, hint=error.hint or "")
    if master != kind.keeps_time:
        what = "does not keep time, so it can only follow" if master else "keeps time, and two clocks drift apart"
        hint = "let it stand in `followers`" if master else "let it stand in `output`, and take the other one away"
        return source.error(span, f"the output `{kind.name}` {what}", _keepers(source, master), hint=hint)
    if one.keep is not None and not (argument or "").endswith("/"):
        return source.error(span, "`keep` is for recordings into a folder", "an argument that ends with `/`")
    return one


def _keepers(source: SourceFile, keeping: bool) -> str:
    """The kinds that keep time, or those that do not."""
    kinds: Sequence[str] = [name for name, kind in OUTPUTS.kinds().items() if kind.keeps_time == keeping]
    return " or ".join(f"`{name}`" for name in kinds)
