"""The mixer behind the output: read from what programs print, held at a level, and watched on a real sound server."""

import json
import shlex
import subprocess

import pytest

from engine.events.proof import MixerFound
from engine.health.mixer.mixer import OutputMixer
from engine.health.mixer.states import Way, card_controls, node_number, node_state, server_sinks
from engine.health.mixer.watch import SETTLED, MixerWatch
from engine.health.programs import output_of
from tests.health.test_doctor import AMIXER
from tests.health.test_room import Clock
from tests.outputs.test_pulse import MISSING, SINK, pulse  # noqa: F401 - a fixture

needs_pulse = pytest.mark.skipif(bool(MISSING), reason="PulseAudio is not installed")


class Programs:
    """An ALSA card, or a node of PipeWire, that does what these programs are told. `steps`: of its volume."""

    def __init__(self, steps=100, fixed=False):
        self.volume, self.muted, self.fixed, self.steps = 100.0, False, fixed, steps
        self.asked = []

    def _set(self, volume=None, muted=None):
        if not self.fixed:
            self.muted = self.muted if muted is None else muted
            if volume is not None:
                self.volume = round(volume / 100 * self.steps) * 100 / self.steps

    def __call__(self, *words):
        self.asked.append(words)
        match words:
            case ("amixer", "-c", "Sound"):
                switch = "off" if self.muted else "on"
                return (
                    f"Simple mixer control 'Digital',0\n  Front Left: Playback 1 [{self.volume:.0f}%] [{switch}]\n"
                    "Simple mixer control 'Capture',0\n  Front Left: Capture 0 [0%] [off]\n"
                )
            case ("amixer", "-c", "Sound", "-q", "sset", "Digital,0", level, "unmute"):
                self._set(float(level.strip("%")), False)
                return ""
            case ("pw-dump",):
                node = {"info": {"props": {"media.class": "Audio/Sink", "node.name": "hall"}}, "id": 42}
                return json.dumps([{"id": 7, "info": None}, node])
            case ("wpctl", "get-volume", "42"):
                return f"Volume: {self.volume / 100:.2f}{' [MUTED]' if self.muted else ''}\n"
            case ("wpctl", "set-volume", "42", level):
                self._set(volume=float(level.strip("%")))
                return ""
            case ("wpctl", "set-mute", "42", "0"):
                self._set(muted=False)
                return ""
        return None


CARD, NODE = "hw:CARD=Sound,DEV=0", "hall"


def watch(programs, device=CARD, level=80.0, restore=True):
    return MixerWatch(OutputMixer(device, ask=programs), level, restore, Clock())


@pytest.mark.parametrize("device", [CARD, NODE])
@pytest.mark.parametrize("steps", [100, 87, 31])
def test_a_mixer_is_set_at_the_start_and_put_back_when_somebody_shuts_it(device, steps):
    programs = Programs(steps)
    programs.muted = True
    found = watch(programs, device)
    assert found.look() is None
    assert (programs.muted, programs.volume) == (False, pytest.approx(80, abs=100 / steps))
    held = programs.volume
    programs.muted = True
    told = found.look()
    assert told.restored
    assert "muted" in told.fault
    assert not programs.muted
    programs.volume = 10.0
    assert "at 10 % in place of" in found.look().fault
    assert programs.volume == pytest.approx(held)
    assert found.look() is None
    found._clock.now += SETTLED
    assert found.look() == MixerFound("", False)
    assert found.look() is None


def test_a_mixer_that_is_not_to_be_put_back_is_told_once_and_not_touched():
    programs = Programs()
    found = watch(programs, restore=False)
    found.look()
    programs.muted = True
    assert found.look() == MixerFound("the mixer Digital is muted", False)
    assert found.look() is None
    assert programs.muted
    programs.muted = False
    assert found.look() is None
    found._clock.now += SETTLED
    assert found.look() == MixerFound("", False)


def test_without_a_level_any_is_right_but_none():
    programs = Programs()
    found = watch(programs, level=None)
    for volume, wrong in ((100, False), (3, False), (0, True)):
        programs.volume = volume
        assert (found.look() is not None) is wrong
    assert not any("sset" in words for words in programs.asked)


def test_a_mixer_that_cannot_be_set_is_told_as_such():
    found = watch(Programs(fixed=True))
    assert found.look() == MixerFound(
        "the mixer Digital is at 100 % in place of 80 %, and it cannot be put back", False
    )
    assert found.look() is None


def test_where_nobody_tells_nothing_is_wrong():
    found = watch(lambda *words: None)
    assert found.look() is None


def test_what_programs_print_is_read_and_nonsense_is_no_control():
    states = card_controls(AMIXER.format(switch="on", pcm=100), "PCH")
    assert [(one.name, one.percent, one.muted) for one in states] == [
        ("Master", 70.0, False),
        ("IEC958", 100.0, False),
        ("PCM", 100.0, False),
    ]
    assert states[0].setting(80) == [("amixer", "-c", "PCH", "-q", "sset", "Master,0", "80%", "unmute")]
    assert [one.name for one in card_controls(AMIXER.format(switch="on", pcm=1), only="pcm")] == ["PCM"]
    assert node_state("Volume: 0.40 [MUTED]\n", "x", "4")[0].shut
    for nonsense in ("", "[]", "{}", "[1, null]", '[{"name": 5}]', "Volume: loud", "\0"):
        assert server_sinks(nonsense, "x") == card_controls(nonsense) == node_state(nonsense, "x", "1") == []
        assert node_number(nonsense, "x") == ""


@needs_pulse
@pytest.mark.pulse
def test_a_real_server_is_held_at_its_level_and_so_is_our_own_stream(pulse):  # noqa: F811
    playing = subprocess.Popen(
        ["pacat", "--raw", "--client-name=perpetuum", f"--device={SINK}", "/dev/zero"], stderr=subprocess.DEVNULL
    )
    try:
        mixer = OutputMixer(SINK)
        from tests.runtime.sound import until

        until(lambda: len(mixer.states()) == 2)
        found = MixerWatch(mixer, 70.0)
        found.look()

        def levels():
            return {one.way: (round(one.percent), one.muted) for one in mixer.states()}

        right = {Way.SINK: (70, False), Way.STREAM: (100, False)}
        assert levels() == right
        stream = next(one.place for one in mixer.states() if one.way is Way.STREAM)
        for command in (
            f"set-sink-mute {SINK} 1",
            f"set-sink-volume {SINK} 20%",
            f"set-sink-input-mute {stream} 1",
            f"set-sink-input-volume {stream} 5%",
        ):
            subprocess.run(["pactl", *shlex.split(command)], check=True)
            assert levels() != right
            assert found.look().restored
            assert levels() == right
        pulse.terminate()
        pulse.wait()
        assert mixer.states() == []
        assert found.look() is None
    finally:
        playing.kill()
        playing.wait()
    assert output_of("pactl", "info") is None
