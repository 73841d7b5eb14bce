# pyright: strict
"""Metrics of an installation, from its events and snapshots alone. Names and units as Prometheus asks for them.

Every counter is there from the start with 0, so that `rate` and `increase` see the first event. No label takes values
without bound. One thread feeds it; any may read the registry.
"""

from __future__ import annotations

import math
import platform

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from engine.events.processes import OutputFailed, ProcessDied, SoundStarved
from engine.events.proof import MixerFound, RoomFound
from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.events.vocabulary import (
    Event,
    PhraseDecided,
    RepetitionMeasured,
    SceneRefused,
    SectionBegan,
    SoundMeasured,
    StepCause,
    SteppedDown,
)
from engine.health.names import COMPONENTS, MOST_GENERATORS, OTHER, PREFIX, STATIONS, Bounded, component_of

HEARD = (
    PhraseDecided,
    SteppedDown,
    ProcessDied,
    SoundStarved,
    SectionBegan,
    SceneRefused,
    OutputFailed,
    MixerFound,
    RoomFound,
    SoundMeasured,
    RepetitionMeasured,
)
"""Events that `Metrics.hear` counts."""

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
"""Upper bounds of the time that a phrase takes: rules take a millisecond, large networks on small machines a minute."""

LEAP = 1.0
"""Seconds by which the clock on the wall may drift from the other between two snapshots without having been set."""

QUIET_AFTER = 1.0
"""Seconds without audible sound that count as silence; shorter ones are music."""

STALE = 5.0
"""Seconds between two snapshots beyond which nobody can say what was heard: the machine slept, or was stopped."""


