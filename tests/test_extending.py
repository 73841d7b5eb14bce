"""The package that docs/extending.md walks through is installed as anyone would install it, and plays."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "extending.md"


def files_of_the_page() -> dict[str, str]:
    """The files that the page shows: a line with nothing but a path and a colon, and the block behind it."""
    found = re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return dict(found)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """The folder of the page's files, and a way to run Python there with the package installed."""
    folder = tmp_path_factory.mktemp("extending")
    for name, text in files_of_the_page().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "tides" / "tides" / "__init__.py").touch()
    site = folder / "site"
    uv = Path(sys.executable).with_name("uv")
    installer = [uv, "pip", "install", "--offline"] if uv.exists() else [sys.executable, "-m", "pip", "install"]
    options = ["--no-deps", "--no-build-isolation", "--target", site, folder / "tides"]
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    made = subprocess.run([*installer, *options], env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(site)}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.folder = folder
    return run


def test_a_package_of_ones_own_is_listed_checked_and_heard(plugin):
    """Its generator, its transform and its instrument make the sound of a scene."""
    listed = {row["name"]: row["what"] for row in json.loads(plugin("-m", "engine", "generators", "--format", "json"))}
    assert (listed["tides"], listed["echo"]) == ("generator", "transform")
    plugin("-m", "engine", "check", "tides.yaml")
    plugin("-m", "engine", "render", "tides.yaml", "--bars", "2", "--seed", "1", "-o", "tides.wav")
    sound, rate = soundfile.read(plugin.folder / "tides.wav")
    # The first note is the lowest of the range in A minor: C4, a pure tone.
    first = sound[int(0.15 * rate) : int(0.4 * rate)].mean(axis=1)
    loudest = np.abs(np.fft.rfft(first * np.hanning(len(first)), 1 << 17)).argmax() * rate / (1 << 17)
    assert loudest == pytest.approx(261.6, abs=2.0)


def test_an_output_of_ones_own_follows_what_keeps_time(plugin):
    """Half a second of sound takes half a second, and what the output makes of it is there."""
    script = """
import time
import numpy as np
from engine.outputs.opening import OutputChoice, open_outputs
loud = np.full((4800, 2), 0.25, np.float32).tobytes()
began = time.monotonic()
with open_outputs([OutputChoice.parse("null"), OutputChoice.parse("peaks:peaks.txt")]) as output:
    for _ in range(5):
        output.write(loud)
assert 0.4 < time.monotonic() - began
"""
    plugin("-c", script)
    assert set((plugin.folder / "peaks.txt").read_text().split()) == {"0.250"}


def test_a_subscriber_of_ones_own_hears_what_is_played(plugin):
    """It counts the notes that the MIDI file of a render of the same bars holds."""
    import mido

    said = plugin("-m", "tides.listening", "tides.yaml", "sea", "4")
    plugin("-m", "engine", "render", "tides.yaml", "--bars", "4", "--seed", "1", "-o", "x.wav", "--midi", "x.mid")
    written = mido.MidiFile(plugin.folder / "x.mid")
    begun = [message for message in written if message.type == "note_on" and message.velocity]
    assert said.splitlines() == [f"high: {len(begun)} notes"]
