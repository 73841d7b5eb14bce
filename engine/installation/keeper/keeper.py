# pyright: strict
"""The keeper: sees to it that an installation does what is intended, whatever becomes of its processes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime

from engine import __version__
from engine.events import Bus, Event, SceneRefused
from engine.events.log import LOGGED, log_event
from engine.installation.hours.timetable import Intent
from engine.installation.installation import Installation
from engine.installation.keeper.folder.bank import Bank
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.folder.starts import HEALTHY
from engine.installation.keeper.folder.writing import Writer
from engine.installation.keeper.hands.course import AskedCourse
from engine.installation.keeper.hands.hands import Ask, Hands
from engine.installation.keeper.mind.messages import Play
from engine.installation.keeper.power.amplifier import Amplifier
from engine.installation.keeper.recording.marks import HeardMarks
from engine.installation.keeper.recording.recording import RecorderPlace
from engine.installation.keeper.snapshots import HEARD, MusicWatch
from engine.installation.keeper.sound.ahead import Ahead
from engine.installation.keeper.sound.levels import StageLevels
from engine.installation.keeper.sound.performance import KeptPerformance
from engine.installation.keeper.sound.rungs import Rungs
from engine.installation.keeper.sound.sent import SentSound
from engine.installation.keeper.turns.agenda import Agenda, known, wall_clock
from engine.installation.keeper.turns.direction import (
    Level,
    OnAir,
    density_wanted,
    file_of,
    has_scene,
    level_wanted,
    turn_wanted,
)
from engine.installation.keeper.turns.resuming import Resumption, made_safe, resumption, told_of
from engine.installation.keeper.turns.succession import Succession
from engine.journal.entries import SittingBegan, SittingEnded
from engine.processes.backoff import Backoff
from engine.runtime.performance.commands import (
    Alarm,
    ChangeScene,
    Command,
    MindCommand,
    Mute,
    StageCommand,
)
from engine.runtime.performance.reporting import reporter
from engine.score.time import SAMPLE_RATE

log = logging.getLogger(__name__)

LEAD = 6 * SAMPLE_RATE
"""Frames before it sounds at which a bar is sealed: so long a mind may be away without anybody hearing it."""

TICK = 0.04
"""Seconds between two looks while something sounds."""

IDLE_TICK = 0.5
"""Seconds between two looks while nothing does."""

DIRECT_EVERY = 0.5
"""Seconds between two looks at the timetable."""

LAST_FADE = 1.5
"""Seconds of the fade at the end."""

CUT_FADE = 0.3
"""Seconds of the fade where something is opened anew."""

PATIENT = 3
"""Times that minds in a row may refuse a scene that has played, before the next turn begins."""


class Keeper:
    """Runs an installation until it is told to stop. One thread calls all of it but `hands`.

    Args:
        installation: what is to happen.
        folder: locked.
        recording: keeps the journal, and knows where the music stood.
        safe: why something safe is played in place of the programme, until the file is read again; empty: it is not.
        ahead: processes that were started already, for what begins at once.
        clock: gives seconds; the music goes by it.
        wall: the time; the timetable goes by it.

    Attributes:
        hands: may be asked from any thread.
        bus: tells what happens.
        music: what is known of it from that.
        on: the turn that plays.
        levels: what is wanted of the gain stage.
        restart_due: whether all processes are to begin anew, as planned.
        read_due: whether a hand wants the file to be read again.
    """

    def __init__(
        self,
        installation: Installation,
        folder: StateFolder,
        recording: RecorderPlace,
        safe: str = "",
        ahead: Ahead | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.bus = Bus()
        self.music = MusicWatch()
        self.on: OnAir | None = None
        self.restart_due = self.read_due = False
        self.performance: KeptPerformance | None = None
        self.safe = safe
        self.installation = made_safe(installation) if safe else installation
        self.recording = recording
        self.began = clock()
        self._agenda = Agenda(self.installation, wall)
        self._clock = clock
        self._writer = Writer()
        self._stack = ExitStack()
        self._backoff = Backoff(0.5, 10.0)
        self._direct_at = self._open_at = 0.0
        self._marks = HeardMarks(recording.note)
        self.levels = StageLevels(self._act_on_stage)
        self._resumption: Resumption | None = None
        self._ahead = ahead
        self._bank = Bank(folder.path)
        self._rungs = Rungs()
        self._amplifier = Amplifier(self.installation.amplifier)
        self._succession = Succession(self._tell_mind, self.levels.set_gain)
        self._course = AskedCourse(
            lambda: (self.installation, self.on), self._change, self._tell_mind, clock, lambda: self._succession.waits
        )
        self.hands = Hands(
            folder, self._act, self._writer.do, self.tell, self._course.check, lambda: self.installation.staff
        )

    def start(self) -> None:
        """Start what is intended now.

        Raises:
            PerpetuumError: an output will never work.
        """
        self.bus.subscribe(LOGGED, log_event)
        if self.safe:
            log.error("safe mode: %s", self.safe)
        self.bus.subscribe(HEARD, self.music.hear)
        self._stack.callback(self.bus.close)
        self._stack.callback(self._writer.close, 1.0)
        self._stack.callback(self._bank.close)
        self._stack.callback(lambda: self._amplifier.close(not self.restart_due))
        self._stack.callback(self._close, LAST_FADE, "told to stop")
        self.recording.report = reporter(self.tell)
        self.recording.ask = self._do
        self.recording.found = self.tell
        now, moment = self._clock(), self._agenda.moment
        recalled = self.recording.recalled() if not self.safe else None
        self._resumption = resumption(recalled, self.installation, self.intent, moment.timestamp(), known(moment), now)
        self._direct(now)
        if self._ahead is not None:
            self._ahead.close()  # of what is not played now

    def look(self) -> None:
        """One look at everything; lasts a tick."""
        if self.performance is None:
            time.sleep(IDLE_TICK)
        else:
            self.performance.look(TICK)
        now = self._clock()
        self._course.look(now)
        self.recording.look()
        if self.performance is not None:
            self._look_at_refusals(self.performance, now)
        if self.performance is not None:
            self._succession.look(self.performance.audio.heard, now, self.levels.level)
            lost = {**self.performance.lost, **self.recording.lost}
            for event in self._rungs.steps(lost, self.performance.mind.next_bar):
                self.tell(event)
            self._look_at_bank(self.performance)
            self._mark(self.performance, now)
        if now >= self._direct_at:
            self._direct_at = now + DIRECT_EVERY
            self._direct(now)

    def stop(self) -> None:
        """Fade out, then stop what was started, in reverse."""
        self._stack.close()

    @property
    def healthy(self) -> bool:
        """Whether this start has come to something: sound, or silence that is intended."""
        if self.performance is None:
            return self._clock() - self.began > HEALTHY
        return self.performance.standing.taken > HEALTHY * SAMPLE_RATE

    def later(self, action: Callable[[], object]) -> None:
        """Do what may take as long as a disk does; nobody waits for it."""
        self._writer.do(action)

    def take(self, installation: Installation) -> None:
        """Do what another installation file, or the same as it is now, says; what can go on goes on."""
        before, self.installation = self.installation, installation
        was_safe, self.safe = bool(self.safe), ""
        self._agenda.take(installation)
        if installation.amplifier != before.amplifier:
            self._amplifier.close(off=False)
            self._amplifier = Amplifier(installation.amplifier)
        if installation.state != before.state:
            log.warning("the state folder stays %s until the next start", before.state)
        now = self._clock()
        gone = self.on is not None and not has_scene(installation, self.on.source, self.on.turn)
        listens = bool(installation.proof.microphone) != bool(before.proof.microphone)
        other_sound = installation.sound != before.sound or listens
        if self.performance is not None and (was_safe or (gone and other_sound)):
            self._close(CUT_FADE, "safe mode is over" if was_safe else "its scene and the outputs have changed")
            self.on = None
        elif self.performance is not None and other_sound:
            self._reopen(now)
        elif (
            self.performance is not None and self.on is not None and self.on.turn.scene in installation.programme.scenes
        ):
            self._tell_mind(ChangeScene(str(file_of(installation, self.on))))
        self._direct(now)

    @property
    def intent(self) -> Intent:
        """What is intended now."""
        return self._agenda.intent

    # The timetable

    def _direct(self, now: float) -> None:
        """See to it that what is intended is done."""
        moment, intent = self._agenda.moment, self.intent
        kept = self._resumption
        wanted = turn_wanted(self.installation, intent, moment, self.on or (kept.on if kept else None), now)
        if kept is not None and kept.recalled is not None and wanted is not None and wanted.source is kept.on.source:
            wanted = kept.on  # even where its time is over: it ends where the transition lets it
        self._amplifier.want(wanted is not None or self._agenda.opens_within(self._amplifier.lead, moment), now)
        if wanted is None:
            if self.performance is not None:
                log.warning(
                    "closed; the next opening is %s", self._agenda.timetable.next_opening(moment) or "not known"
                )
                self._close(0.0, "closed")
            self.on = None
        elif self.performance is None:
            if now >= max(self._open_at, self._amplifier.ready_at):
                self._open(wanted, intent, now)
        elif wanted is not self.on:
            self._change(wanted, now)
        closes_in = (intent.session.end - moment).total_seconds() if intent.session is not None else None
        if known(moment):
            self.hands.volume.look(moment, self._agenda.timetable)
        self.levels.take(self._level_wanted(intent, closes_in), intent.low_cut)
        if self.performance is not None:
            self.performance.mind.density = density_wanted(self.installation, intent, self.hands.quiet)
        if self._agenda.restarts(moment, playing=self.performance is not None):
            self.restart_due = True

    def _level_wanted(self, intent: Intent, closes_in: float | None = None) -> Level:
        hands = self.hands
        return level_wanted(self.installation, intent, hands.quiet, closes_in, hands.volume.decibels)

    def _act_on_stage(self, command: StageCommand) -> None:
        if self.performance is not None:
            self.performance.act(command)

    # What sounds

    def _open(self, on: OnAir, intent: Intent, now: float) -> None:
        kept, self._resumption = self._resumption, None
        file = str(file_of(self.installation, on))
        play, continues, why = Play(file, on.turn.seed, LEAD), 0, "it opens"
        if kept is not None and kept.recalled is not None and kept.on is on:
            play = kept.play(file, on.turn.seed, LEAD)
        if play.state and kept is not None and kept.recalled is not None:
            found = kept.recalled
            continues, why = found.sitting, f"it goes on at bar {found.bar + 1}, in {found.section}"
            log.warning("the music goes on where it stood: %s, %s, bar %d", on.turn.scene, found.section, found.bar + 1)
        self.on = on
        level = self._level_wanted(intent)
        self.levels.begin(level, intent.low_cut)
        opening = Level(-math.inf, 0.0) if level.seconds > 2.5 and not play.state else level
        self._start_performance(play, opening, continues, why)
        self.levels.set_gain(level.decibels, level.seconds)

    def _start_performance(self, play: Play, level: Level, continues: int, why: str) -> None:
        sound = self.installation.sound
        outputs = [(sound.output, None), *((follower.choice, follower.keep) for follower in sound.followers)]
        performance = KeptPerformance(
            replace(play, pool=self.installation.pool),
            outputs,
            self.tell,
            self._publish_decided,
            self.recording.note,
            self.recording.kept,
            self._bank.take,
            sound.mono,
            others=[SentSound(self.recording.sent)] if self.installation.proof.microphone else [],
            ahead=self._ahead,
            measured=self.recording.measured,
        )
        self._succession.begin()
        self._marks.begin()
        self.music.begin()
        self.recording.made = lambda: performance.audio.frame
        path = str(self.installation.path)
        self.recording.note(SittingBegan(path, play.scene, play.seed, play.frame, continues, __version__, why))
        if self.on is not None:
            self.recording.turn(told_of(self.on, str(file_of(self.installation, self.on))))
        # What hands want counts before the first sample, and whoever asks from now on finds it.
        performance.start([*self.hands.wanted(), *self.levels.first(level)])
        self.performance = performance
        for command in self.hands.wanted():
            performance.act(command)

    def _change(self, on: OnAir, now: float) -> None:
        """Let another turn begin where the transition lets it."""
        log.warning("next: %s", on.turn.scene)
        self.on = on
        file = str(file_of(self.installation, on))
        self.recording.turn(told_of(on, file))
        self._succession.change(self.installation, on, file, now)

    def _close(self, seconds: float, why: str) -> None:
        performance, self.performance = self.performance, None
        if performance is not None:
            performance.stop(seconds)
            self.recording.happened(SittingEnded(why))

    def _reopen(self, now: float) -> None:
        """Begin anew with the same place of the music."""
        if self.performance is None or self.on is None:
            return
        play = self.performance.mind.play
        self._close(CUT_FADE, "the outputs change")
        self._start_performance(play, self.levels.level, 0, "the outputs have changed")

    def _look_at_refusals(self, performance: KeptPerformance, now: float) -> None:
        refusals = performance.mind.refusals
        if not refusals or (performance.mind.begun and len(refusals) < PATIENT):
            return
        log.error("%s cannot be played:\n%s", performance.mind.play.scene, refusals[-1].reason)
        self._close(CUT_FADE if performance.mind.begun else 0.0, "its scene cannot be played")
        if performance.mind.begun:
            self._backoff.reset()
        if self.on is not None:
            self.on = replace(self.on, since=-math.inf)  # its turn is over
        self._open_at = now + self._backoff.next_delay()

    def _look_at_bank(self, performance: KeptPerformance) -> None:
        played = performance.standing.taken / SAMPLE_RATE if not performance.lost else 0.0
        play = performance.mind.play
        self._bank.look(played, play.scene, play.seed, self.installation.fallback_bank)

    def _act(self, ask: Ask, value: str) -> None:
        """Do at once what a hand asks; in any thread."""
        performance = self.performance
        if ask in (Ask.QUIET, Ask.NORMAL, Ask.LOUDER, Ask.SOFTER, Ask.VOLUME):
            self._direct_at = 0.0
        elif ask in (Ask.SCENE, Ask.SECTION):
            self._course.put(ask, value)
        elif ask is Ask.RELOAD:
            self.read_due = True
        elif performance is not None:
            if ask in (Ask.ALARM, Ask.RELEASE):
                performance.act(Alarm(ask is Ask.ALARM))
            if not self.hands.alarm:
                performance.act(Mute(self.hands.muted))

    def _tell_mind(self, command: MindCommand) -> None:
        if self.performance is not None:
            self.performance.mind.tell(command)

    def tell(self, event: Event) -> None:
        """Have something that happened kept, and told to all. In any thread."""
        self.recording.happened(event)
        self._publish_decided(event)

    def _publish_decided(self, event: Event) -> None:
        """What a mind has decided: the journal is told of it otherwise, as a whole."""
        self._succession.hear(event)
        if isinstance(event, SceneRefused):
            log.warning("%s cannot be played, what played plays on: %s", event.title, event.reason)
        self.bus.publish(event)

    def _do(self, command: Command) -> None:
        """Do what whoever listens in the recorder asks."""
        if self.performance is not None:
            self.performance.do(command)

    def _mark(self, performance: KeptPerformance, now: float) -> None:
        """Tell the journal what is heard."""
        if self.on is not None and performance.standing.taken:
            heard = performance.audio.heard
            self._marks.look(heard, performance.mind.bars.start_of(heard), now - self.on.since, now)
