"""Musical time keeps its course when a player gives way to another: nothing of the music is skipped but the gap."""

import numpy as np
import pytest

from engine.outputs.chain import Chain
from engine.outputs.contract import Output, OutputLostError
from engine.outputs.devices.pacing import Pacer
from engine.outputs.null import NullOutput
from engine.processes.backoff import Backoff
from engine.score.time import SAMPLE_RATE
from engine.sound.format import AudioFormat

MONO = AudioFormat(1)
CHUNK = 1024


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Loudspeaker(Output):
    """A player with a buffer in front of a loudspeaker: whatever it has not sounded when it is killed is lost.

    Its frames are the numbers of the frames; `heard` has what sounded at each frame of time, -1 for silence.
    """

    description = "loudspeaker"

    def __init__(self, time: Time, holds: int, starts: float) -> None:
        self.time, self.holds, self.starts = time, holds, starts
        self.heard: list[np.ndarray] = []
        self.buffer = np.empty(0, np.float32)
        self.alive = False
        self.until = time.now

    def open(self, format: AudioFormat) -> None:
        self.time.sleep(self.starts)
        self.sound()
        self.alive = True
        self.buffer = np.empty(0, np.float32)

    def sound(self) -> None:
        """Let time pass for what it holds."""
        frames = round((self.time.now - self.until) * SAMPLE_RATE)
        self.until += frames / SAMPLE_RATE
        piece, self.buffer = self.buffer[:frames], self.buffer[frames:]
        self.heard += [piece, np.full(frames - len(piece), -1, np.float32)]

    def kill(self) -> None:
        self.sound()
        self.alive, self.buffer = False, np.empty(0, np.float32)

    def write(self, chunk: bytes) -> None:
        if not self.alive:
            raise OutputLostError("it was killed")
        self.sound()
        self.buffer = np.append(self.buffer, np.frombuffer(chunk, np.float32))
        while len(self.buffer) > self.holds:
            self.time.sleep(0.001)
            self.sound()

    def close(self) -> None:
        self.alive = False


class SleepyServer(Loudspeaker):
    """A player at a server that takes blocks of 50 ms, the first one at once; but the first time its card slept.

    `late`: seconds until it plays for the first time, while the player's buffer is full.
    """

    block = SAMPLE_RATE // 20

    def __init__(self, time: Time, holds: int, late: float) -> None:
        super().__init__(time, holds, 0.0)
        self.late = late

    def open(self, format: AudioFormat) -> None:
        self.begins, self.late = self.time.now + self.late, 0.0
        self.held, self.blocks, self.alive = 0, 0, True

    def write(self, chunk: bytes) -> None:
        if not self.alive:
            raise OutputLostError("it was killed")
        self.held += MONO.frames(chunk)
        self.play()
        while self.held > self.holds:
            self.time.sleep(0.001)
            self.play()

    def play(self) -> None:
        due = int((self.time.now - self.begins) * SAMPLE_RATE / self.block) + 1 if self.time.now >= self.begins else 0
        self.held, self.blocks = max(0, self.held - (due - self.blocks) * self.block), due

    def kill(self) -> None:
        self.alive = False


class Room:
    """Music whose frames are numbers, a chain, and a loudspeaker."""

    def __init__(
        self, holds: float = 0.4, starts: float = 0.05, patience: float = 0.5, late: float | None = None
    ) -> None:
        self.time = Time()
        frames = round(holds * SAMPLE_RATE)
        self.speaker = Loudspeaker(self.time, frames, starts) if late is None else SleepyServer(self.time, frames, late)
        floor = NullOutput(Pacer(clock=self.time.clock, sleep=self.time.sleep))
        self.chain = Chain([self.speaker], floor, lambda event: None, lambda: Backoff(0.05, 0.05), self.time.clock)
        self.chain.open(MONO)
        self.frames = 0

    def play(self, seconds: float) -> None:
        until = self.time.now + seconds
        while self.time.now < until:
            self.chain.write(np.arange(self.frames, self.frames + CHUNK, dtype=np.float32).tobytes())
            self.frames += CHUNK

    def ahead(self) -> float:
        """Frames taken, less those that time would have taken."""
        return self.frames - self.time.now * SAMPLE_RATE

    def heard(self) -> np.ndarray:
        self.speaker.sound()
        return np.concatenate(self.speaker.heard)


def leaps(room: Room) -> list[float]:
    """Frames by which the music is off its course after each of three losses."""
    room.play(5.0)
    before = room.ahead()
    found: list[float] = []
    for _ in range(3):
        room.speaker.kill()
        room.play(4.0)
        found.append(abs(room.ahead() - before))
    return found


@pytest.mark.parametrize("starts", [0.0, 0.05, 0.3])
def test_frames_are_taken_as_time_takes_them_however_often_a_player_is_killed(starts):
    assert max(leaps(Room(starts=starts))) <= CHUNK


@pytest.mark.parametrize("late", [0.0, 0.07, 0.12, 0.5, 0.9])
def test_a_server_whose_card_slept_at_first_does_not_make_the_music_leap_at_the_first_loss(late):
    assert max(leaps(Room(late=late))) <= SleepyServer.block / 2 + CHUNK


def test_what_a_killed_player_held_is_heard_from_where_the_music_would_be_by_then():
    room = Room(starts=0.1)
    room.play(5.0)
    course = int(room.heard()[-1]) - len(room.heard())
    room.speaker.kill()
    room.play(5.0)
    heard = room.heard()
    gap = np.flatnonzero(heard[SAMPLE_RATE:] == -1) + SAMPLE_RATE
    assert 0 < len(gap) <= 0.15 * SAMPLE_RATE
    after = gap[-1] + 1
    assert abs((heard[after] - after) - course) <= CHUNK, "it goes on where it would be"
    assert np.all(np.diff(heard[after:]) == 1), "and nothing of it is left out"


def test_musical_time_goes_on_while_there_is_no_output_and_is_kept_when_there_is_one_again():
    room = Room()
    room.play(5.0)
    before = room.ahead()
    room.speaker.kill()
    opening = room.speaker.open

    def gone(format: AudioFormat) -> None:
        room.time.sleep(0.2)
        raise OutputLostError("there is no card")

    room.speaker.open = gone  # type: ignore[method-assign]
    room.play(3.0)
    assert abs(room.ahead() - before) <= 0.25 * SAMPLE_RATE + CHUNK, "each attempt takes a while, and is caught up with"
    room.speaker.open = opening  # type: ignore[method-assign]
    room.play(4.0)
    assert abs(room.ahead() - before) <= CHUNK


def test_after_an_alarm_nothing_of_before_it_is_heard():
    room = Room()
    room.play(5.0)
    last = room.frames
    room.chain.silence()
    room.speaker.kill()
    room.play(0.05)
    room.chain.resume()
    begin = len(room.heard())
    room.play(3.0)
    heard = room.heard()[begin:]
    assert heard[heard >= 0].min() >= last


def test_a_machine_that_was_suspended_makes_nobody_hurry():
    room = Room()
    room.play(5.0)
    room.time.now += 40.0
    room.speaker.kill()
    frames = room.frames
    room.play(2.0)
    assert room.frames - frames <= 3.0 * SAMPLE_RATE
