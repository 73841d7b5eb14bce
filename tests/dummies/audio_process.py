"""A stand-in for the audio process, by the same protocol, without pyo: its sound says which frame it is.

Left is the number of the frame modulo 2^23, as a fraction of 2^23 (exact in float32); right is the number of notes
that sound, over 128. The names of parts order accidents: a note of part "crash" kills the process by SIGSEGV in the
block where it begins, "hang" makes it stand still, "exit3" makes it end, "leak" makes one that began at frame 0 keep a
megabyte a block. No graph with a part "unbuildable" is built.
"""

import argparse
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

import numpy as np

from engine.sound.messages import (
    BLOCK,
    FROM_SOUND,
    NOTE_EVENT,
    TO_SOUND,
    Fade,
    Forget,
    LevelReading,
    Notes,
    Ping,
    Pong,
    Quit,
    Ready,
    Release,
    Setup,
)

WRAP = 1 << 23


class Sound:
    def __init__(self, control: Connection, audio: int) -> None:
        self.control = control
        self.audio = audio
        self.notes = {}
        self.setup = None
        self.released = 0
        self.end = None
        self.frame = 0
        self.held = []

    def run(self) -> None:
        while self.setup is None:
            self.receive()
        if any(part.name == "unbuildable" for part in self.setup.parts):
            sys.exit(1)
        self.frame = self.setup.start_frame
        self.say(Ready(0.0))
        began = self.frame
        while True:
            while self.control.poll(0 if self.setup.free_running or self.frame + BLOCK <= self.released else None):
                self.receive()
            if self.end is not None and self.frame >= self.end:
                return
            self.block()
            if (self.frame - began) % (20 * BLOCK) == 0:
                self.say(LevelReading(self.frame, 0.5, 0.1, 0, 0))

    def say(self, message) -> None:
        self.control.send_bytes(FROM_SOUND.encode(message))

    def receive(self) -> None:
        try:
            message = TO_SOUND.decode(self.control.recv_bytes())
        except EOFError:
            sys.exit(0)
        match message:
            case Setup():
                self.setup = message
            case Notes(part=part, notes=notes):
                self.notes[part] = np.concatenate([self.notes.get(part, np.zeros(0, NOTE_EVENT)), notes])
            case Forget(frame=frame):
                self.notes = {part: notes[notes["on"] < frame] for part, notes in self.notes.items()}
            case Release(frame=frame):
                self.released = frame
            case Fade(start=start, frames=frames):
                self.end = (self.frame if start < 0 else start) + frames
            case Ping():
                self.say(Pong())
            case Quit():
                sys.exit(0)

    def block(self) -> None:
        frames = self.frame + np.arange(BLOCK)
        sounding = np.zeros(BLOCK)
        for part, notes in self.notes.items():
            for note in notes[(notes["on"] < self.frame + BLOCK) & (notes["off"] > self.frame)]:
                if part == "crash":
                    os.kill(os.getpid(), signal.SIGSEGV)
                if part == "exit3":
                    sys.exit(3)
                if part == "leak" and self.setup.start_frame == 0:
                    self.held.append(bytearray(b"x" * (1 << 20)))
                if part == "hang":
                    time.sleep(3600)
                sounding += (frames >= note["on"]) & (frames < note["off"])
        block = np.stack([frames % WRAP / WRAP, sounding / 128], axis=1).astype(np.float32)
        assert os.write(self.audio, block.tobytes()) == block.nbytes
        self.frame += BLOCK


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--audio", type=int, required=True)
    options = parser.parse_args()
    try:
        Sound(Connection(options.control), options.audio).run()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)


if __name__ == "__main__":
    main()