class Metrics:
    """Counts and shows what happens.

    Args:
        version: of the program.

    Attributes:
        registry: what is exposed.
    """

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # a second series for each counter, which nobody asks for
        self.registry = registry = CollectorRegistry()
        self._before: HealthSnapshot | None = None
        self._scene = ""
        self._roles: set[str] = set()
        self._generator = Bounded(MOST_GENERATORS)

        def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(f"{PREFIX}_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"{PREFIX}_{name}", text, labels, registry=registry)

        self._expected = gauge("sound_expected", "1 while sound is meant to be heard: not closed, muted or at rest.")
        self._muted = gauge("muted", "1 while a hand has muted the sound.")
        self._alarm = gauge("alarm", "1 while the fire alarm silences everything.")
        self._last_sound = gauge("last_sound_timestamp_seconds", "When audible sound last left for the output.")
        self._heartbeat = gauge(
            "heartbeat_timestamp_seconds",
            "When the music last passed a station, or rested there as intended.",
            ("station",),
        )
        self._ahead = gauge("buffer_ahead_seconds", "Music that is decided and has not been heard yet.")
        self._level = gauge(
            "fallback_level",
            "Lowest rung heard: 0 none, 1 rules for a network, 2 last bars, 3 recorded sound, 4 unheard.",
        )
        self._level_seconds = counter("fallback_seconds", "Time spent on each rung below the first.", ("level",))
        self._generation = Histogram(
            f"{PREFIX}_generation_seconds",
            "Time that a phrase took to make.",
            ("generator",),
            buckets=SECONDS,
            registry=registry,
        )
        self._attempts = counter("generation_attempts", "Phrases that were decided, whoever made them.")
        self._failures = counter(
            "generation_failures", "Times that a rung of the ladder did not give a phrase that was played.", ("reason",)
        )
        self._underruns = counter("underruns", "Times that the output wanted sound and there was none.")
        self._peak = gauge("output_peak_ratio", "Largest sample of the last second on its way out; 1 is full scale.")
        self._loudness = gauge("loudness_lufs", "Short-term loudness of what leaves; no number in silence.")
        self._loudness.set(math.nan)  # 0 LUFS would be a claim
        self._silence = counter("silence_seconds", "Time in which sound was expected and nothing audible left.")
        self._repetition = gauge(
            "repetition_ratio", "Share of what a part plays that it played before, as the ear finds.", ("role",)
        )
        self._restarts = counter("restarts", "Processes that were lost and replaced.", ("component",))
        self._up = gauge("device_up", "1 while the output takes sound.")
        self._device_failures = counter("device_failures", "Times that the output took no sound any more.")
        self._mixer = gauge("mixer_up", "1 while the mixer behind the output is as it should be, or cannot be asked.")
        self._mixer_changes = counter("mixer_changes", "Times that somebody shut the mixer or turned it down.")
        self._mixer_restorations = counter("mixer_restorations", "Times that the mixer was put back.")
        self._room = gauge("room_up", "0 while the microphone does not hear what is sent; 1 without one, too.")
        self._room_failures = counter("room_failures", "Times that what was sent was not heard in the room any more.")
        self._mains = gauge("mains_up", "0 while a UPS says that the mains have failed; 1 without one, too.")
        self._leaps = counter("clock_steps", "Times that the clock on the wall was set by more than a second.")
        self._info = gauge("scene_info", "The scene that plays.", ("scene",))
        self._refused = counter("scene_refusals", "Scenes or edits that could not be played.")
        self._saved = gauge("state_last_saved_timestamp_seconds", "When the state was last written.")
        self._journal = gauge("journal_bytes", "Size of the journal.")
        gauge("build_info", "What runs.", ("version", "python")).labels(version, platform.python_version()).set(1)
        for level in FallbackLevel:
            if level is not FallbackLevel.NONE:
                self._level_seconds.labels(level.name.lower())
        for component in COMPONENTS:
            self._restarts.labels(component)
        for cause in StepCause:
            self._failures.labels(cause.value)
        self._generation.labels(OTHER)

    @property
    def before(self) -> HealthSnapshot | None:
        """The last snapshot that was taken in."""
        return self._before

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case PhraseDecided(seconds=seconds, phrase=phrase):
                self._attempts.inc()
                self._generation.labels(self._generator(phrase.provenance.generator or OTHER)).observe(seconds)
            case SteppedDown(cause=cause, part=part):
                if part:  # the rungs below the mind's are levels, not makers
                    self._failures.labels(cause.value).inc()
            case ProcessDied(process=process):
                self._restarts.labels(component_of(process)).inc()
            case SoundStarved():
                self._underruns.inc()
            case SceneRefused():
                self._refused.inc()
            case OutputFailed(dropped=0):
                self._device_failures.inc()
            case MixerFound(fault=fault, restored=restored):
                self._mixer_changes.inc(bool(fault))
                self._mixer_restorations.inc(restored)
            case RoomFound(fault=fault):
                self._room_failures.inc(bool(fault))
            case SoundMeasured(short_term=short_term):
                self._loudness.set(math.nan if short_term is None else short_term)
            case RepetitionMeasured(shares=shares):
                self._repeats(dict(shares))
            case _:
                pass

    def observe(self, now: HealthSnapshot) -> None:
        """Take in how it is."""
        before, self._before = self._before, now
        self._expected.set(now.expected)
        self._muted.set(now.muted)
        self._alarm.set(now.alarm)
        self._last_sound.set(now.at - now.silent)
        self._ahead.set(now.ahead)
        self._level.set(now.level)
        self._peak.set(now.peak)
        self._up.set(not now.lost)
        self._mixer.set(not now.mixer)
        self._room.set(not now.room)
        self._mains.set(not now.mains)
        self._saved.set(now.saved)
        if now.scene != self._scene:
            self._info.clear()
            self._scene = now.scene
            if now.scene:
                self._info.labels(now.scene).set(1)
        stations = dict(now.stations)
        for name in STATIONS:
            # Where nothing is due (closed, before the first bar), the station has done what it should.
            if name not in now.late or name not in stations:
                self._heartbeat.labels(name).set(now.at)
        if before is not None:
            self._measure(before, now)

    def journal(self, size: int) -> None:
        """Take in the size of the journal, in bytes."""
        self._journal.set(size)

    def _repeats(self, shares: dict[str, float]) -> None:
        """Show shares by role; what no part plays any more is not shown, for nothing would ever change it."""
        for role in self._roles - shares.keys():
            self._repetition.remove(role)
        self._roles = set(shares)
        for role, share in shares.items():
            self._repetition.labels(role).set(share)

    def _measure(self, before: HealthSnapshot, now: HealthSnapshot) -> None:
        """Count what lies between two snapshots."""
        passed = now.monotonic - before.monotonic
        if abs((now.at - before.at) - passed) > LEAP:
            self._leaps.inc()
        if not 0.0 < passed <= STALE:
            return
        if now.level is not FallbackLevel.NONE and before.level is not FallbackLevel.NONE:
            self._level_seconds.labels(now.level.name.lower()).inc(passed)
        if now.expected and before.expected and now.silent > QUIET_AFTER:
            self._silence.inc(min(passed, now.silent))
