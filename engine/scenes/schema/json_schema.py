# pyright: strict
"""The JSON Schema of scene files (draft 7, which editors read best), made from the models that `check` uses."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any, NamedTuple, cast, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine import assets
from engine.generators.contract import GENERATORS, TRANSFORMS, GeneratorKind, Link, TransformKind, TransformSettings
from engine.scenes.schema.models import NAME, PartFile, SceneFile, SectionFile, ThemeFile, TimbreFile
from engine.score import drums
from engine.timbres.contract import TIMBRES
from engine.units import TIME_OF_DAY, Unit, written

FREE = {"^x-": {"description": "Free: for notes and anchors."}}
NAME_PATTERN = rf"^(?!x-){NAME.pattern}$"
_SETTING = r"^[^.]+\.[^.]+(\.[^.]+)?$"
_LIMITS = ("ge", "gt", "le", "lt")
REFERENCE = "#/definitions/"


def scene_schema() -> dict[str, Any]:
    """The schema of a scene file, with every generator and transform that is registered here."""
    generators = GENERATORS.kinds()
    transforms = TRANSFORMS.kinds()
    definitions: dict[str, Any] = {}
    scene = object_schema(SceneFile, definitions)
    part = object_schema(PartFile, definitions)
    section = object_schema(SectionFile, definitions)
    part["properties"]["generator"] |= _generator(generators, definitions)
    part["properties"]["transforms"] |= {"type": "array", "items": _transform(transforms, definitions)}
    part["properties"]["instrument"] = _instrument(part["properties"]["instrument"], definitions)
    section["properties"]["next"] |= {
        "anyOf": [{"type": "string"}, closed({NAME_PATTERN: {"type": "number", "minimum": 0}}, minProperties=1)]
    }
    section["properties"]["move"] |= closed({_SETTING: {"type": ["string", "number", "boolean"]}})
    section["properties"]["parts"] |= {"minItems": 1}
    hours = {"patternProperties": {TIME_OF_DAY: {"type": ["string", "number"]}}, "additionalProperties": False}
    curve = {"type": "object", **hours, "minProperties": 1}
    of_scene = {
        "tempo": curve | {"description": "Tempo over the day, `{06:00: 60 qpm, 20:00: 84 qpm}`."},
        "dynamics": curve
        | {"description": "Levels of playing over the day, `{06:00: p, 14:00: f}`: others add to them."},
        "key": curve | {"description": "Keys over the day, each until the next, `{06:00: D major, 20:00: D minor}`."},
    }
    scene["properties"]["themes"] |= closed({NAME_PATTERN: _theme(definitions)}, minProperties=3, maxProperties=7)
    scene["properties"]["day"] |= closed({_SETTING: curve}) | {"properties": of_scene}
    scene["properties"]["parts"] |= closed({NAME_PATTERN: {"$ref": REFERENCE + "part"}}, minProperties=1)
    scene["properties"]["sections"] |= closed({NAME_PATTERN: {"$ref": REFERENCE + "section"}}, minProperties=1)
    definitions |= {"part": part, "section": section, "primer": _primer()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Perpetuum scene",
        **scene,
        "definitions": dict(sorted(definitions.items())),
    }


def _theme(definitions: dict[str, Any]) -> dict[str, Any]:
    """A theme: written in one line, in a MIDI file, or by role."""
    of_file = {
        "type": "object",
        "properties": {"midi": {"type": "string"}, "track": {"type": ["string", "integer"]}, "bars": {}},
        "required": ["midi"],
        "additionalProperties": False,
    }
    in_a_line = {"type": "string", "examples": ["found", "D4:1 F4:1/2 A4:1"]}
    return {"anyOf": [in_a_line, of_file, object_schema(ThemeFile, definitions)]}


def file_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a file that is one model, with the models in it."""
    definitions: dict[str, Any] = {}
    made = object_schema(model, definitions)
    definitions = {"definitions": dict(sorted(definitions.items()))} if definitions else {}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **made, **definitions}


class SettingRow(NamedTuple):
    """A setting as a table shows it, all in the words of scenes.

    Attributes:
        name: as scenes write it.
        default: what counts without it; empty for nothing.
        required: it must be there.
        values: choices or limits; empty where the default says enough.
        description: what it is.
    """

    name: str
    default: str
    required: bool
    values: str
    description: str


