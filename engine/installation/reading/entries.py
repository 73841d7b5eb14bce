# pyright: strict
"""Scenes of an installation file, and how they follow one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.installation.hours.opening import Hours
from engine.installation.hours.programme import followers, rotation
from engine.installation.installation import (
    AfterRest,
    AtSection,
    Order,
    Outside,
    Overlap,
    Programme,
    SceneEntry,
    Transition,
)
from engine.installation.reading.days import read_days, read_hours
from engine.installation.reading.models import (
    MOST_SCENES,
    InstallationFile,
    OutsideFile,
    SceneEntryFile,
    TransitionFile,
)
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import Checked, check_file
from engine.scenes.reading.drafts import Written
from engine.scenes.reading.following import reachable, read_next
from engine.scenes.reading.parts.chains import read_written
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity, Span, good_items, problems
from engine.scenes.text.source import SourceFile, clipped
from engine.score.time import DAY

_OWN = {"at_section": ("fade",), "after_rest": ("fade", "rest"), "overlap": ("bars",)}
"""Settings of each kind of transition."""


@dataclass
class NamedScenes:
    """Scene files that an installation names; each is looked into once.

    Attributes:
        instruments: what has been looked into so far.
        checked: by path; None where it cannot be read.
        used: those that this installation names.
    """

    instruments: Instruments
    checked: dict[Path, Checked | None]
    used: list[Path] = field(default_factory=list[Path])

    def find(self, source: SourceFile, name: str, span: Span) -> Path | Problem:
        """The file of a scene, absolute, after a look into it; what is wrong is noted at the place that names it.

        Args:
            source: the installation.
            name: of a scene, or a path.
            span: where it stands.
        """
        path = assets.find("scenes", name, beside=source.folder)
        if path is None:
            known = list(assets.names("scenes"))
            message = f"there is no scene `{clipped(name)}`"
            return source.error(span, message, "the name of a scene, or the path of a file", nearest(name, known))
        path = path.absolute()
        self.used.append(path)
        if path not in self.checked:
            try:
                self.checked[path] = check_file(path, self.instruments)
            except PerpetuumError as error:
                self.checked[path] = None
                return source.error(span, error.message, hint=error.hint or "")
        checked = self.checked[path]
        if checked is None or checked.scene is None:
            return source.error(span, f"the scene `{clipped(name)}` is not valid", hint=f"see what is said of {path}")
        return path

    @property
    def found(self) -> list[Diagnostic]:
        """All that was found in them, once."""
        checked = [self.checked[path] for path in dict.fromkeys(self.used)]
        return list(dict.fromkeys(diagnostic for one in checked if one for diagnostic in one.diagnostics))


def read_programme(
    source: SourceFile, node: MapNode, head: InstallationFile, scenes: NamedScenes
) -> Programme | Problem | None:
    """Scenes, and how they follow one another; None where what is wrong with them has been noted already.

    Args:
        source: the file.
        node: of the whole installation.
        head: its own keys.
        scenes: what has been looked into so far.
    """
    written = _written(source, node)
    names = [one.name for one in written]
    entries = {one.name: _read_entry(source, one, names, scenes) for one in written}
    transition = _read_transition(source, node)
    if wrong := problems((*entries.values(), transition)):
        return wrong[0]
    if isinstance(transition, Problem):
        return transition
    value = node.get("scenes")
    if not written or not isinstance(value, MapNode) or len(written) < len(list(value.meant())):
        return None
    programme = Programme(good_items(entries), head.order, head.seed, transition or AtSection(), head.longest_wait)
    return _checked(source, node, programme, {one.name: one for one in written})


def read_outside(source: SourceFile, node: MapNode, file: OutsideFile, scenes: NamedScenes) -> Outside | Problem:
    """What sounds outside the hours."""
    key, value = node.entries["outside"]
    named = value.get("scene") if isinstance(value, MapNode) else None
    path = scenes.find(source, file.scene, named.span if named is not None else key.span)
    return path if isinstance(path, Problem) else Outside(file.scene, path, file.level)


def _written(source: SourceFile, node: MapNode) -> list[Written]:
    """The scenes as they stand in the file; a name without settings has those of all."""
    value = node.get("scenes")
    if not isinstance(value, MapNode):
        return []
    entries = {
        name: (key, MapNode(key.span, {}) if isinstance(inner, ScalarNode) and inner.value is None else inner)
        for name, key, inner in value.meant()
    }
    whole = MapNode(value.span, entries)
    return read_written(source, whole, "scene", "its settings, like `{length: 30 min}`, or nothing", MOST_SCENES)


def _read_entry(
    source: SourceFile, written: Written, names: Sequence[str], scenes: NamedScenes
) -> SceneEntry | Problem:
    node, noun = written.node, f"scene `{clipped(written.name)}`"
    file = validate(SceneEntryFile, node, source, noun, written.span)
    following = read_next(source, node, "scene", names)
    hours: tuple[Hours, ...] | Problem = ()
    if "hours" in node.entries:
        hours = read_hours(source, node.entries["hours"][1], node.key("hours").span, closed=False)
    days = read_days(source, node.get("days"))
    transition = _read_transition(source, node)
    named = node.get("file")
    # Also where the rest of the scene is wrong, so that all is told at once.
    name = named.text if isinstance(named, ScalarNode) and isinstance(named.value, str) and named.text else written.name
    path = scenes.find(source, name, named.span if named is not None else written.span)
    if "days" in node.entries and "hours" not in node.entries:
        source.error(node.key("days").span, "`days` are those of `hours`, and there are none", hint="add `hours`")
    if isinstance(file, Problem):
        return file
    if isinstance(path, Problem):
        return path
    if isinstance(following, Problem):
        return following
    if isinstance(hours, Problem):
        return hours
    if isinstance(days, Problem):
        return days
    if isinstance(transition, Problem):
        return transition
    shortest, longest = file.length
    checked = scenes.checked[path]
    return SceneEntry(
        written.name,
        path,
        shortest,
        longest,
        file.weight,
        following,
        hours,
        days,
        file.seed,
        transition,
        tuple(checked.scene.sections) if checked is not None and checked.scene is not None else (),
    )


def _read_transition(source: SourceFile, node: MapNode) -> Transition | Problem | None:
    if "transition" not in node.entries:
        return None
    key, value = node.entries["transition"]
    file = validate(TransitionFile, value, source, "`transition`", key.span)
    if isinstance(file, Problem):
        return file
    for name in ("fade", "rest", "bars"):
        if name in file.model_fields_set and name not in _OWN[file.kind] and isinstance(value, MapNode):
            kinds = " and ".join(f"`{kind}`" for kind, own in _OWN.items() if name in own)
            return source.error(value.key(name).span, f"`{name}` is not for `{file.kind}`", f"it under {kinds}")
    if file.kind == "overlap":
        return Overlap(file.bars)
    return AtSection(file.fade) if file.kind == "at_section" else AfterRest(file.fade, file.rest)


def _checked(
    source: SourceFile, node: MapNode, programme: Programme, written: Mapping[str, Written]
) -> Programme | Problem:
    """The programme, after a look at the whole."""
    at = node.key("scenes").span
    turns = rotation(programme)
    if not turns:
        return source.error(at, "every scene has hours of its own: nothing plays in between", "a scene without `hours`")
    wrong = [_clash(source, programme, written)]
    for name, entry in programme.scenes.items():
        own = written[name].node
        if entry.next is not None and entry.hours:
            span = own.key("next").span
            wrong.append(
                source.error(span, "a scene with `hours` takes no turns: nothing follows it", hint="delete it")
            )
            continue
        for other in entry.next or ():
            if programme.scenes[other].hours:
                message = f"`{other}` has hours of its own and takes no turns"
                wrong.append(source.error(_at_next(own, other), message, hint="name a scene without `hours`"))
    weights = [programme.scenes[name].weight for name in turns]
    if programme.order is Order.RANDOM and not any(weights):
        wrong.append(source.error(at, "all weights are 0: nothing could be drawn", "a weight above 0"))
    if found := problems(wrong):
        return found[0]
    _warn(source, programme, written)
    return programme


def _clash(source: SourceFile, programme: Programme, written: Mapping[str, Written]) -> Problem | None:
    """Two scenes that are due at one time."""
    mine: list[tuple[float, float, str, Hours]] = []
    for name, entry in programme.scenes.items():
        for one in entry.hours:
            for day in entry.days:
                # On the circle of a week; what goes over its end stands at both.
                start, end = day * DAY + one.start, day * DAY + one.end
                mine += [(start, end, name, one), (start + 7 * DAY, end + 7 * DAY, name, one)]
    mine.sort(key=lambda item: item[:2])
    last: tuple[float, float, str, Hours] | None = None
    for item in mine:
        if last is not None and item[0] < last[1] and item[2] != last[2]:
            later, earlier = sorted((item, last), key=lambda one: written[one[2]].span.start, reverse=True)
            message = f"`{later[2]}` ({later[3]}) is due when `{earlier[2]}` is ({earlier[3]})"
            span = written[later[2]].node.key("hours").span
            return source.error(span, message, hint="let the hours of one end before those of the other begin")
        if last is None or item[1] > last[1]:
            last = item
    return None


def _at_next(node: MapNode, name: str) -> Span:
    value: Node = node.entries["next"][1]
    return value.key(name).span if isinstance(value, MapNode) and name in value.entries else value.span


def _warn(source: SourceFile, programme: Programme, written: Mapping[str, Written]) -> None:
    """Note scenes that are never heard, and those that nothing follows."""
    turns = rotation(programme)
    reached = reachable(followers(programme, None), lambda name: followers(programme, name))
    for name in turns:
        if name not in reached:
            hint = f"let a scene lead to it: `next: {name}`" if programme.order is Order.FILE else "give it a weight"
            source.note(Problem(Severity.WARNING, written[name].span, f"scene `{name}` is never reached", hint=hint))
        elif len(reached) > 1 and list(followers(programme, name)) == [name]:
            message = f"nothing but `{name}` follows `{name}`: once it plays, it stays until closing time"
            source.warning(written[name].span, message, "let `next` name another scene, too")
