# pyright: strict
"""Days of a scene that nobody hears: the engine's own mind, workers, networks and ear, with a clock that leaps."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from engine.conductor.daytime import CountedDay
from engine.ear.faults import EarFault
from engine.ear.hand import Hand
from engine.errors import PerpetuumError
from engine.events import (
    BarSealed,
    Event,
    Heard,
    PhraseDecided,
    QuietBegan,
    SceneTookOver,
    SoundMeasured,
    SteppedDown,
)
from engine.form.scene import Scene
from engine.installation.soak.kept import StoredProcess, StoredSample, StoredSoak, StoredSound
from engine.installation.soak.measuring import measure_processes
from engine.installation.soak.sounding import SoakSound
from engine.output_file import write_text
from engine.runtime.ending import networks_of
from engine.runtime.performance.commands import Command, SetTrim, StageCommand
from engine.runtime.performance.course import Course
from engine.runtime.performance.mind.mind import Mind
from engine.runtime.performance.unheard import UnheardLink
from engine.runtime.workers.workers import Workers
from engine.score.phrase import Origin
from engine.score.time import DAY, SAMPLE_RATE

EVERY = 3600.0
"""Seconds of music between two measurements."""

PATIENCE = 300.0
"""Seconds that a network may take on a busy machine: a soak is not about speed."""

MOST_FAULTS = 1000
"""That are written down; an ear that finds more has found enough."""


class Soak:
    """A scene that plays unheard, and is measured every hour of its music.

    Args:
        scene: what plays.
        kept: what there is of it already.
        days: of music, from its very beginning.
        folder: where it is kept, so that it can be gone on with.
        sounds: let it sound, too, to be measured and listened to by the ear; such a soak begins anew each time.
        told: days of music so far, and seconds that they took in this run; every few bars.
        asked_to_stop: asked all the time.
    """

    def __init__(
        self,
        scene: Scene,
        kept: StoredSoak,
        days: float,
        folder: Path,
        sounds: bool = False,
        told: Callable[[float, float], None] = lambda days, seconds: None,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.kept = kept
        self._days = days
        self._path = folder / "soak.json"
        self._told = told
        self._asked_to_stop = asked_to_stop
        # What is decided and what sounds are told by two threads.
        self._lock = threading.RLock()
        self._heard, self._silence = StoredSound(), 0
        self._sound: SoakSound | None = None
        self._unheard = UnheardLink()
        if sounds:
            self._sound = SoakSound(scene, kept.seed, round(days * DAY * SAMPLE_RATE), self._listen)
        link = self._unheard if self._sound is None else self._sound.link
        self._began = time.monotonic()
        self._already = kept.spent
        self._bars, self._exact, self._lost = kept.bars, *kept.exact
        self._down = Counter(kept.stepped_down)
        self._fallbacks = kept.fallbacks
        self._faults = list(kept.faults)
        self._measure_at = (kept.samples[-1].days * DAY if kept.samples else 0.0) + EVERY
        self._end = 0
        self._workers = Workers(load=networks_of(scene), patience=PATIENCE)
        self._mind = Mind(
            scene,
            Course(kept.seed, day=CountedDay(), live=False),
            self._workers,
            link,
            self._hear,
            pause=self._pause,
        )
        self._hand = Hand(self, kept.seed, self._hear)
        if kept.state is not None:
            self._mind.resume(kept.state)
            # What came before was heard: time stands still where nobody has.
            conductor = self._mind.conductor
            self._end = self._unheard.frames = conductor.plan.bar(conductor.next_bar).start

    @property
    def scene(self) -> Scene:
        """What plays now."""
        return self._mind.conductor.scene

    def submit(self, command: Command) -> None:
        """Do what the ear asks; without sound nothing that only sound could show."""
        match command:
            case SetTrim() if self._sound is not None:
                self._sound.trim(command)
            case _ if not isinstance(command, StageCommand):
                self._mind.submit(command)
            case _:
                pass

    def run(self) -> StoredSoak:
        """Play until the end, or until somebody wants it to stop; gives what was measured.

        Raises:
            PerpetuumError: the performance ended, or cannot be written down.
        """
        with self._workers, self._sound or nullcontext():
            self._mind.run()
            if self._mind.failure is not None:
                raise PerpetuumError(f"the music ended: {self._mind.failure}") from self._mind.failure
            if self._sound is not None and not self._asked_to_stop():
                self._sound.finish()
        if self._sound is not None:
            self._write()
        return self.kept

    def _hear(self, event: Event) -> None:
        with self._lock:
            match event:
                case BarSealed():
                    self._bars += 1
                    self._end = event.end
                    self._count(event)
                    self._hand(event)
                case PhraseDecided() | SceneTookOver() | QuietBegan():
                    self._hand(event)
                case SteppedDown(rung=rung):
                    self._down[rung] += 1
                case Heard(fault=EarFault.LOUDNESS):
                    pass  # no fault: the trim moves
                case Heard() if len(self._faults) < MOST_FAULTS:
                    self._faults.append(_words(event))
                case _:
                    pass

    def _listen(self, second: SoundMeasured) -> None:
        """Take in a second of sound."""
        with self._lock:
            self._hand(second)
            self._silence = self._silence + 1 if second.silent >= 1.0 else 0
            before = self._heard
            levels = [one for one in (before.softest, before.loudest, second.short_term) if one is not None]
            self._heard = StoredSound(
                seconds=before.seconds + 1,
                silence=max(before.silence, self._silence),
                true_peak=max(before.true_peak, second.true_peak),
                softest=min(levels, default=None),
                loudest=max(levels, default=None),
                trim=second.trim,
            )

    def _count(self, event: BarSealed) -> None:
        """Add a bar's length by its tempo, so that nothing is lost in the sum (Kahan); and who played it."""
        beats = self.scene.meter.beats_per_bar
        value = beats * 60.0 / event.qpm - self._lost
        total = self._exact + value
        self._lost = (total - self._exact) - value
        self._exact = total
        self._fallbacks += sum(one.phrase.provenance.origin is Origin.FALLBACK for one in event.parts if one.heard)

    def _pause(self) -> None:
        """Between two steps: the state of the mind is all that was decided."""
        seconds = self._end / SAMPLE_RATE
        self._told(seconds / DAY, time.monotonic() - self._began)
        over = seconds >= self._days * DAY
        if over or seconds >= self._measure_at or self._asked_to_stop():
            self._measure_at = seconds + EVERY
            self._keep(seconds)
        if over or self._asked_to_stop():
            self._mind.stop()

    def _keep(self, seconds: float) -> None:
        with self._lock:
            self._add_sample(seconds)
        self._write()

    def _add_sample(self, seconds: float) -> None:
        notes = self._hand.ear.notes
        repeated = {name: one.repeated for name, one in notes.parts.items()} if notes is not None else {}
        sample = StoredSample(
            run=self.kept.runs,
            days=seconds / DAY,
            spent=self._already + time.monotonic() - self._began,
            processes=tuple(
                StoredProcess(name=one.name, memory=one.memory, files=one.files, threads=one.threads)
                for one in measure_processes()
            ),
            drift=self._end - self._exact * SAMPLE_RATE,
            repeated={name: round(share, 3) for name, share in repeated.items() if share is not None},
        )
        self.kept = self.kept.model_copy(
            update={
                "bars": self._bars,
                "exact": (self._exact, self._lost),
                "spent": sample.spent,
                "stepped_down": dict(self._down),
                "fallbacks": self._fallbacks,
                "faults": tuple(self._faults),
                "samples": (*self.kept.samples, sample),
                "state": self._mind.state() if self._sound is None else None,
            }
        )

    def _write(self) -> None:
        if self._sound is not None:
            with self._lock:
                self.kept = self.kept.model_copy(update={"sound": self._heard, "faults": tuple(self._faults)})
        write_text(self._path, self.kept.model_dump_json())


