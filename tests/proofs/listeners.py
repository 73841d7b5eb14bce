"""Who hears and who plays besides us, where they are there: a transcriber (Basic Pitch), a synthesiser (FluidSynth)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pretty_midi
import soundfile

from tests.proofs.measures import RATE

SOUND_FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
"""General MIDI, from the package fluid-soundfont-gm."""
PROGRAMS = {
    "chapel_choir": 52,
    "electric_piano": 4,
    "glass_bell": 14,
    "grand_piano": 0,
    "marimba": 12,
    "mellow_keys": 16,
    "night_drone": 89,
    "nylon_bass": 32,
    "plucked_string": 24,
    "round_bass": 33,
    "soft_lead": 73,
    "soft_strings": 48,
    "sub_bass": 38,
    "warm_pad": 89,
    "xylophone": 13,
}
"""The General MIDI program, counted from 0, that is most like an instrument."""

_TRANSCRIBE = """
import contextlib, io, json, pathlib, sys
import basic_pitch
from basic_pitch.inference import Model, predict
model = Model(pathlib.Path(basic_pitch.__file__).parent / "saved_models/icassp_2022/nmp.onnx")
for path in sys.stdin.read().split():
    with contextlib.redirect_stdout(io.StringIO()):
        events = predict(path, model)[2]
    print(json.dumps([path, [[float(event[0]), int(event[2])] for event in events]]), flush=True)
"""


def transcribed(python: str, paths: list[Path]) -> dict[Path, np.ndarray]:
    """What Basic Pitch (its ICASSP 2022 model) hears in sound files: arrays [n, 2] of onset in seconds and pitch.

    Args:
        python: an interpreter that has `basic-pitch[onnx]`; an environment of its own, since it needs old packages.
        paths: of the sound files.
    """
    names = "\n".join(map(str, paths))
    command = [python, "-c", _TRANSCRIBE]
    ran = subprocess.run(command, input=names, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    found = {}
    for line in ran.stdout.splitlines():
        path, events = json.loads(line)
        found[Path(path)] = np.array(events, float).reshape(-1, 2)
    return found


def fluidsynth() -> str | None:
    """FluidSynth's path; None without it or its sounds."""
    return shutil.which("fluidsynth") if SOUND_FONT.exists() else None


def played_by_fluidsynth(notes: np.ndarray, instrument: str, path: Path) -> None:
    """Write what FluidSynth makes of notes.

    Args:
        notes: array [n, 4] of on and off in seconds, pitch, velocity.
        instrument: ours, whose like it takes.
        path: of the WAV file.
    """
    song = pretty_midi.PrettyMIDI(resolution=960)
    player = pretty_midi.Instrument(PROGRAMS.get(instrument, 0))
    player.notes = [pretty_midi.Note(int(v), int(p), float(on), float(off)) for on, off, p, v in notes]
    song.instruments.append(player)
    song.write(str(path.with_suffix(".mid")))
    command = [fluidsynth() or "fluidsynth", "-ni", "-q", "-r", str(RATE), "-F", str(path)]
    subprocess.run([*command, str(SOUND_FONT), str(path.with_suffix(".mid"))], check=True, capture_output=True)
    sound, rate = soundfile.read(path, always_2d=True)
    assert rate == RATE
    soundfile.write(path, sound * (0.25 / max(float(np.abs(sound).max()), 1e-9)), RATE)