def settings_table(model: type[BaseModel], without: Container[str] = ()) -> list[SettingRow]:
    """The settings of a model, but for some."""
    rows: list[SettingRow] = []
    for name, field in model.model_fields.items():
        if name in without:
            continue
        unit = unit_of(field)
        given: object = field.get_default(call_default_factory=True)
        default = "" if field.is_required() else written(given, unit)
        extra: object = field.json_schema_extra
        if isinstance(extra, dict):
            default = str(cast("dict[str, object]", extra).get("default", default))
        if default in ("none", "()", "{}") or isinstance(given, BaseModel):
            default = ""
        rows.append(SettingRow(name, default, field.is_required(), _values(field, unit), field.description or ""))
    return rows


def _values(field: FieldInfo, unit: Unit | None) -> str:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    limits = {name: getattr(item, name) for item in field.metadata for name in _LIMITS if hasattr(item, name)}
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if low is None and unit is not None and high is not None and not math.isinf(unit.low):
        low = unit.low
    if low is not None and high is not None:
        return f"`{written(low, unit)}` to `{written(high, unit)}`"
    if low is not None or high is not None:
        return f"at least `{written(low, unit)}`" if high is None else f"at most `{written(high, unit)}`"
    return ""


def unit_of(field: FieldInfo) -> Unit | None:
    """The unit that a setting is written in; None for a bare number or a word."""
    for item in field.metadata:
        if isinstance(item, Unit):
            return item
    # In `Steps | None` the unit is metadata of a branch.
    for branch in getattr(field.annotation, "__args__", ()):
        for item in getattr(branch, "__metadata__", ()):
            if isinstance(item, Unit):
                return item
    return None


