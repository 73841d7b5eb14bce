# pyright: strict
"""Audio processes and the pipes that each of them writes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.processes.child import Child, Gone, OomScore
from engine.processes.pipe import Pipe, Segment
from engine.sound.messages import FROM_SOUND, TO_SOUND, FromSound, ToSound

AudioChild = Child[ToSound, FromSound]


class AudioProcesses:
    """Starts audio processes, and ends those that nobody wants.

    Args:
        pipe: gives each a segment.
        command: what they run.
        deliver: called with (child, message) in the reader's thread of a process.
    """

    def __init__(
        self, pipe: Pipe, command: Sequence[str], deliver: Callable[[AudioChild, FromSound | Gone], None]
    ) -> None:
        self._pipe = pipe
        self._command = list(command)
        self._deliver = deliver
        self._segments: dict[AudioChild, Segment] = {}

    def spawn(self) -> AudioChild:
        """Start one.

        Raises:
            OSError: no process can be started.
        """
        segment = self._pipe.segment()
        command = [*self._command, "--audio", str(segment.write_end)]
        try:
            child = Child(
                "audio", command, TO_SOUND, FROM_SOUND, self._deliver, OomScore.AUDIO, fds=(segment.write_end,)
            )
        except OSError:
            segment.close()
            raise
        segment.close_write_end()
        self._segments[child] = segment
        return child

    def segment(self, child: AudioChild) -> Segment:
        """Where its sound goes, as long as it is not part of the pipe."""
        return self._segments[child]

    def attached(self, child: AudioChild) -> Segment:
        """Its segment, which is the pipe's from now on."""
        return self._segments.pop(child)

    def discard(self, child: AudioChild) -> None:
        """End a process that was never heard."""
        child.kill()
        segment = self._segments.pop(child, None)
        if segment is not None:
            segment.close()

    def close(self) -> None:
        """Close what nobody came to hear."""
        for segment in self._segments.values():
            segment.close()
        self._segments.clear()
