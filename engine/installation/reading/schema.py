# pyright: strict
"""The JSON Schema of installation files, and tables of their settings, made from the models that `check` uses."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel

from engine.installation.choices.steering import SteeringRight
from engine.installation.hours.opening import WEEK
from engine.installation.reading.days import GROUPS
from engine.installation.reading.equipment import (
    AmplifierFile,
    ButtonsFile,
    LogFile,
    MicrophoneFile,
    MixerFile,
    StaffFile,
    UpsFile,
)
from engine.installation.reading.loudness import CUT, IN_THE_ROOM, PEAK, CalibrationFile, LoudnessFile
from engine.installation.reading.models import (
    AlarmFile,
    ContactFile,
    FadesFile,
    HearingFile,
    InstallationFile,
    JournalFile,
    ListenFile,
    MailFile,
    NoticesFile,
    OutputEntryFile,
    OutsideFile,
    PoolFile,
    QuietFile,
    RestartFile,
    SceneEntryFile,
    SecretFile,
    TransitionFile,
)
from engine.installation.reading.steering import NAME_PATTERN as PLAYER
from engine.installation.reading.steering import MqttFile
from engine.outputs.contract import OUTPUTS
from engine.scenes.schema.json_schema import NAME_PATTERN, REFERENCE, closed, file_schema, object_schema
from engine.scenes.schema.reference import table
from engine.units import TIME_OF_DAY, Unit, unit_schema

MODELS: dict[str, type[BaseModel]] = {
    "An installation": InstallationFile,
    "A scene": SceneEntryFile,
    "`transition`": TransitionFile,
    "`fades`": FadesFile,
    "`outside`": OutsideFile,
    "`quiet`": QuietFile,
    "`loudness`": LoudnessFile,
    "`calibration`": CalibrationFile,
    "`staff`": StaffFile,
    "`buttons`": ButtonsFile,
    "`ear`": HearingFile,
    "`output` and each of the `followers`": OutputEntryFile,
    "`mixer`": MixerFile,
    "`microphone`": MicrophoneFile,
    "`amplifier`": AmplifierFile,
    "`ups`": UpsFile,
    "`restart`": RestartFile,
    "`journal`": JournalFile,
    "`log`": LogFile,
    "`listen`": ListenFile,
    "`pool`": PoolFile,
    "`token`, `staff_password`, `password`, `webhook`, `ping`": SecretFile,
    "`notices`": NoticesFile,
    "`mail`": MailFile,
    "`mqtt`": MqttFile,
    "`alarm`": AlarmFile,
    "`contact` of the alarm": ContactFile,
}

_TIME = r"([01]?\d|2[0-3]):[0-5]\d"
_STRETCH = {
    "type": "string",
    "pattern": rf"^\s*{_TIME}\s*\.\.\s*({_TIME}|24:00)\s*$",
    "patternErrorMessage": "Expected hours, like 10:00..18:00",
}
_DAY = "|".join(WEEK)
_DAYS = rf"^({'|'.join(GROUPS)}|({_DAY})(\s*\.\.\s*({_DAY}))?)$"
_DATE = r"(\d{4}-)?\d{1,2}-\d{1,2}"
_URL = {"type": "string", "pattern": r"^\s*https?://[^\s/@]+(/\S*)?$"}
_ADDRESS = {"type": "string", "pattern": r"^\s*(\[[^\]]*\]|[^:\s]*):\d{1,5}\s*$"}


def installation_schema() -> dict[str, Any]:
    """The schema of an installation file (draft 7), with every output that is registered here."""
    schema = file_schema(InstallationFile, "Perpetuum installation")
    schema.pop("$schema")
    definitions: dict[str, Any] = schema.pop("definitions")
    parts = {
        "scene": SceneEntryFile,
        "transition": TransitionFile,
        "output": OutputEntryFile,
        "listen": ListenFile,
        "secret": SecretFile,
        "pool": PoolFile,
        "notices": NoticesFile,
        "mail": MailFile,
        "mqtt": MqttFile,
        "outside": OutsideFile,
        "amplifier": AmplifierFile,
        "ups": UpsFile,
        "microphone": MicrophoneFile,
        "restart": RestartFile,
        "contact": ContactFile,
        "calibration": CalibrationFile,
    }
    for name, model in parts.items():
        definitions[name] = object_schema(model, definitions)
        definitions.pop(model.__name__, None)
    entry, listen = definitions["scene"]["properties"], definitions["listen"]["properties"]
    quiet, loudness = definitions["QuietFile"]["properties"], definitions["LoudnessFile"]["properties"]
    own = schema["properties"]
    weights = closed({NAME_PATTERN: {"type": "number", "minimum": 0}}, minProperties=1)
    entry["next"] |= {"anyOf": [{"type": "string"}, weights]}
    for settings in (entry, quiet):
        settings["hours"] |= _stretches()
        settings["days"] |= _several({"type": "string", "pattern": _DAYS})
    definitions["restart"]["properties"]["days"] |= _several({"type": "string", "pattern": _DAYS})
    for name, unit in (("target", IN_THE_ROOM), ("limit", IN_THE_ROOM), ("ceiling", PEAK), ("low_cut", CUT)):
        loudness[name] |= _over_the_day(unit)
    kinds = list(OUTPUTS.names())
    # Without quotes the output `null` is what YAML takes for nothing.
    kind = definitions["output"]["properties"]["kind"]
    definitions["output"]["properties"]["kind"] = {"enum": [*kinds, None], "description": kind["description"]}
    written = {"type": "string", "pattern": rf"^({'|'.join(kinds)})(:.+)?$"}
    output = {"anyOf": [written, {"type": "null"}, _reference("output")]}
    listen["control"] |= _several(_ADDRESS, empty=True)
    listen["health"] |= _several(_ADDRESS, empty=True)
    pool = definitions["pool"]["properties"]
    pool["hosts"] |= _several(_URL)
    pool["token"] |= {"allOf": [_reference("secret")]}
    own["pool"] |= {"allOf": [_reference("pool")]}
    for name in ("token", "staff_password"):
        listen[name] |= {"allOf": [_reference("secret")]}
    notices, mail = definitions["notices"]["properties"], definitions["mail"]["properties"]
    notices["mail"] |= {"allOf": [_reference("mail")]}
    mqtt = definitions["mqtt"]["properties"]
    for settings, name in ((notices, "webhook"), (notices, "ping"), (mail, "password"), (mqtt, "password")):
        settings[name] |= {"allOf": [_reference("secret")]}
    mail["to"] |= _several({"type": "string"})
    mail["sender"] |= {"type": "string"}
    mqtt["name"] |= {"pattern": f"^{PLAYER}$"}
    mqtt["allow"] |= _several({"enum": list(SteeringRight)}, empty=True)
    definitions["secret"] |= {"minProperties": 1, "maxProperties": 1}
    own["scenes"] |= closed({NAME_PATTERN: {"anyOf": [_reference("scene"), {"type": "null"}]}}, minProperties=1)
    own["hours"] |= closed({_DAYS: _stretches(closed=True)}, minProperties=1)
    own["exceptions"] |= closed({rf"^{_DATE}(\s*\.\.\s*{_DATE})?$": _stretches(closed=True)})
    own["output"] |= output
    own["followers"] |= {"type": "array", "items": output}
    own["listen"] |= {"allOf": [_reference("listen")]}
    own["notices"] |= {"allOf": [_reference("notices")]}
    own["mqtt"] |= {"allOf": [_reference("mqtt")]}
    for settings in (own, entry):
        settings["transition"] |= {"allOf": [_reference("transition")]}
    for settings, name in (
        (own, "outside"),
        (own, "amplifier"),
        (own, "ups"),
        (own, "microphone"),
        (own, "restart"),
        (definitions["AlarmFile"]["properties"], "contact"),
        (loudness, "calibration"),
    ):
        settings[name] = {"allOf": [_reference(name)], "description": settings[name]["description"]}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **schema,
        "definitions": dict(sorted(definitions.items())),
    }


def settings_reference() -> str:
    """A page with a table of all settings of an installation."""
    lines = [
        "# Settings of installations",
        "",
        "Made by `perpetuum schema --installation --settings`; [installation.md](installation.md) is the page to read "
        "first.",
        "",
    ]
    for title, model in MODELS.items():
        lines += [f"## {title}", "", *table(model), ""]
    return "\n".join(lines).rstrip() + "\n"


def known_keys() -> frozenset[str]:
    """Every key that is right somewhere in an installation file."""
    return frozenset(name for model in MODELS.values() for name in model.model_fields)


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": REFERENCE + name}


def _several(one: dict[str, Any], empty: bool = False) -> dict[str, Any]:
    """One, or a list of such."""
    return {"anyOf": [one, {"type": "array", "items": one, **({} if empty else {"minItems": 1})}]}


def _stretches(closed: bool = False) -> dict[str, Any]:
    found = _several(_STRETCH)
    return {"anyOf": [{"const": "closed"}, *found["anyOf"]]} if closed else found


def _over_the_day(unit: Unit) -> dict[str, Any]:
    # The schema of a value with a unit is text with a pattern.
    value = cast("dict[str, Any]", unit_schema(unit).json_schema)
    return {
        "anyOf": [
            value,
            {
                "type": "object",
                "patternProperties": {TIME_OF_DAY: value},
                "additionalProperties": False,
                "minProperties": 1,
            },
        ]
    }