def _words(heard: Heard) -> str:
    if heard.over:
        return f"bar {heard.bar + 1}: {heard.part}: {heard.fault} is over"
    return f"bar {heard.bar + 1}: {heard.part}: {heard.fault}, {heard.figure:.3g} of {heard.limit:.3g}; {heard.answer}"


def soak_in(folder: Path, scene: Scene, seed: int, sounds: bool = False) -> StoredSoak:
    """The soak that a folder keeps, to be gone on with; or a new one. One with sound begins anew, and nothing but one
    like it is written over.

    Raises:
        PerpetuumError: it is one of another scene or seed, or cannot be read.
    """
    path = folder / "soak.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        return StoredSoak(title=scene.title, file=str(scene.path), seed=seed)
    try:
        kept = StoredSoak.from_json(path.read_bytes())
    except OSError as error:
        raise PerpetuumError(f"{path} cannot be read: {error.strerror}") from error
    if sounds and kept.sound is None:
        raise PerpetuumError(f"{folder} keeps a soak without sound, which would be lost", "name another folder")
    if kept.sound is not None and not sounds:
        raise PerpetuumError(
            f"{folder} keeps a soak with sound, which cannot be gone on with", "name another folder, or say --sound"
        )
    if (kept.title, kept.seed) != (scene.title, seed):
        raise PerpetuumError(
            f"{folder} keeps a soak of {kept.title!r} with seed {kept.seed}, not of {scene.title!r} with {seed}",
            "name another folder, or that scene and seed",
        )
    if sounds:
        return StoredSoak(title=scene.title, file=str(scene.path), seed=seed)
    return kept.model_copy(update={"runs": kept.runs + 1})
