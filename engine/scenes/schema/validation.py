# pyright: strict
"""Nodes through pydantic models: a model's errors become diagnostics at the right places, in the words of authors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from engine.errors import WrongValueError
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.positions import span_within
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import SourceFile, clipped
from engine.score.notation import NotationError
from engine.units import Unit, written

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "text (put it in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (keys and values)",
    "model_type": "a mapping (keys and values)",
    "model_attributes_type": "a mapping (keys and values)",
    "string_too_short": "some text",
}
PLUG_IN_HINT = "its plug-in is broken; tell those who made it"

_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def validate(
    model: type[Model],
    node: Node,
    source: SourceFile,
    noun: str,
    at: Span,
    known: Sequence[str] = (),
    without: Sequence[str] = (),
    elsewhere: Mapping[str, str] | None = None,
    context: object = None,
) -> Model | Problem:
    """Read a node as a model; the first problem if it is none, and all are noted.

    Args:
        model: what the node should be.
        node: what stands in the file.
        source: takes the diagnostics.
        noun: what the node is, for messages ("part `pad`").
        at: where to say that a key is missing.
        known: keys that are right here besides the model's, for messages.
        without: keys that are not the model's business.
        elsewhere: keys that would be right in another place, and where that is.
        context: of the validation.
    """
    if not isinstance(node, MapNode):
        return source.error(_of(node, at), f"{noun} must be a mapping", "keys and values, like " + _example(model))
    plain = {key: value for key, value in node.plain().items() if key not in without}
    try:
        return model.model_validate(plain, context=context)
    except ValidationError as error:
        noted: set[Span] = set()
        found: list[Problem] = []
        for details in error.errors(include_url=False):
            problem = _note(dict(details), model, node, source, noun, at, known, noted, elsewhere or {})
            found += [problem] if problem is not None else []
        return found[0]
    except Exception as error:  # a plug-in's validators may raise anything
        return source.error(_of(node, at), f"{noun} cannot be read: {clipped(repr(error))}", hint=PLUG_IN_HINT)


def problem(error: ValidationError, model: type[BaseModel]) -> tuple[str, str, str]:
    """(message, expected, suggestion) of a model's first error, for values that stand in no mapping of a file."""
    details: dict[str, Any] = dict(error.errors(include_url=False)[0])
    field = _field(model, details["loc"])
    unit = next((item for item in field.metadata if isinstance(item, Unit)), None) if field else None
    return *_words(details, model, unit), _suggestion(details, model)


