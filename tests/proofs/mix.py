"""How the shipped scenes sound, in figures: `python -m tests.proofs.mix [--minutes 10] [--seeds 5] [-o FILE]`.

Not a test: it renders every scene and then each pitched part alone, which takes about as long as the music lasts. It
prints two tables in Markdown. docs/listening.md says what the bars are and keeps the last results.

`--transcriber PYTHON` names an interpreter that has `basic-pitch[onnx]` (in an environment of its own). Then each part
alone is transcribed, beside the same notes by FluidSynth if that is installed with FluidR3_GM.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pretty_midi
import soundfile

from engine import assets
from engine.form.scene import Scene
from engine.scenes import load
from engine.score.drums import CLASS_OF_PITCH
from engine.sound.contract import LATENCY
from engine.sound.instruments.articulation import ATTACK_SHARE, PAD, articulation
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.messages import Notes, PartSound
from tests.proofs import listeners, measures
from tests.proofs.figures import run
from tests.sound.rendering import notes as note_events
from tests.sound.rendering import render

RATE = measures.RATE
AROUND_STROKES = 0.04
"""Seconds after a drum's stroke in which a jump is the stroke."""
Score = dict[str, np.ndarray]
"""Notes by part: arrays [n, 4] of on and off in seconds, pitch, velocity."""


@dataclass(frozen=True)
class Bar:
    """One figure of a scene and what it must be.

    Attributes:
        name: what is measured.
        wanted: in words.
        right: whether a value is.
        form: of the value.
    """

    name: str
    wanted: str
    right: Callable[[float], bool]
    form: str = "{:.1f}"


BARS = (
    Bar("loudness, LUFS", "-23 to -16", lambda v: -23 <= v <= -16),
    Bar("true peak, dBTP", "< -1", lambda v: v < -1),
    Bar("tilt against pink, dB/oct", "-3 to -1", lambda v: -3 <= v <= -1),
    Bar("under 40 Hz, dB of all", "<= -20", lambda v: v <= -20),
    Bar("above 8 kHz, dB of all", ">= -40", lambda v: v >= -40),
    Bar("sides under 120 Hz, dB", "<= -12", lambda v: v <= -12),
    Bar("sides, dB (slow_groove)", ">= -12", lambda v: v >= -12),
    Bar("clicks outside strokes", "0", lambda v: v == 0, "{:.0f}"),
    Bar("least energy of a bass above 100 Hz, %", ">= 10", lambda v: v >= 10),
    Bar("duck under the kick, dB", ">= 4", lambda v: v >= 4),
    Bar("most mono loss of a part, dB", "<= 1.5", lambda v: v <= 1.5),
    Bar("strokes of the snare at 127, share", "<= .20", lambda v: v <= 0.2, "{:.2f}"),
)
RECALL = 0.80
NEAR = 0.10
"""Recall that a part alone must have, or how far it may lie under that of FluidSynth."""


def score_of(path: Path) -> Score:
    """The notes of a rendered scene's MIDI file."""
    song = pretty_midi.PrettyMIDI(str(path))
    return {
        one.name: np.array([(n.start, n.end, n.pitch, n.velocity) for n in one.notes], float).reshape(-1, 4)
        for one in song.instruments
    }


def window(notes: np.ndarray, seconds: float) -> np.ndarray:
    """The notes of the fullest stretch of so many seconds, from its beginning on."""
    if not len(notes):
        return notes
    notes = notes[np.argsort(notes[:, 0], kind="stable")]
    ends = np.searchsorted(notes[:, 0], notes[:, 0] + seconds)
    first = int(np.argmax(ends - np.arange(len(notes))))
    found = notes[first : ends[first]].copy()
    found[:, :2] -= found[0, 0] - 0.1
    return found


def events(notes: np.ndarray) -> np.ndarray:
    """Notes in seconds as the graph takes them, in frames."""
    return note_events(*[(round(on * RATE), round(off * RATE), int(p), int(v)) for on, off, p, v in notes])


def alone(sound: PartSound, notes: np.ndarray, scene: Scene, *, dry: bool) -> np.ndarray:
    """One part [frames, 2], with its sends or without; softly, so that the master leaves it as it is."""
    mix = replace(scene.mix, level=-12.0, ducks=())
    part = replace(sound, reverb=-np.inf, delay=-np.inf) if dry else sound
    frames = int((float(notes[:, 0].max()) + 2.0) * RATE)
    return render([part], [Notes(part.name, events(notes))], frames, mix=mix).sound


