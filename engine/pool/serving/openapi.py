# pyright: strict
"""The OpenAPI document, made from the messages that the server reads and writes."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import __version__
from engine.pool.wire.messages import (
    PhraseAnswer,
    PhraseRequest,
    Refusal,
    TimbreAnswer,
    TimbreRequest,
    WireJob,
    WireModels,
)

_SCHEMAS = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The document (3.1)."""
    messages = (PhraseRequest, WireJob, PhraseAnswer, TimbreRequest, TimbreAnswer, Refusal, WireModels)
    _, schemas = msgspec.json.schema_components(messages, ref_template=_SCHEMAS)
    schemas["PhraseRequest"]["properties"]["job"] = {"$ref": "#/components/schemas/WireJob"}
    schemas["WireKind"]["properties"]["settings"] = {"type": "object"}
    schemas["TimbreJob"]["properties"]["settings"] = {"type": "object"}
    refusals = {
        "400": "It is no request; `where` says at which place.",
        "401": "There is no token, or it is nobody's.",
        "404": "The weights are not here; `missing` names them.",
        "408": "The body came too slowly.",
        "409": "The kind's settings, the format, or a timbre's weights are of another version here.",
        "413": "The body is too large.",
        "415": "The body is of another type.",
        "422": "It cannot be made.",
        "429": "The player has too many requests under way.",
        "503": "Nobody can make it now; `Retry-After` says when to ask again.",
        "504": "It took longer than `seconds_left`.",
    }

    def refused(*codes: str) -> dict[str, Any]:
        return {code: _body(refusals[code], "Refusal") for code in codes}

    secured: dict[str, Any] = {"security": [{"token": []}]}
    digest = {
        "name": "digest",
        "in": "path",
        "required": True,
        "description": "SHA-256 of the file.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
    weights = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Perpetuum pool", "version": __version__, "description": "Makes phrases for players."},
        "paths": {
            "/v1/phrases": {
                "post": {
                    "summary": "Make a phrase",
                    "description": "The same key is answered by the same phrase, made once.",
                    "requestBody": {"required": True, **_content("PhraseRequest")},
                    "responses": {
                        "200": _body("The phrase.", "PhraseAnswer"),
                        **refused("400", "401", "404", "408", "409", "413", "415", "422", "429", "503", "504"),
                    },
                    **secured,
                }
            },
            "/v1/timbres": {
                "post": {
                    "summary": "Make a bank of notes",
                    "description": "The same digest is answered by the same bank, made once.",
                    "requestBody": {"required": True, **_content("TimbreRequest")},
                    "responses": {
                        "200": _body("The files of an instrument's folder.", "TimbreAnswer"),
                        **refused("400", "401", "408", "409", "413", "415", "422", "429", "503", "504"),
                    },
                    **secured,
                }
            },
            "/v1/models": {
                "get": {
                    "summary": "What the pool has",
                    "responses": {"200": _body("Weights and kinds.", "WireModels"), **refused("401")},
                    **secured,
                }
            },
            "/v1/weights/{digest}": {
                "put": {
                    "summary": "Hand weights over",
                    "parameters": [digest],
                    "requestBody": {"required": True, **weights},
                    "responses": {
                        "201": {"description": "They are kept."},
                        "204": {"description": "They were here already."},
                        **refused("400", "401", "408", "413", "429"),
                        "507": _body("There is no room for them.", "Refusal"),
                    },
                    **secured,
                }
            },
            "/livez": {"get": _probe("Whether the server answers")},
            "/readyz": {"get": _probe("Whether a bar can be made now; one is made", unready=True)},
            "/metrics": {
                "get": {
                    "summary": "Metrics of Prometheus",
                    "responses": {"200": {"description": "Metrics.", "content": {"text/plain": {}}}},
                }
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _content(schema: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _body(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, **_content(schema)}


def _probe(summary: str, unready: bool = False) -> dict[str, Any]:
    text = {"content": {"text/plain": {"schema": {"type": "string"}}}}
    responses: dict[str, Any] = {"200": {"description": "It is so.", **text}}
    if unready:
        responses["503"] = {"description": "It is not; the text says why.", **text}
    return {"summary": summary, "responses": responses}
