"""`perpetuum play` as its user meets it: a process that is watched, edited and interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.files import saved_at
from engine.runtime.watching import Watcher, watch

SCENE = """
perpetuum: 1
title: Edited
seed: 5
tempo: 240 qpm
key: D dorian
parts:
  pad:
    generator: {kind: chord_walk, chord_length: 1 bar}
    phrase: 2 bars
    instrument: warm_pad
    level: -10 dB
sections:
  first: {bars: 2 bars, parts: [pad]}
"""


class Player:
    """A running `perpetuum play` whose lines can be waited for."""

    def __init__(self, scene: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "engine", "play", str(scene), "--output", "null", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def wait_for(self, text: str) -> str:
        """The first line that holds a text; the test's own time limit ends the wait."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without saying {text!r}; it said:\n{''.join(seen)}")

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; exit status and what it said at the end."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate()
        return self.process.returncode, out


@pytest.fixture
def play(tmp_path):
    players = []

    def start(*options: str) -> tuple[Path, Player]:
        scene = tmp_path / "scene.yaml"
        scene.write_text(SCENE)
        players.append(Player(scene, *options))
        return scene, players[-1]

    yield start
    for player in players:
        player.process.kill()
        player.process.wait()


def save(scene: Path, text: str) -> None:
    """As editors do: a new file under the old name."""
    other = scene.with_name("scene.yaml.new")
    other.write_text(text)
    other.replace(scene)


def test_it_plays_section_after_section_and_ctrl_c_stops_it_clean(play):
    _, player = play()
    player.wait_for("bar 1: first")
    player.wait_for("bar 5: first")
    status, out = player.stop()
    assert status == 0
    assert "Traceback" not in out
    assert "by rules, 0 failed" in out


def test_a_saved_edit_takes_over_and_a_broken_one_keeps_the_last_good(play):
    scene, player = play("--watch")
    player.wait_for("bar 3: first")
    save(scene, SCENE.replace("  first: {", "  second: {").replace("warm_pad", "soft_strings"))
    player.wait_for("the edited scene takes over")
    player.wait_for(": second, 2 bars")
    save(scene, SCENE.replace("generator: {kind: chord_walk", "generator: {kind: chord_wok"))
    assert "scene.yaml:9:23" in player.wait_for("unknown generator `chord_wok`")
    player.wait_for("what played plays on")
    player.wait_for(": second, 2 bars")
    status, out = player.stop()
    assert status == 0
    assert "Traceback" not in out


def test_an_edit_that_was_saved_before_the_watch_began_is_not_missed(tmp_path):
    scene, stopped, loaded = tmp_path / "scene.yaml", threading.Event(), []
    scene.write_text(SCENE)
    known = {scene: saved_at(scene)}
    save(scene, "edited")

    def load(path: Path) -> None:
        loaded.append(path.read_text())
        stopped.set()

    watch(Watcher(scene, load, [].append, known), stopped)
    assert loaded == ["edited"]


def test_a_section_or_part_that_is_not_there_is_said_with_what_was_probably_meant(play):
    _, player = play("--section", "frist")
    assert "no section 'frist'" in player.wait_for("no section")
    player.wait_for("did you mean first?")
    assert player.process.wait() == 2


@pytest.mark.parametrize("minutes", ["nan", "inf", "1e300", "-1", "0"])
def test_a_length_that_is_no_length_is_refused_at_once(minutes):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "engine", "play", "slow_groove", "--output", "null", "--minutes", minutes],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--minutes" in done.stderr


@pytest.mark.parametrize("stdout", ["closed pipe", "full disk"])
def test_the_music_goes_on_when_nobody_takes_what_it_says(tmp_path, stdout):
    scene = tmp_path / "scene.yaml"
    scene.write_text(SCENE)
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    command = [sys.executable, "-P", "-m", "engine", "play", str(scene), "--output", "null", "--minutes", "0.05"]
    try:
        target = full if stdout == "full disk" else writer
        done = subprocess.run(command, stdout=target, stderr=target, timeout=60, check=False)
    finally:
        os.close(writer)
        os.close(full)
    assert done.returncode == 0


def test_whatever_lies_in_its_place_the_watcher_waits_for_the_next_good_save(tmp_path, caplog):
    """A folder, a FIFO, a link to nowhere, a load that raises: nothing ends it, and the next save is taken."""
    path, edits = tmp_path / "scene.yaml", []
    path.write_text("one")

    loaded: list[str] = []

    def load(found: Path):
        text = found.read_text()
        loaded.append(text)
        if text == "bug":
            raise RuntimeError(text)
        return text

    watcher = Watcher(path, load, edits.append, {path: saved_at(path)})
    watcher.look()
    assert not edits
    for number, spoil in enumerate((path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(tmp_path / "no"))):
        path.unlink() if not path.is_dir() else path.rmdir()
        spoil()
        watcher.look()
        watcher.look()
        assert not edits
        path.unlink() if not path.is_dir() else path.rmdir()
        path.write_text(f"good {number}")
        watcher.look()
        assert edits.pop() == f"good {number}"
    path.write_text("bug")
    watcher.look()
    assert not edits
    loads = len(loaded)
    watcher.look()
    assert len(loaded) == loads, "a save is loaded once, whatever comes of it"
    path.write_text("better")
    watcher.look()
    assert edits.pop() == "better"
    assert caplog.text.count("is no file that can be read") == 3
