"""Scenes for tests: a small right one, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

from engine.form.scene import Scene
from engine.scenes import load
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.problems import Severity

RIGHT = """\
perpetuum: 1
title: A small scene
seed: 7
meter: 4/4
tempo: 84..92 qpm
key: D dorian

parts:
  pad:
    generator: chord_walk
    phrase: 8 bars
    instrument: warm_pad
    level: -14 dB
    pan: 20 % left
    sends: {reverb: -10 dB, delay: off}
  drums:
    generator: {kind: drum_rules, style: straight}
    instrument: electronic_kit
  tune:
    generator:
      kind: melody_rules
      chords: pad
      rhythm: drums.kick
      primer: "D4:1 E4:1/2 ~:1/2 [D4 A4]:2"
      density: 40 %
    transforms:
      - octave_range: C4..C6
      - thin: 30 %
      - humanize: {timing: 12 ms, velocity: 8}
    instrument: glass_bell

sections:
  drift:
    bars: 16..24 bars
    parts: [pad, tune]
    repeat: 1..2 times
    next: {bloom: 3, drift: 1}
    move:
      tune.density: 20 % -> 60 %
      pad.level: -30 -> -14 dB
      tune.thin: 60 %
      tune.humanize.velocity: 4 -> 9
      pad.style: pulsed
  bloom:
    bars: 8 bars
    parts: [pad, tune, drums]
    tempo: 84 -> 90 qpm
    key: F major

mix:
  reverb: {time: 4 s, brightness: 30 %}
  delay: {time: 3/4 beats, feedback: 35 %}
  level: -1 dB
"""
"""A scene that uses most of the language, by rules alone."""


def spoiled(*changes: tuple[str, str]) -> str:
    """The right scene with some texts replaced, each of which must stand in it."""
    text = RIGHT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def load_text(folder: Path, text: str | bytes, name: str = "scene.yaml") -> tuple[Scene | None, list[Diagnostic]]:
    """Write a scene file and load it."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def right(folder: Path, text: str) -> Scene:
    """Load a scene that must be right."""
    scene, found = load_text(folder, text)
    assert [one.text() for one in found] == []
    assert scene is not None
    return scene


def errors(folder: Path, text: str | bytes) -> list[Diagnostic]:
    """The errors of a scene that must not load."""
    scene, found = load_text(folder, text)
    assert scene is None
    return [one for one in found if one.severity is Severity.ERROR]


def only_error(folder: Path, text: str | bytes) -> Diagnostic:
    """The error of a scene that has just one."""
    found = errors(folder, text)
    assert len(found) == 1, [one.text() for one in found]
    return found[0]


def pointed_at(diagnostic: Diagnostic) -> str:
    """The characters above the caret."""
    return diagnostic.quoted[diagnostic.column - 1 : diagnostic.end_column - 1]
