"""What is counted, held against Prometheus' own reader of the text that is exposed."""

import importlib.util
import math
import os
import shutil
import signal
import subprocess
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from engine.events.processes import OutputFailed, ProcessDied, SoundStarved
from engine.events.proof import MixerFound, RoomFound
from engine.events.snapshot import FallbackLevel
from engine.events.vocabulary import RepetitionMeasured, SceneRefused, StepCause, SteppedDown
from engine.health.metrics import Metrics
from engine.health.names import MOST_GENERATORS
from engine.health.processes import PLAYERS, WORKER, ProcessCollector
from tests.health.making import SOUND, after, decided, measured
from tests.health.prometheus import wait_until


def read(registry):
    """{(name, labels): value} of all that is exposed."""
    return {
        (sample.name.removeprefix("perpetuum_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


@pytest.fixture
def metrics():
    return Metrics("1.2.3")


def value(metrics, name, **labels):
    return read(metrics.registry)[name, tuple(sorted(labels.items()))]


def test_every_counter_is_there_from_the_start_with_zero(metrics):
    found = read(metrics.registry)
    counters = {key: number for key, number in found.items() if key[0].endswith("_total")}
    assert set(counters.values()) == {0.0}
    assert {name for name, _ in counters} == {
        "fallback_seconds_total",
        "generation_attempts_total",
        "generation_failures_total",
        "underruns_total",
        "silence_seconds_total",
        "restarts_total",
        "device_failures_total",
        "clock_steps_total",
        "mixer_changes_total",
        "mixer_restorations_total",
        "room_failures_total",
        "scene_refusals_total",
    }
    assert {dict(labels)["reason"] for name, labels in counters if name == "generation_failures_total"} == set(
        StepCause
    )
    assert {"keeper", "mind", "audio", "worker"} <= {
        dict(labels)["component"] for name, labels in counters if name == "restarts_total"
    }


def test_phrases_are_counted_with_the_time_that_they_took(metrics):
    for seconds in (0.03, 0.3, 3.0):
        metrics.hear(decided(seconds=seconds))
    assert value(metrics, "generation_attempts_total") == 3
    assert value(metrics, "generation_seconds_sum", generator="melody_rnn") == pytest.approx(3.33)
    assert value(metrics, "generation_seconds_bucket", generator="melody_rnn", le="0.5") == 2


def test_a_step_down_is_counted_by_its_cause_and_whatever_its_reason_says_makes_no_series(metrics):
    before = len(read(metrics.registry))
    for number in range(50):
        metrics.hear(SteppedDown("lead", number, "networks", f"reason {number}", StepCause.LATE))
    metrics.hear(SteppedDown("", 3, "output", "the card is gone"))
    assert value(metrics, "generation_failures_total", reason="late") == 50
    assert value(metrics, "generation_failures_total", reason="failed") == 0
    assert len(read(metrics.registry)) == before


def test_processes_are_counted_by_what_they_are_and_not_by_their_names(metrics):
    for name in ("worker 1", "worker 2", "audio", "something of a plug-in", "something else"):
        metrics.hear(ProcessDied(name, "signal 9", 0.5))
    assert value(metrics, "restarts_total", component="worker") == 2
    assert value(metrics, "restarts_total", component="audio") == 1
    assert value(metrics, "restarts_total", component="other") == 2


def test_generators_of_plug_ins_beyond_a_number_share_a_series(metrics):
    for number in range(MOST_GENERATORS + 10):
        metrics.hear(decided(generator=f"plug_in_{number}"))
    series = {labels for name, labels in read(metrics.registry) if name == "generation_seconds_count"}
    assert len(series) == MOST_GENERATORS + 1
    assert value(metrics, "generation_seconds_count", generator="other") == 10


def test_gaps_refusals_and_losses_of_the_output_are_counted(metrics):
    metrics.hear(SoundStarved(480))
    metrics.hear(SceneRefused("X", "why"))
    metrics.hear(OutputFailed("card", "gone", 0))
    metrics.hear(OutputFailed("a recording", "full", 900))  # one that follows
    assert value(metrics, "underruns_total") == 1
    assert value(metrics, "scene_refusals_total") == 1
    assert value(metrics, "device_failures_total") == 1


def test_silence_counts_only_where_sound_is_expected(metrics):
    for snapshot in (SOUND, after(SOUND, 1, silent=2.0), after(SOUND, 2, silent=3.0)):
        metrics.observe(snapshot)
    assert value(metrics, "silence_seconds_total") == 2
    for second in range(3, 60):
        metrics.observe(after(SOUND, second, silent=second + 1.0, expected=False, muted=True))
    assert value(metrics, "silence_seconds_total") == 2
    assert value(metrics, "sound_expected") == 0
    assert value(metrics, "muted") == 1
    assert value(metrics, "last_sound_timestamp_seconds") == SOUND.at - 1


def test_time_on_a_lower_rung_is_counted_by_rung(metrics):
    rungs = [FallbackLevel.NONE, FallbackLevel.RULES, FallbackLevel.RULES, FallbackLevel.BANK, FallbackLevel.BANK]
    for second, level in enumerate(rungs):
        metrics.observe(after(SOUND, second, level=level))
    assert value(metrics, "fallback_seconds_total", level="rules") == 1
    assert value(metrics, "fallback_seconds_total", level="bank") == 2
    assert value(metrics, "fallback_level") == 3


def test_what_passed_while_the_machine_slept_is_nobodys(metrics):
    metrics.observe(after(SOUND, 0, silent=5.0, level=FallbackLevel.RULES))
    metrics.observe(after(SOUND, 3600, silent=3605.0, level=FallbackLevel.RULES))
    assert value(metrics, "silence_seconds_total") == 0
    assert value(metrics, "fallback_seconds_total", level="rules") == 0


def test_a_clock_that_is_set_is_counted_and_one_that_drifts_is_not(metrics):
    metrics.observe(SOUND)
    metrics.observe(replace(after(SOUND, 1), at=SOUND.at + 1.4))
    assert value(metrics, "clock_steps_total") == 0
    metrics.observe(replace(after(SOUND, 2), at=SOUND.at - 86400.0))
    assert value(metrics, "clock_steps_total") == 1


def test_the_heartbeat_stands_where_the_music_stands_and_nowhere_else(metrics):
    metrics.observe(SOUND)
    metrics.observe(after(SOUND, 20, late=("taken",)))
    assert value(metrics, "heartbeat_timestamp_seconds", station="taken") == SOUND.at
    assert value(metrics, "heartbeat_timestamp_seconds", station="sealed") == SOUND.at + 20


def test_the_heartbeat_goes_on_while_nothing_is_due(metrics):
    for second in range(0, 3600, 60):
        metrics.observe(after(SOUND, second, expected=False, scene="", stations=()))
    for station in ("sealed", "rendered", "taken"):
        assert value(metrics, "heartbeat_timestamp_seconds", station=station) == SOUND.at + 3540


def test_one_scene_plays_at_a_time(metrics):
    metrics.observe(SOUND)
    metrics.observe(after(SOUND, 1, scene="daylight"))
    assert {labels for name, labels in read(metrics.registry) if name == "scene_info"} == {(("scene", "daylight"),)}
    metrics.observe(after(SOUND, 2, scene=""))
    assert not [labels for name, labels in read(metrics.registry) if name == "scene_info"]


def test_what_the_ear_and_the_journal_say_is_shown(metrics):
    metrics.hear(measured(-21.5))
    metrics.hear(RepetitionMeasured(7, (("drums", 0.9), ("melody", 0.25))))
    metrics.journal(123_456)
    assert value(metrics, "repetition_ratio", role="melody") == 0.25
    assert value(metrics, "loudness_lufs") == -21.5
    assert value(metrics, "journal_bytes") == 123_456


def test_silence_has_no_loudness_and_a_role_that_nobody_plays_any_more_no_repetition(metrics):
    metrics.hear(measured(-21.5))
    metrics.hear(measured(None))
    assert math.isnan(value(metrics, "loudness_lufs"))
    metrics.hear(RepetitionMeasured(7, (("drums", 0.9), ("melody", 1.0))))
    metrics.hear(RepetitionMeasured(9, (("drums", 0.8),)))
    assert value(metrics, "repetition_ratio", role="drums") == 0.8
    assert [labels for name, labels in read(metrics.registry) if name == "repetition_ratio"] == [(("role", "drums"),)]


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: apt install prometheus)")
def test_names_and_units_are_as_prometheus_asks_for_them(metrics):
    metrics.hear(decided())
    metrics.observe(SOUND)
    metrics.registry.register(ProcessCollector(lambda: [("keeper", os.getpid())]))
    run = subprocess.run(["promtool", "check", "metrics"], input=generate_latest(metrics.registry), capture_output=True)
    assert (run.returncode, run.stdout + run.stderr) == (0, b"")


def test_processes_are_measured_and_their_processor_time_never_falls():
    running = [("keeper", os.getpid()), ("worker 1", os.getpid()), ("gone", 2**22 + 1)]
    collector = ProcessCollector(lambda: running)
    first = {family.name: family for family in collector.collect()}
    samples = {s.labels["component"]: s.value for s in first["perpetuum_process_memory_bytes"].samples}
    assert samples["keeper"] > 10e6
    assert set(samples) - {"other"} == {"keeper", "worker"}  # what other tests have started is ours, too
    used = {one.labels["component"]: one.value for one in first["perpetuum_process_cpu_seconds"].samples}
    running.clear()
    second = {family.name: family for family in collector.collect()}
    assert not second["perpetuum_process_memory_bytes"].samples
    later = {one.labels["component"]: one.value for one in second["perpetuum_process_cpu_seconds"].samples}
    assert all(later[name] >= used[name] for name in ("keeper", "worker"))
    assert math.isfinite(used["keeper"])


def test_what_is_found_behind_the_output_is_counted_and_shown(metrics):
    metrics.observe(SOUND)
    assert value(metrics, "mixer_up") == value(metrics, "room_up") == 1.0
    for event in (MixerFound("muted", True), MixerFound("muted", False), MixerFound("", False)):
        metrics.hear(event)
    metrics.hear(RoomFound("not heard", None))
    metrics.hear(RoomFound("", 0.4))
    metrics.observe(after(SOUND, 1, mixer="muted", room="not heard"))
    assert (value(metrics, "mixer_changes_total"), value(metrics, "mixer_restorations_total")) == (2.0, 1.0)
    assert value(metrics, "room_failures_total") == 1.0
    assert value(metrics, "mixer_up") == value(metrics, "room_up") == 0.0


def test_what_those_have_started_that_are_known_is_measured_too(tmp_path):
    """A worker belongs to a mind, a player to the keeper; neither is told of by a snapshot."""
    assert importlib.util.find_spec(WORKER) is not None
    for player in PLAYERS:
        (tmp_path / player).symlink_to(shutil.which("sleep"))
    script = f'{tmp_path}/{min(PLAYERS)} 60 & sh -c "sleep 60; :" python -m {WORKER} & wait'
    parent = subprocess.Popen(["sh", "-c", script], start_new_session=True)
    try:
        collector = ProcessCollector(lambda: [("mind", parent.pid)])

        def counts():
            families = {family.name: family for family in collector.collect()}
            return {one.labels["component"]: one.value for one in families["perpetuum_processes"].samples}

        # The worker's own child is what nobody foresaw.
        assert wait_until(lambda: counts() == {"mind": 1, "player": 1, "worker": 1, "other": 1}, 30), counts()
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
