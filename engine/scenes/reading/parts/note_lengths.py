# pyright: strict
"""Whether each part's instrument can keep up with its notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from pathlib import Path

import numpy as np

from engine.form.scene import Part, Scene
from engine.generators import chain
from engine.generators.contract import GENERATORS, TRANSFORMS, Link, Place, Request, Role
from engine.scenes.reading.drafts import PartDraft, SceneReader
from engine.scenes.text.nodes import ScalarNode
from engine.scenes.text.source import clipped
from engine.score.phrase import NOTE, Origin, Phrase, Provenance, moved
from engine.sound.instruments.articulation import ATTACK_SHARE, PAD, Articulation

_BARS = 8
"""How much of each part is looked at."""
_SHORTEST = 0.05
"""Seconds: an instrument that can play such notes need not be looked at."""
_NETWORK_NOTE = 0.5
"""Beats: what a network without a primer is taken to play. Half of the notes of the shipped melodies are as short."""


def median_lengths(scene: Scene, parts: Iterable[str]) -> dict[str, float]:
    """Median length in seconds of the notes of pitched parts, by name; without parts that play none.

    Rules play the first bars of the scene. What networks will play is not known here: it is taken to be like their
    primer, or to be eighths.
    """
    phrases: dict[str, Phrase] = {}
    beat = 60 / ((scene.tempo.qpm.low + scene.tempo.qpm.high) / 2)
    found: dict[str, float] = {}
    for name in parts:
        notes = _play(scene.parts[name], scene, phrases).notes
        if scene.parts[name].role is not Role.DRUMS and len(notes):
            found[name] = float(np.median(notes["end"] - notes["start"])) * beat
    return found


def _play(part: Part, scene: Scene, phrases: dict[str, Phrase]) -> Phrase:
    if part.name in phrases:
        return phrases[part.name]
    sources = {
        link: _play(scene.parts[source.part], scene, phrases)
        for link, source in part.sources.items()
        if link is not Link.PRIMER
    }
    request = Request(
        part=part.name,
        role=part.role,
        bars=_BARS,
        meter=scene.meter,
        qpm=(scene.tempo.qpm.low + scene.tempo.qpm.high) / 2,
        key=scene.key,
        seed=1,
        settings=part.settings,
        place=Place("", 0, 0, _BARS, 0),
        sources=sources,
        primer=part.primer,
        transforms=tuple((name, settings) for name, settings in part.transforms if not TRANSFORMS.get(name).network),
    )
    phrases[part.name] = _phrase(part, request)
    return phrases[part.name]


def _phrase(part: Part, request: Request) -> Phrase:
    empty = Phrase.empty(request.beats, Provenance(part.generator, Origin.RULES))
    try:
        if not GENERATORS.get(part.generator).network:
            return chain.make_phrase(part.generator, request, {})[1]
        return chain.transformed(empty.with_notes(_like_a_network(request)), request, {})
    except Exception:  # a plug-in may raise anything, and nothing is known of its notes then
        return empty


def _like_a_network(request: Request) -> np.ndarray:
    """Notes [n] of NOTE as long as those of the primer, or eighths."""
    primer = request.primer
    if primer is not None and len(primer.notes):
        times = range(ceil(request.beats / primer.length))
        notes = np.concatenate([moved(primer.notes, time * primer.length) for time in times])
        return notes[notes["start"] < request.beats]
    starts = np.arange(0.0, request.beats, _NETWORK_NOTE)
    notes = np.zeros(len(starts), NOTE)
    notes["start"], notes["end"], notes["pitch"], notes["velocity"] = starts, starts + _NETWORK_NOTE, 60, 80
    return notes


def check_articulation(
    reader: SceneReader, scene: Scene, parts: Mapping[str, PartDraft], articulations: Mapping[Path, Articulation | None]
) -> None:
    """Note where an instrument's attack or release is too long for what its part plays; pads may do as they like."""
    spoken = {path.resolve(): one for path, one in articulations.items()}
    slow: dict[str, Articulation] = {}
    for name, part in scene.parts.items():
        instrument = spoken.get(Path(part.sound.instrument))
        if instrument is not None and (instrument.too_slow(_SHORTEST) or instrument.too_long(_SHORTEST)):
            slow[name] = instrument
    for name, note in median_lengths(scene, slow).items():
        node, instrument = parts[name].chain.written.node.get("instrument"), slow[name]
        if not isinstance(node, ScalarNode):
            continue
        notes = f"half of the notes of part `{name}` last {_time(note)} or less"
        pads = f"or longer notes: those of {PAD:g} s and more are a pad's, which may swell and ring"
        if instrument.too_slow(note):
            reader.source.warning(
                node.span,
                f"`{clipped(node.text)}` takes {_time(instrument.attack)} to begin, and {notes}",
                f"take one with an attack of {_time(ATTACK_SHARE * note)} at most, a quarter of that, {pads}",
            )
        if instrument.too_long(note):
            reader.source.warning(
                node.span,
                f"`{clipped(node.text)}` rings on for {_time(instrument.release)}, and {notes}",
                f"take one with a release of {_time(note)} at most, {pads}",
            )


def _time(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