def object_schema(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """A model as an object; the models in it go to the definitions."""
    made = model.model_json_schema(ref_template=REFERENCE + "{model}")
    properties: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            definitions[inner.__name__] = object_schema(inner, definitions)
            properties[name] = {"allOf": [{"$ref": REFERENCE + inner.__name__}]}
        else:
            properties[name] = _property(made["properties"][name], field)
        properties[name]["description"] = sentence(field.description or "")
    for name, definition in made.get("$defs", {}).items():
        definitions.setdefault(name, _cleaned(definition))
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    schema: dict[str, Any] = {"type": "object", "description": (model.__doc__ or "").strip(), "properties": properties}
    if required:
        schema["required"] = required
    return schema | {"patternProperties": FREE, "additionalProperties": False}


def _property(made: dict[str, Any], field: FieldInfo) -> dict[str, Any]:
    schema = _cleaned(made)
    if not isinstance(field.json_schema_extra, dict):
        schema.pop("default", None)
    unit = unit_of(field)
    if unit is not None:
        # Limits are numbers in the base unit, but the value is text.
        for limit in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            schema.pop(limit, None)
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if default not in (None, "", (), {}):
        bare = isinstance(default, str | bool) or (unit is None and isinstance(default, int | float))
        schema.setdefault("default", default if bare else written(default, unit))
    return schema


def _cleaned(schema: Any) -> Any:
    """Without what pydantic adds that no schema needs: made-up titles, and limits in Python's terms."""
    if isinstance(schema, list):
        return [_cleaned(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    noise = ("title", *_LIMITS)
    members = cast("dict[str, Any]", schema).items()
    return {key: _cleaned(value) for key, value in members if key not in noise or isinstance(value, dict)}


def closed(patterns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A mapping of names that fit patterns, and of nothing else but free keys."""
    return {"type": "object", "patternProperties": {**patterns, **FREE}, "additionalProperties": False, **more}


def _generator(kinds: dict[str, GeneratorKind], definitions: dict[str, Any]) -> dict[str, Any]:
    names = list(kinds)
    branches: list[dict[str, Any]] = []
    for name, kind in kinds.items():
        settings = object_schema(kind.settings, definitions)
        settings["description"] = sentence(kind.summary)
        settings["properties"] = {"kind": {"const": name}, **_links(), **settings["properties"]}
        definitions[f"generator_{name}"] = settings
        condition = {"properties": {"kind": {"const": name}}, "required": ["kind"]}
        branches.append({"if": condition, "then": {"$ref": f"{REFERENCE}generator_{name}"}})
    described = [sentence(kind.summary) for kind in kinds.values()]
    with_settings = {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": names, "markdownEnumDescriptions": described}},
        "required": ["kind"],
        "allOf": branches,
    }
    return {"anyOf": [{"type": "string", "enum": names, "markdownEnumDescriptions": described}, with_settings]}


def _instrument(name: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """An instrument: its name, or a timbre with its settings and its stand-in."""
    known = sorted(assets.shipped_names("instruments"))
    description = name.pop("description")
    kinds = TIMBRES.kinds()
    branches: list[dict[str, Any]] = []
    for kind in kinds.values():
        settings = object_schema(kind.settings, definitions)
        stand_in = object_schema(TimbreFile, definitions)
        stand_in["properties"]["stand_in"]["examples"] = known
        settings["description"] = sentence(kind.summary)
        settings["properties"] = {
            "kind": {"const": kind.name}, **settings["properties"], **stand_in["properties"]
        }  # fmt: skip
        settings["required"] = [*settings.get("required", ()), *stand_in["required"]]
        definitions[f"timbre_{kind.name}"] = settings
        condition = {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]}
        branches.append({"if": condition, "then": {"$ref": f"{REFERENCE}timbre_{kind.name}"}})
    described = [sentence(kind.summary) for kind in kinds.values()]
    timbre = {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": list(kinds), "markdownEnumDescriptions": described}},
        "required": ["kind"],
        "allOf": branches,
    }
    return {"anyOf": [name | {"examples": known}, timbre], "description": description}


def _links() -> dict[str, Any]:
    return {
        str(Link.CHORDS): {
            "type": "string",
            "description": "Another part, whose chords it takes, or chords, like `Am F C G` or `i VI III VII`.",
        },
        str(Link.RHYTHM): {
            "type": "string",
            "description": "Another part, whose rhythm it takes; `drums.kick` is one drum of it.",
        },
        str(Link.PRIMER): {
            "allOf": [{"$ref": REFERENCE + "primer"}],
            "description": "What it begins from: a pattern, a drum grid, a MIDI file or another part.",
        },
        str(Link.LEADER): {
            "type": "string",
            "description": "Another part, which it follows: it plays what that has played.",
        },
    }


def _primer() -> dict[str, Any]:
    lanes = {name: {"type": "string"} for name in (*drums.SYMBOLS, *drums.CLASSES) if drums.index_of(name) is not None}
    return {
        "anyOf": [
            {"type": "string", "examples": ["D4:1 F4:1/2 ~:1/2 [D4 A4]:2", "bd: x...x... | sn: ....x..."]},
            {
                "type": "object",
                "properties": {
                    "midi": {"type": "string", "description": "Path of a MIDI file."},
                    "part": {"type": "string", "description": "Another part."},
                    **lanes,
                },
                "patternProperties": FREE,
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }


def _transform(kinds: dict[str, TransformKind], definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, kind in kinds.items():
        settings = definitions[f"transform_{name}"] = object_schema(kind.settings, definitions)
        # What all transforms have comes last: editors offer settings in this order.
        own = settings["properties"]
        shared = [key for key in own if key in TransformSettings.model_fields]
        settings["properties"] = {key: own[key] for key in (*(k for k in own if k not in shared), *shared)}
        forms: list[dict[str, Any]] = [{"$ref": f"{REFERENCE}transform_{name}"}, {"type": "null"}]
        if kind.shorthand is not None:
            short = settings["properties"][kind.shorthand]
            forms.insert(0, {key: value for key, value in short.items() if key != "description"})
        properties[name] = {"anyOf": forms, "description": sentence(kind.summary)}
    one = {
        "type": "object",
        "properties": properties,
        "patternProperties": FREE,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [{"type": "string", "enum": list(kinds)}, one]}


def sentence(text: str) -> str:
    """A description as a sentence, however it was written."""
    text = " ".join(text.split())
    if not text:
        return ""
    # A name that is explained keeps its case: `held: all voices begin together`.
    first = text if text.partition(" ")[0].endswith(":") else text[0].upper() + text[1:]
    return first if first[-1] in ".!?" else first + "."
