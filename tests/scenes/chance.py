"""Scenes by chance, most of them nearly right: every generator, transform, instrument and setting that there is."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine import assets
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Job, Reply
from engine.events import Event, PhraseDecided
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.generators import chain
from engine.generators.contract import GENERATORS, TRANSFORMS, Role
from engine.runtime.ending import networks_of, setup_of
from engine.runtime.rules import ladder_over
from engine.runtime.workers.messages import TO_WORKER, Load
from engine.scenes.instruments.files import Instruments
from engine.scenes.loading import check_file
from engine.scenes.schema.json_schema import unit_of
from engine.scenes.schema.models import MixFile
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.problems import Severity
from engine.score.harmony.keys import MODES
from engine.score.phrase import Origin, Phrase
from engine.sound.messages import TO_SOUND, ToSound
from engine.units import PitchRange, Range, written
from tests.conductor.sealed import EachPart, Sealed
from tests.conductor.virtual import VirtualMakers

GENERATORS = GENERATORS.kinds()
TRANSFORMS = TRANSFORMS.kinds()
INSTRUMENTS = sorted(assets.shipped_names("instruments"))
WEIGHTS = list(assets.names("weights", ".safetensors"))
PATTERNS = [
    "D4:1 F4:1/2 ~:1/2 [D4 A4]:2",
    "C2:1/64 ~:3",
    "bd: x...x... | sn: ....x...",
    "G9:4",
    "C-1:1/3 C-1:1/3 C-1:1/3",
    "hh: x",
]
WILD = [
    "",
    "~",
    "1",
    "-1 dB",
    "8 bars",
    "..",
    "1e999",
    ".nan",
    True,
    None,
    [],
    {},
    "C4..C6",
    "->",
    10**30,
    "x" * 300,
    0.5,
]
NAMES = ["a", "b-1", "c_2", "Pad", "drums", "x9"]


def chance_of(rng: random.Random, share: float) -> bool:
    """True as often as `share` says."""
    return rng.random() < share


def _limits(field: FieldInfo, low: float, high: float) -> tuple[float, float]:
    metadata = [
        *field.metadata,
        *(item for arg in get_args(field.annotation) for item in getattr(arg, "__metadata__", ())),
    ]
    low = max([low, *(item.ge for item in metadata if getattr(item, "ge", None) is not None)])
    high = min([high, *(item.le for item in metadata if getattr(item, "le", None) is not None)])
    return low, high


def value_of(rng: random.Random, name: str, field: FieldInfo, wild: float) -> Any:
    """A value for a setting: mostly within its limits or at their ends, now and then anything."""
    if chance_of(rng, wild):
        return rng.choice(WILD)
    special = {
        "weights": lambda: rng.choice([*WEIGHTS, "nowhere"]),
        "points": lambda: rng.choice([[], [1, 2], [7, 7], [3, 4, 5, 2**40]]),
        "notes": lambda: rng.choice(PATTERNS),
        "variations": lambda: rng.choice([["exact"], ["transposed", "inverted"]]),
        "every": lambda: rng.choice(["2 bars", "4 bars", "1:4 bars", "3:3 bars"]),
        "only": lambda: rng.choice(["hats", ["kicks", "snares"], "toms", ["cymbals"]]),
        "pan": lambda: rng.choice(["center", "left", "20 % left", "100 % right"]),
        "time": lambda: rng.choice(["350 ms", "4 s", "0.1 s"]),
        "feedback": lambda: rng.choice(["0 %", "95 %", "35.5 %"]),
    }
    if name in special and (name != "notes" or field.annotation is not int):
        return special[name]()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return settings_of(rng, field.annotation, wild)
    kinds = [field.annotation, *get_args(field.annotation)]
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    if words:
        return rng.choice(words)
    if bool in kinds:
        return chance_of(rng, 0.5)
    if PitchRange in kinds or isinstance(field.default, PitchRange):
        low = rng.randrange(12, 100)
        return written(PitchRange(low, min(low + rng.randrange(11, 60), 127)))
    unit = unit_of(field)
    low, high = _limits(field, unit.low if unit else 0.0, unit.high if unit else 4.0)
    high = min(high, low + 64.0) if unit and unit.whole else high
    value = rng.choice([low, high, rng.uniform(low, high), rng.uniform(low, min(high, low + 1.0))])
    if chance_of(rng, 0.002):
        value = rng.choice([low - 1, high + 1])
    if (int in kinds and float not in kinds) or (unit and unit.whole):
        value = round(value)
    if isinstance(field.default, Range) or name in ("bars", "repeat"):
        return written(Range(value, value + rng.randrange(4)), unit) if unit else value
    return written(value, unit) if unit else value


def settings_of(rng: random.Random, model: Any, wild: float, share: float = 0.3) -> dict[str, Any]:
    """Some settings of a model."""
    found = {}
    for name, field in model.model_fields.items():
        if chance_of(rng, 0.01 if name == "weights" else share):
            found[name] = value_of(rng, name, field, wild)
    return found


def scene_by_chance(seed: int) -> dict[str, Any]:
    """A scene as its file would say it."""
    rng = random.Random(seed)
    wild = rng.choice([0.0, 0.0, 0.0, 0.0, 0.02])
    names = rng.sample(NAMES, rng.randrange(1, len(NAMES)))
    parts: dict[str, Any] = {}
    for name in names:
        kind = GENERATORS[rng.choice(list(GENERATORS))]
        role = rng.choice(kind.roles)
        settings = settings_of(rng, kind.settings, wild)
        if kind.name == "pattern":
            settings.setdefault("notes", PATTERNS[2 if role is Role.DRUMS else 0])
        # Mostly parts that stand before it, so that few circles come about.
        others = list(parts) if chance_of(rng, 0.97) else [other for other in names if other != name]
        for link in ("chords", "rhythm", "primer"):
            fitting = [one for one in others if link != "chords" or parts.get(one, {}).get("role") != "drums"]
            if fitting and (chance_of(rng, 0.25) or (link == "chords" and kind.needs)):
                other = rng.choice(fitting)
                settings[link] = {"part": other} if link == "primer" else other
        if kind.name == "canon" and others:
            settings["leader"] = rng.choice(others)
        if chance_of(rng, 0.1):
            settings["primer"] = PATTERNS[2 if role is Role.DRUMS else rng.choice([0, 1, 3, 4])]
        transforms: list[Any] = []
        for transform in rng.choices(list(TRANSFORMS), k=rng.randrange(4)):
            filled = settings_of(rng, TRANSFORMS[transform].settings, wild)
            if role is not Role.DRUMS and not chance_of(rng, wild):
                filled.pop("only", None)  # it names drums
            transforms.append(transform if not filled else {transform: filled})
        kits = [one for one in INSTRUMENTS if one.endswith("kit")]
        tuned = [one for one in INSTRUMENTS if one not in kits]
        parts[name] = {
            "generator": {"kind": kind.name, **settings} if settings else kind.name,
            "role": str(role),
            "phrase": f"{rng.choice([1, 2, 3, 4, 8, 64])} bars",
            "transforms": transforms,
            "instrument": rng.choice(kits if role is Role.DRUMS else tuned),
            "level": f"{rng.randrange(-60, 1)} dB",
        }
    sections: dict[str, Any] = {}
    for place in range(rng.randrange(1, 4)):
        section: dict[str, Any] = {
            "bars": rng.choice(["1 bar", "2 bars", "1..5 bars", "64 bars"]),
            "parts": rng.sample(names, rng.randrange(1, len(names) + 1)),
        }
        section["move"] = _moves(rng, parts, section["parts"], wild)
        sections[f"s{place}"] = section
    return {
        "perpetuum": 1,
        "title": "By chance",
        "meter": rng.choice(["4/4", "4/4", "3/4", "6/8", "7/8", "5/4", "1/16", "15/16", "2/1"]),
        "tempo": rng.choice(["90 qpm", "20 qpm", "300 qpm", "60..61 qpm", "40 -> 200 -> 90 qpm"]),
        "key": f"{rng.choice('ABCDEFG')}{rng.choice(['', '#', 'b'])} {rng.choice(list(MODES))}",
        "opening": rng.choice(["0 bars", "0 bars", "1 bar", "3 bars"]),
        "parts": parts,
        "sections": sections,
        "mix": _mix(rng, names, wild),
    }


def _moves(rng: random.Random, parts: dict[str, Any], heard: list[str], wild: float) -> dict[str, Any]:
    moves: dict[str, Any] = {}
    for name in heard:
        generator = parts[name]["generator"]
        kind = GENERATORS[generator if isinstance(generator, str) else generator["kind"]]
        for setting, field in kind.settings.model_fields.items():
            if setting not in ("weights", "points", "notes", "config", "taste") and chance_of(rng, 0.1):
                values = [str(value_of(rng, setting, field, wild)) for _ in range(rng.randrange(1, 4))]
                moves[f"{name}.{setting}"] = " -> ".join(values) if unit_of(field) else values[0]
        if chance_of(rng, 0.3):
            moves[f"{name}.level"] = rng.choice(["-30 -> -10 dB", "off", "-3 dB", "0 dB -> off"])
    return moves


def _mix(rng: random.Random, names: list[str], wild: float) -> dict[str, Any]:
    mix: dict[str, Any] = {}
    for effect in ("reverb", "delay"):
        if chance_of(rng, 0.5):
            model = type(MixFile.model_fields[effect].default)
            mix[effect] = settings_of(rng, model, wild, 0.6)
    if chance_of(rng, 0.3):
        under = rng.choice(names)
        ducked = rng.choice([name for name in names if name != under] or names)
        mix["duck"] = {ducked: {"under": under, "depth": rng.choice(["0 dB", "6 dB", "24 dB"])}}
    return mix


def text_by_chance(seed: int) -> str:
    """A scene file; one in three is spoiled in some place."""
    text = json.dumps(scene_by_chance(seed), indent=1, ensure_ascii=False)
    rng = random.Random(seed ^ 0x5EED)
    if chance_of(rng, 0.3):
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(text))
            piece = rng.choice(["", "#", '"', "{", ": ", ",", "\n", "9", "-", "x", " dB", "\u2028"])
            text = text[:place] + piece + text[place + rng.choice([0, 1, 1, 5]) :]
    return text


class UnplayableError(AssertionError):
    """A scene that `check` calls valid and that does not play."""


def play_silently(scene: Scene, seed: int, bars: int = 4) -> None:
    """Seal some bars, with rules where networks would play; and all that would be sent to the sound and the workers.

    Raises:
        UnplayableError: something that is by rules failed, or a note cannot be sounded.
    """
    setup = setup_of(scene, seed, live=True)
    assert TO_SOUND.decode(TO_SOUND.encode(setup)) == setup
    TO_WORKER.encode(Load(tuple(networks_of(scene))))

    def make(job: Job) -> Reply:
        TO_WORKER.encode(job)
        return Reply(job.ticket, *_checked(*chain.stand_in(job.request, "")))

    sent: list[ToSound] = []
    makers = VirtualMakers(make)
    failed: list[str] = []
    events: list[Event] = []

    def listen(sealed: Sealed) -> None:
        if sealed.phrase.provenance.reason and sealed.phrase.provenance.origin is Origin.FALLBACK:
            failed.append(f"{sealed.part}: {sealed.phrase.provenance}")

    each_part = EachPart(listen, events.append)
    each_part.conductor = Conductor(Plan(scene, seed), ladder_over(makers), sent.append, FastClock(), publish=each_part)
    each_part.conductor.run(bars)
    for message in sent:
        TO_SOUND.encode(message)
    reasons = [event.reason for event in events if isinstance(event, PhraseDecided) and event.reason]
    if reasons:
        raise UnplayableError(f"rules failed: {failed[:1] or reasons[:1]}")


def _checked(raw: Phrase, phrase: Phrase) -> tuple[Phrase, Phrase]:
    if ";" in phrase.provenance.reason or phrase.provenance.generator == "plainest":
        raise UnplayableError(f"a stand-in failed: {phrase.provenance}")
    return raw, phrase


def examine(path: Path, seed: int, instruments: Instruments) -> bool:
    """Whether a scene by chance is playable; what is valid plays, and what is refused has a place.

    Raises:
        Exception: whatever is wrong.
    """
    text = text_by_chance(seed)
    path.write_text(text, "utf-8")
    checked = check_file(path, instruments)
    scene, found = checked.scene, checked.diagnostics
    placed(found, text, path)
    if scene is None:
        assert any(one.severity is Severity.ERROR for one in found)
        return False
    play_silently(scene, seed)
    return True


def placed(found: list[Diagnostic], text: str, path: Path) -> None:
    """Every diagnostic of a file points into it."""
    lines = text.split("\n")
    for one in found:
        assert one.message
        assert one.path == path
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.column <= len(lines[one.line - 1]) + 1
