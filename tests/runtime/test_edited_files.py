"""Random walks of what may happen to the files of a scene while it plays: the last good save plays, nothing stops it.

`PERPETUUM_EDITS=8000` takes that many steps instead of a few dozen.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.files import noting
from engine.form.plan import Plan
from engine.form.scene import Scene
from engine.runtime.performance.mind.succession import take_over
from engine.runtime.rules import ladder_over
from engine.runtime.watching import Watcher
from engine.scenes import load
from engine.score.time import Bar
from engine.sound.messages import Setup
from tests.conductor.sealed import EachPart, Sealed
from tests.conductor.virtual import VirtualMakers

STEPS = int(os.environ.get("PERPETUUM_EDITS", "120"))

SCENE = """
perpetuum: 1
title: {title}
tempo: {qpm} qpm
meter: {meter}
key: {key}
parts:
  {part}:
    generator: {{kind: chord_walk, chord_length: 1 bar}}
    phrase: {phrase} bars
    instrument: mine.yaml
sections:
  {section}: {{bars: {bars} bars, parts: [{part}]}}
"""

INSTRUMENT = """
perpetuum: 1
title: Mine
kind: subtractive
oscillators: [{{wave: saw}}]
envelope: {{attack: {attack} ms, decay: 100 ms, sustain: 60 %, release: 200 ms}}
"""


def written(rng: np.random.Generator) -> str:
    """A good scene."""
    return SCENE.format(
        title=f"Edit {rng.integers(1 << 30)}",
        qpm=rng.integers(40, 240),
        meter=rng.choice(["4/4", "3/4", "7/8", "5/4"]),
        key=rng.choice(["C", "D dorian", "F# minor"]),
        part=rng.choice(["pad", "other"]),
        phrase=rng.integers(1, 5),
        section=rng.choice(["a", "b", "c"]),
        bars=rng.integers(1, 9),
    )


class Stage:
    """A scene file that plays in virtual time under a watcher."""

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        self.path = folder / "scene.yaml"
        self.instrument = folder / "mine.yaml"
        self.spare = folder / "saved elsewhere.yaml"
        self.save_instrument()
        self.path.write_text(written(rng))
        with noting() as used:
            scene, _ = load(self.path)
        assert scene is not None
        self.edited: Scene | None = None
        self.watcher = Watcher(self.path, lambda path: load(path)[0], self.take, used)
        self.sealed: list[Sealed] = []
        self.setups: list[Setup] = []
        makers = VirtualMakers(lambda job: pytest.fail("there are no networks"))
        each_part = EachPart(self.sealed.append)
        self.conductor = Conductor(Plan(scene, 1), ladder_over(makers), self.send, FastClock(), publish=each_part)
        each_part.conductor = self.conductor

    def take(self, scene: Scene) -> None:
        self.edited = scene

    def send(self, message: object) -> None:
        if isinstance(message, Setup):
            self.setups.append(message)

    def load(self, generators: object) -> None:
        assert generators == []

    def look(self) -> Scene | None:
        """Look at the files, take over what is new, play two bars."""
        self.watcher.look()
        edited, self.edited = self.edited, None
        if edited is not None:
            assert isinstance(take_over(self.conductor, edited, self.conductor.scene, 1, self.send, self), Bar)
        self.conductor.run(self.conductor.next_bar + 2)
        return edited

    # What may happen

    def save_instrument(self) -> None:
        self.instrument.write_text(INSTRUMENT.format(attack=self.rng.integers(1, 400)))

    def clear(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.rmdir()
        else:
            self.path.unlink(missing_ok=True)

    def save_whole(self) -> None:
        self.save_instrument()
        self.spare.write_text(written(self.rng))
        self.clear()
        self.spare.replace(self.path)

    def save_in_place(self) -> None:
        if not self.path.is_file():
            self.clear()
        self.path.write_text(written(self.rng))

    def save_half(self) -> None:
        self.clear()
        text = written(self.rng)
        self.path.write_text(text[: self.rng.integers(0, len(text))])

    def save_bytes(self) -> None:
        self.clear()
        self.path.write_bytes(self.rng.integers(0, 256, 300, np.uint8).tobytes())

    def save_wrong(self) -> None:
        self.clear()
        self.path.write_text(written(self.rng).replace("chord_walk", "chord_wok"))

    def save_huge(self) -> None:
        self.clear()
        self.path.write_text(written(self.rng))
        os.truncate(self.path, 5 << 30)

    def become_folder(self) -> None:
        self.clear()
        self.path.mkdir()

    def become_pipe(self) -> None:
        self.clear()
        os.mkfifo(self.path)

    def link_nowhere(self) -> None:
        self.clear()
        self.path.symlink_to("nowhere.yaml")

    def link_to_itself(self) -> None:
        self.clear()
        self.path.symlink_to(self.path.name)

    def link_elsewhere(self) -> None:
        self.clear()
        self.spare.write_text(written(self.rng))
        self.path.symlink_to(self.spare.name)

    def break_instrument(self) -> None:
        self.instrument.write_text("perpetuum: 1\nkind: nonsense\n")

    def lose_instrument(self) -> None:
        self.instrument.unlink(missing_ok=True)


HAPPENINGS: list[Callable[[Stage], None]] = [
    Stage.save_whole,
    Stage.save_whole,
    Stage.save_in_place,
    Stage.save_instrument,
    Stage.save_half,
    Stage.save_bytes,
    Stage.save_wrong,
    Stage.save_huge,
    Stage.become_folder,
    Stage.become_pipe,
    Stage.link_nowhere,
    Stage.link_to_itself,
    Stage.link_elsewhere,
    Stage.break_instrument,
    Stage.lose_instrument,
]


@pytest.mark.parametrize("seed", range(2))
def test_a_walk_of_saves_and_losses_never_stops_the_music_and_the_last_good_save_plays(tmp_path, seed):
    rng = np.random.default_rng(seed)
    stage = Stage(tmp_path, rng)
    good = 0
    for _ in range(STEPS // 2):
        HAPPENINGS[rng.integers(len(HAPPENINGS))](stage)
        bar = stage.conductor.next_bar
        stage.look()
        assert stage.conductor.next_bar == bar + 2
        now = load(stage.path)[0] if stage.path.is_file() else None
        if now is not None:
            good += 1
            assert stage.conductor.scene == now, "the last good save is to play"
            assert {sealed.part for sealed in stage.sealed[-1:]} == set(now.parts)
    assert good > STEPS // 12


def test_an_edit_of_an_instrument_is_heard_without_an_edit_of_the_scene(tmp_path):
    stage = Stage(tmp_path, np.random.default_rng(1))
    assert stage.look() is None
    stage.save_instrument()
    assert stage.look() is not None
    assert len(stage.setups) == 1, "the graph is built anew"
    assert stage.look() is None


def test_an_instrument_that_vanished_is_taken_up_when_it_is_back(tmp_path):
    stage = Stage(tmp_path, np.random.default_rng(1))
    kept = tmp_path / "kept"
    shutil.move(stage.instrument, kept)
    assert stage.look() is None
    assert stage.look() is None
    shutil.move(kept, stage.instrument)
    assert stage.look() is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do without its rights and take them up again")
def test_a_file_that_may_not_be_read_for_a_while_is_taken_up_without_another_save():
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for root alone
        folder = Path(name)
        folder.chmod(0o755)
        stage = Stage(folder, np.random.default_rng(1))
        stage.save_whole()
        stage.path.chmod(0o600)
        os.seteuid(65534)
        try:
            assert stage.look() is None
        finally:
            os.seteuid(0)
        assert stage.look() is not None
