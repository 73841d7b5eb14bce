# pyright: strict
"""The JSON Schema of the file of a pool, made from the models that read it."""

from __future__ import annotations

from typing import Any

from engine.installation.reading.models import SecretFile
from engine.pool.serving.file.reading import DeploymentFile, PoolServerFile
from engine.scenes.schema.json_schema import NAME_PATTERN, closed, file_schema, object_schema

_ADDRESS = {"type": "string", "pattern": r"^\s*(\[[^\]]*\]|[^:\s]*):\d{1,5}\s*$"}


def pool_schema() -> dict[str, Any]:
    """The schema (draft 7)."""
    schema = file_schema(PoolServerFile, "Perpetuum pool")
    definitions: dict[str, Any] = schema.setdefault("definitions", {})
    own = schema["properties"]
    own["listen"] |= {"anyOf": [_ADDRESS, {"type": "array", "items": _ADDRESS, "minItems": 1}]}
    secret = object_schema(SecretFile, definitions) | {"minProperties": 1, "maxProperties": 1}
    deployment = object_schema(DeploymentFile, definitions)
    words = {"type": "string"}
    deployment["properties"]["kinds"] |= {"anyOf": [words, {"type": "array", "items": words, "minItems": 1}]}
    own["tokens"] |= closed({NAME_PATTERN: secret})
    own["deployments"] |= closed({NAME_PATTERN: deployment})
    return schema