def duck_depth(scene: Scene, score: Score, seconds: float) -> float:
    """Median dB by which a bass falls at the strokes that it gives way to, heard in its sound; nan without a duck."""
    depths: list[float] = []
    for duck in scene.mix.ducks:
        both = {name: score.get(name, np.zeros((0, 4))) for name in (duck.part, duck.under)}
        strokes = [(on, v) for on, _, p, v in both[duck.under] if duck.drum in (None, CLASS_OF_PITCH.get(int(p)))]
        if not strokes or not len(both[duck.part]):
            continue
        start = max(0.0, strokes[0][0] - 0.1)
        cut = {}
        for name, notes in both.items():
            cut[name] = notes[(notes[:, 0] >= start) & (notes[:, 0] < start + seconds)] - [start, start, 0, 0]
        bass, kit = (scene.parts[name].sound for name in (duck.part, duck.under))
        parts = [replace(one, reverb=-np.inf, delay=-np.inf) for one in (bass, replace(kit, level=-np.inf))]
        messages = [Notes(name, events(notes)) for name, notes in cut.items()]
        frames = int(seconds * RATE)
        heard = []
        for ducks in ((duck,), ()):
            mix = replace(scene.mix, level=-12.0, ducks=ducks)
            heard.append(render(parts, messages, frames, mix=mix).sound[:, 0].astype(float))
        for on, velocity in strokes:
            frame = round((on - start) * RATE) + LATENCY
            piece = slice(frame + RATE // 100, frame + RATE // 20)
            left, free = (float((sound[piece] ** 2).sum()) for sound in heard)
            if velocity >= 80 and 0 <= frame < frames - RATE // 20 and free > 1e-6:
                depths.append(measures.decibels(free / max(left, 1e-15)))
    return float(np.median(depths)) if depths else float("nan")


@dataclass
class Alone:
    """A pitched part heard alone.

    Attributes:
        scene: name.
        part: name.
        instrument: name.
        note: median length in seconds over the whole render.
        notes: of the stretch that was heard, as in `Score`.
        files: our sound and FluidSynth's, as they are there.
        recall: shares of the notes that a transcriber heard, by file.
    """

    scene: str
    part: str
    instrument: str
    note: float
    notes: np.ndarray
    files: list[Path]
    recall: list[float]

    def row(self) -> str:
        """Of the table."""
        path = assets.find("instruments", self.instrument)
        speaks = articulation(load_instrument(path)[1]) if path is not None else None
        assert speaks is not None, self.instrument
        slow, long = speaks.too_slow(self.note), speaks.too_long(self.note)
        release = f"{speaks.release * 1000:.0f} ms{' (miss)' if long else ''}" if speaks.sustains else "dies away"
        heard = [f"{value:.2f}" for value in self.recall] + ["-"] * (2 - len(self.recall))
        if self.recall and self.recall[0] < RECALL:
            near = len(self.recall) > 1 and self.recall[0] >= self.recall[1] - NEAR
            heard[0] += " (as FluidSynth)" if near else " (miss)"
        pad = " (pad)" if self.note >= PAD else ""
        attack = f"{speaks.attack * 1000:.0f} ms, {speaks.attack / self.note:.0%}{' (miss)' if slow else ''}"
        return (
            f"| {self.scene} {self.part} | {self.instrument} | {self.note:.2f} s{pad} | {attack} | {release} "
            f"| {len(self.notes)} | {heard[0]} | {heard[1]} |"
        )


def figures_of(
    name: str, minutes: float, seed: int, seconds: float, folder: Path, *, transcribe: bool
) -> tuple[list[float], list[Alone]]:
    """Render a scene and its parts: a value for each of `BARS`; and the pitched parts, as files to be transcribed."""
    scene, _ = load(assets.scene(name))
    assert scene is not None
    path = folder / f"{name}_{seed}.wav"
    midi = path.with_suffix(".mid")
    run("render", name, "--minutes", str(minutes), "--seed", str(seed), "-o", str(path), "--midi", str(midi))
    sound, _ = soundfile.read(path, always_2d=True)
    score = score_of(midi)
    drums = [notes for part, notes in score.items() if scene.parts[part].role == "drums"]
    strokes = np.concatenate([np.zeros((0, 4)), *drums])
    found = measures.clicks(sound)
    since = found[:, None] - strokes[None, :, 0]
    apart = [not ((one > -0.005) & (one < AROUND_STROKES)).any() for one in since]
    snare = [v for _, _, p, v in strokes if int(p) in (37, 38, 40)]
    basses: list[float] = []
    losses: list[float] = []
    parts: list[Alone] = []
    for part, notes in score.items():
        if scene.parts[part].role == "drums" or not len(notes):
            continue
        own = scene.parts[part].sound
        instrument = Path(own.instrument).stem
        heard = window(notes, seconds)
        dry = alone(own, heard, scene, dry=True)
        losses.append(measures.mono_loss(dry))
        if scene.parts[part].role == "bass":
            basses.append(100 * measures.share(dry, 100, RATE / 2))
        ours, theirs = (folder / f"{name}_{seed}_{part}{by}.wav" for by in ("", "_fluidsynth"))
        if transcribe:
            soundfile.write(ours, alone(own, heard, scene, dry=False), RATE)
        if transcribe and listeners.fluidsynth():
            listeners.played_by_fluidsynth(heard, instrument, theirs)
        files = [one for one in (ours, theirs) if one.exists()]
        length = float(np.median(notes[:, 1] - notes[:, 0]))
        parts.append(Alone(name, part, instrument, length, heard, files, []))
    values = [
        measures.loudness(sound),
        measures.true_peak(sound),
        measures.tilt(sound),
        measures.decibels(measures.share(sound, 0, 40)),
        measures.decibels(measures.share(sound, 8000, RATE / 2)),
        measures.width(sound, 20, 120),
        measures.width(sound) if name == "slow_groove" else float("nan"),
        float(sum(apart)),
        min(basses, default=float("nan")),
        duck_depth(scene, score, min(seconds, 30.0)),
        max(losses),
        float(np.mean([v == 127 for v in snare])) if snare else float("nan"),
    ]
    return values, parts


def report(minutes: float, seeds: list[int], scenes: list[str], seconds: float, transcriber: str) -> Iterator[str]:
    """The tables, line by line."""
    results: dict[str, list[float]] = {}
    parts: list[Alone] = []
    with tempfile.TemporaryDirectory() as name:
        for seed in seeds:
            for scene in scenes:
                values, some = figures_of(scene, minutes, seed, seconds, Path(name), transcribe=bool(transcriber))
                results[scene if len(seeds) == 1 else f"{scene} {seed}"] = values
                parts += some
                figures = ", ".join(f"{bar.name} {bar.form.format(one)}" for bar, one in zip(BARS, values, strict=True))
                print(f"{scene}, seed {seed}: {figures}", file=sys.stderr, flush=True)
        if transcriber:
            heard = listeners.transcribed(transcriber, [path for part in parts for path in part.files])
            for part in parts:
                for path in part.files:
                    onsets = part.notes[:, [0, 2]]
                    part.recall.append(measures.matched(onsets, heard[path], 0.1) / max(len(onsets), 1))
    yield f"Mix: {minutes:g} minutes of each scene, seed {', '.join(map(str, seeds))}.\n"
    yield "| measure | bar | " + " | ".join(results) + " |"
    yield "|---|---|" + "---|" * len(results)
    for place, bar in enumerate(BARS):
        cells = []
        for values in results.values():
            value = values[place]
            cells.append("-" if np.isnan(value) else bar.form.format(value) + ("" if bar.right(value) else " (miss)"))
        yield f"| {bar.name} | {bar.wanted} | " + " | ".join(cells) + " |"
    yield (
        f"\nNotes: attack at most {ATTACK_SHARE:.0%} of the median note, release of what sustains at most a note (notes"
        f" of {PAD:g} s and more are a pad's); recall of {seconds:g} s of each part alone at 100 ms at least"
        f" {RECALL:.2f}, or within {NEAR:.2f} of the same notes by FluidSynth.\n"
    )
    yield "| part | instrument | median note | attack | release | notes | recall | by FluidSynth |"
    yield "|---|---|---|---|---|---|---|---|"
    for part in parts:
        yield part.row()


def main() -> None:
    """Print or write the tables."""
    parser = argparse.ArgumentParser(description="How the shipped scenes sound, in figures.")
    parser.add_argument("--minutes", type=float, default=10, help="of each scene")
    parser.add_argument("--seeds", default="5", help="like 5 or 5,11")
    parser.add_argument("--scenes", default=",".join(sorted(assets.names("scenes"))), help="names, with commas")
    parser.add_argument("--solo-seconds", type=float, default=120, help="of each part alone")
    parser.add_argument("--transcriber", default="", help="an interpreter that has basic-pitch[onnx]")
    parser.add_argument("-o", "--output", type=Path, help="a file instead of standard output")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    lines = report(given.minutes, seeds, given.scenes.split(","), given.solo_seconds, given.transcriber)
    text = "\n".join(lines) + "\n"
    if given.output:
        given.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
