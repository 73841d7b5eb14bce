"""Installations for tests."""

from pathlib import Path

from engine.installation.hours.opening import Hours
from engine.installation.installation import Installation, Order, Programme, SceneEntry
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import Checked

HOUR = 3600.0

HEAD = "perpetuum: 1\ntitle: Here\n"
SCENES = "scenes: {still_water: {}}\n"

SHARED = Instruments()
LOOKED_INTO: dict[Path, Checked | None] = {}
"""Instruments and scenes that tests have looked into; each once."""

SMALL = """perpetuum: 1
title: Small
tempo: 90 qpm
key: C major
parts: {pad: {generator: chord_walk, instrument: warm_pad}}
sections: {all: {bars: 8 bars, parts: [pad]}}
"""
"""A scene that is soon looked into."""


def hours(*pairs):
    """Hours by pairs of hours of the day."""
    return tuple(Hours(start * HOUR, end * HOUR) for start, end in pairs)


def entry(name="drift", shortest=600.0, longest=600.0, **more):
    return SceneEntry(name, Path(f"/scenes/{name}.yaml"), shortest, longest, **more)


def programme(*entries, order=Order.FILE, **more):
    return Programme({one.name: one for one in entries or (entry(),)}, order, **more)


def installation(**more):
    made = {
        "path": Path("/installations/here.yaml"),
        "title": "Here",
        "programme": programme(),
        "state": Path("/var/lib/perpetuum"),
        "time_zone": "UTC",
    }
    return Installation(**(made | more))


def secrets_are_there(monkeypatch):
    """Those that shipped installations and the pages name."""
    for name in ("TOKEN", "STAFF_PASSWORD", "WEBHOOK", "PING", "MAIL_PASSWORD", "MQTT_PASSWORD", "POOL_TOKEN"):
        monkeypatch.setenv(f"PERPETUUM_{name}", "x" * 20)
