"""Messages between the conductor's side and the audio process. Free of pyo; everything here is plain data.

Towards the audio process: `Setup` once, then `Notes`, `Ramps` and `ChangeInstrument` ahead of their frames, `Release`
when playing offline, `Fade` and `Quit`. Back: `Ready`, `LevelReading` about ten times a second of sound, `TakenLate`,
`Trouble`.
Audio leaves the process on its own pipe as interleaved float32 (`AudioFormat`) in blocks of 256 frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from engine.codec import Codec, register_dtype
from engine.score.time import SAMPLE_RATE
from engine.sound.format import DEFAULT_CHANNELS

BLOCK = 256
"""Frames per block of the sound graph; fixed, because another size changes the sound."""

NOTE_EVENT = np.dtype([("on", "i8"), ("off", "i8"), ("pitch", "i2"), ("velocity", "u1")])
"""A note on the sample clock: frames of its start and its release."""

register_dtype("note_event", NOTE_EVENT)


class Control(StrEnum):
    """What of a part can move while it plays."""

    LEVEL = "level"  # dB
    PAN = "pan"  # -1 left .. 1 right
    REVERB = "reverb"  # send level, dB
    DELAY = "delay"  # send level, dB
    BRIGHTNESS = "brightness"  # 0 dark .. 1 open, of parts that have it


NEVER = 1 << 62
"""The frame of what does not come."""

CROSSFADE = 4 * SAMPLE_RATE // BLOCK * BLOCK
"""Frames (4 s) from the first note of the new instrument to the last sound of the old one."""


@dataclass(frozen=True, slots=True)
class PartSound:
    """How a part sounds.

    Attributes:
        name: of the part.
        instrument: path of the instrument's YAML file.
        level: dB.
        pan: -1 left .. 1 right.
        reverb: send to the reverb in dB; -inf for none.
        delay: send to the delay in dB; -inf for none.
        brightness: 0 dark .. 1 open; None: the instrument is heard as it is, and its brightness cannot move.
        revision: another one where the instrument's files were saved anew, so that its sound is built again.
        stand_in: path of the file of an instrument that plays where `instrument` cannot be built, and in whose place
            others may come (`ChangeInstrument`); empty for a part that keeps its instrument.
    """

    name: str
    instrument: str
    level: float = 0.0
    pan: float = 0.0
    reverb: float = float("-inf")
    delay: float = float("-inf")
    brightness: float | None = None
    revision: int = 0
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class Duck:
    """A part gives way while another strikes.

    Attributes:
        part: which is turned down.
        under: whose notes do that.
        drum: index of the drum class whose strokes alone do; None: every note.
        depth: dB, > 0, at a stroke of velocity 80 or more.
        release: seconds until the part is back.
    """

    part: str
    under: str
    drum: int | None = None
    depth: float = 6.0
    release: float = 0.15


@dataclass(frozen=True, slots=True)
class MixSound:
    """The shared effects and the master.

    Attributes:
        reverb_time: seconds to -60 dB, 0.1..20.
        reverb_brightness: 0 dark .. 1 bright.
        delay_time: seconds, 0.01..4.
        delay_feedback: 0..0.95.
        level: of the master before the limiter, dB.
        ceiling: of the limiter, dBFS, below 0. Peaks between samples, which it does not see, stay under -1 dBTP.
        ducks: parts that give way to others.
    """

    reverb_time: float = 2.5
    reverb_brightness: float = 0.5
    delay_time: float = 0.5
    delay_feedback: float = 0.35
    level: float = 0.0
    ceiling: float = -2.0
    ducks: tuple[Duck, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """Build the graph; sent once, first.

    Attributes:
        parts: every part of the scene.
        mix: shared effects and master.
        seed: of everything random in the graph.
        start_frame: frame that the first block begins with (a multiple of BLOCK).
        free_running: True: render on as fast as the pipe takes it (live; the pipe paces). False: render only up to
            the frame of the last `Release` (offline).
        channels: of the sound that comes out; today's graph builds two and refuses others.
        overlap: frames from `start_frame` on for which the graph before it still sounds, if there is one.
    """

    parts: tuple[PartSound, ...]
    mix: MixSound = field(default_factory=MixSound)
    seed: int = 0
    start_frame: int = 0
    free_running: bool = True
    channels: int = DEFAULT_CHANNELS
    overlap: int = 0


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of a part: array [n] of NOTE_EVENT. A note whose `on` is past is played at once and counted as late."""

    part: str
    notes: np.ndarray


@dataclass(frozen=True, slots=True)
class Ramp:
    """Move a part's control linearly (in its own unit) from its value at frame `start` to `value` at frame `end`."""

    part: str
    control: Control
    value: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Ramps:
    """Several ramps."""

    ramps: tuple[Ramp, ...]


@dataclass(frozen=True, slots=True)
class ChangeInstrument:
    """Let another instrument play a part from a frame on: for a while both do, and the old one fades out.

    A later message for the part takes the place of one whose frame has not come. The instrument is built at once,
    beside the music; what cannot be built changes nothing.

    Attributes:
        part: its name; one that has a `stand_in`.
        instrument: path of the instrument's YAML file.
        frame: from which on notes are the new one's; later where it is not built by then.
        wait: nothing is rendered until it is built, so that the frame is always met: where nobody listens.
    """

    part: str
    instrument: str
    frame: int
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop every note that has not begun and every ramp that has not started by this frame (a scene was reloaded)."""

    frame: int


@dataclass(frozen=True, slots=True)
class Release:
    """Offline: everything before `frame` is known; render up to it."""

    frame: int


@dataclass(frozen=True, slots=True)
class Fade:
    """Fade the master out from frame `start` over `frames` (start -1: from the next block), then end the stream."""

    start: int
    frames: int


@dataclass(frozen=True, slots=True)
class Quit:
    """End at once."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks a process whether it is well; it answers with `Pong`. Before its setup, too."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to `Ping`."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The graph is built; `seconds` is what it took."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LevelReading:
    """What came out of the blocks since the last one.

    Attributes:
        frame: frames rendered so far (absolute).
        peak: largest sample, linear.
        rms: root mean square over both channels, linear.
        late_notes: notes played after their frame, since the start.
        stolen_voices: notes that took a sounding voice, since the start.
    """

    frame: int
    peak: float
    rms: float
    late_notes: int
    stolen_voices: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong; `fatal` if the process ends because of it."""

    message: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class TakenLate:
    """A message was about frames that had been rendered, so what it does depends on when it was taken.

    An instrument that was not built by its frame is told of twice: there, and where it comes in.

    Attributes:
        number: of the message among those that the sound depends on (`DECISIVE`); that of the `Setup` is 0.
        frame: that the next block began with; of a `ChangeInstrument` that from which the instrument plays, `NEVER` as
            long as it does not. Of several for one message the last one counts.
    """

    number: int
    frame: int


ToSound = Setup | Notes | Ramps | ChangeInstrument | Forget | Release | Fade | Ping | Quit
"""All that an audio process can be told."""

FromSound = Pong | Ready | LevelReading | TakenLate | Trouble
"""All that it says."""

DECISIVE = (Setup, Notes, Ramps, ChangeInstrument, Forget, Fade)
"""Messages that the sound depends on: the same ones make the same samples, as long as none is taken late."""

TO_SOUND: Codec[ToSound] = Codec(ToSound)
FROM_SOUND: Codec[FromSound] = Codec(FromSound)