def _context(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an error of a model knows besides its place: limits, or the error of a validator."""
    return details.get("ctx") or {}


def notation_error(details: Mapping[str, Any]) -> NotationError | None:
    """The error of music that is written wrongly, if an error of a model is one."""
    cause = _context(details).get("error")
    return cause if isinstance(cause, NotationError) else None


def _suggestion(details: Mapping[str, Any], model: type[BaseModel]) -> str:
    cause = _context(details).get("error")
    if isinstance(cause, WrongValueError) and cause.right:
        return str(details.get("input")).replace(cause.wrong, cause.right)
    if isinstance(cause, NotationError | WrongValueError):
        return nearest(cause.word, cause.candidates)
    options = _options(details, model)
    return nearest(str(details.get("input")), options) if options else ""


def _note(
    details: dict[str, Any],
    model: type[BaseModel],
    node: MapNode,
    source: SourceFile,
    noun: str,
    at: Span,
    known: Sequence[str],
    noted: set[Span],
    elsewhere: Mapping[str, str],
) -> Problem | None:
    """Note an error of a model; None for what has been said already."""
    kind, loc = details["type"], details["loc"]
    place, parent, span = _walk(node, loc, at)
    if kind == "extra_forbidden":
        candidates = [*known, *_keys(model, loc[:-1])]
        key = str(loc[-1])
        where = noun if len(loc) == 1 else f"`{loc[-2]}` of {noun}"
        if isinstance(parent, MapNode) and key in parent.entries:
            span = parent.key(key).span
        meant = nearest(key, candidates)
        expected = f"one of {listed(candidates, 24)}" if candidates else "no keys here"
        if len(loc) == 1 and key in elsewhere:
            meant, expected = "", elsewhere[key]
        return source.error(span, f"unknown key `{clipped(key)}` in {where}", expected, meant)
    if kind == "missing":
        owner = noun if len(loc) == 1 else f"`{loc[-2]}` of {noun}"
        return source.error(span, f"{owner} has no `{loc[-1]}`", hint=f"add `{loc[-1]}: {_describe(model, loc)}`")
    if span in noted:
        return None  # the other branches of a union say the same about the same value
    noted.add(span)
    written = notation_error(details)
    if written is not None:
        return source.error(
            _written_at(written, place, source, span), written.message, written.expected, _suggestion(details, model)
        )
    field = _field(model, loc)
    unit = next((item for item in field.metadata if isinstance(item, Unit)), None) if field else None
    if isinstance(place, ScalarNode):
        details["input"] = place.text if place.value is not None and not place.style else place.value
    message, expected = _words(details, model, unit)
    name = next((str(step) for step in reversed(loc) if isinstance(step, str) and _is_name(step)), noun)
    if isinstance(place, ScalarNode) and place.value is None and kind != "value_error":
        return source.error(span, f"`{name}` is empty", expected)
    suggestion = _suggestion(details, model)
    return source.error(span, f"`{name}`: {message}", expected, suggestion)


def _written_at(error: NotationError, place: Node, source: SourceFile, span: Span) -> Span:
    """Where in the file music is written wrongly: inside of a text, or of the value of a key."""
    if isinstance(place, MapNode):
        if error.word in place.entries and not error.key:
            return place.key(error.word).span
        if error.word and error.word == error.key and error.key in place.entries:
            return place.key(error.key).span
        if error.key not in place.entries:
            return span
        key, place = place.entries[error.key]
        span = place.span if isinstance(place, ScalarNode) and place.span.end > place.span.start else key.span
    if isinstance(place, ScalarNode) and isinstance(place.value, str):
        return span_within(source, place, error.start, min(error.end, len(place.text)))
    return span


def _words(details: Mapping[str, Any], model: type[BaseModel], unit: Unit | None = None) -> tuple[str, str]:
    kind, context, value = details["type"], _context(details), details.get("input")
    if kind == "value_error":
        cause = context.get("error")
        if isinstance(cause, NotationError):
            return cause.message, cause.expected
        if not isinstance(cause, WrongValueError):
            return str(cause or details["msg"]), ""
        if not cause.message:
            return f"{_shown(value)} will not do", cause.expected
        if cause.candidates:
            return cause.message, listed(cause.candidates, 40)
        return cause.message, f"a value like {cause.example}" if cause.example else ""
    options = _options(details, model)
    if options:
        return f"{_shown(value)} is none of the choices", listed(options, 40)
    if kind == "literal_error":
        choices = " or ".join(map(str, _choices_at(model, details["loc"])))
        return f"{_shown(value)} will not do", f"`{choices}`"
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{_shown(value)} is out of range", f"{words} {written(context.get(name), unit)}"
    if kind in _EXPECTED:
        return f"{_shown(value)} will not do", _EXPECTED[kind]
    text = str(details["msg"])
    return text[:1].lower() + text[1:], ""


def _options(details: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """The words that could stand at the place of an error, where it is one of these that must."""
    if details["type"] not in ("literal_error", "enum"):
        return []
    return [choice for choice in _choices_at(model, details["loc"]) if isinstance(choice, str)]


def _choices_at(model: type[BaseModel], loc: Sequence[Any]) -> list[object]:
    """What the annotation of a field lets stand there, as far as it is a choice."""
    models, annotations = [model], list[Any]()
    for step in loc:
        branch = [one for one in models if one.__name__ == step]
        fields = [one.model_fields[step] for one in models if isinstance(step, str) and step in one.model_fields]
        if fields:
            annotations = [field.annotation for field in fields]
            models = [one for annotation in annotations for one in _models_in(annotation)]
        elif branch:
            models = branch
    return list(dict.fromkeys(choice for annotation in annotations for choice in _choices_in(annotation)))


def _choices_in(annotation: Any) -> list[object]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [one.value for one in annotation]
    return [choice for item in get_args(annotation) for choice in _choices_in(item)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for item in get_args(annotation) for model in _models_in(item)]


def _walk(node: Node, loc: Sequence[Any], at: Span) -> tuple[Node, Node | None, Span]:
    """(node that an error is about, the one around it, its place); steps that are no keys (branches) are passed by."""
    parent: Node | None = None
    span = at
    for step in loc:
        inner: Node | None = None
        if isinstance(node, MapNode) and str(step) in node.entries:
            key, inner = node.entries[str(step)]
            span = inner.span if inner.span.end > inner.span.start else key.span
            if not isinstance(inner, ScalarNode):
                span = key.span
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            inner = node.items[step]
            span = inner.span
        if inner is not None:
            parent, node = node, inner
    return node, parent, span


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation like `Model`, `Model | None`, `list[Model]` or `dict[str, Model]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = [model for item in get_args(annotation) if (model := _inner_model(item))]
    return models[0] if len(models) == 1 else None


def _model_at(model: type[BaseModel], loc: Sequence[Any]) -> type[BaseModel]:
    for step in loc:
        field = model.model_fields.get(str(step))
        model = (_inner_model(field.annotation) if field else None) or model
    return model


def _field(model: type[BaseModel], loc: Sequence[Any]) -> FieldInfo | None:
    """The field that an error is about."""
    found = None
    for step in loc:
        field = model.model_fields.get(str(step)) if isinstance(step, str) else None
        if field is not None:
            found = field
            model = _inner_model(field.annotation) or model
    return found


def _keys(model: type[BaseModel], loc: Sequence[Any]) -> list[str]:
    """Names of the fields of the model that stands at a place within a model."""
    return [field.alias or name for name, field in _model_at(model, loc).model_fields.items()]


def _describe(model: type[BaseModel], loc: Sequence[Any]) -> str:
    field = _field(model, loc)
    examples = field.examples if field else None
    return str(examples[0]) if examples else "…"


def _example(model: type[BaseModel]) -> str:
    name = next(iter(model.model_fields), "key")
    return f"`{name}: …`"


def _of(node: Node, at: Span) -> Span:
    return node.span if node.span.end > node.span.start else at


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{clipped(str(value))}`"


def _is_name(step: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][\w-]*", step) is not None
