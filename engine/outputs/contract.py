"""Where the sound goes. An output takes chunks of sound at the pace of real time, come what may.

Kinds of outputs are registered under the entry points `perpetuum.outputs`, the built-in ones too; `OUTPUTS` finds them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import PerpetuumError
from engine.outputs.pacing import Pacer
from engine.processes.pipe import FRAME_BYTES
from engine.registry import Registry

log = logging.getLogger(__name__)


class Output(Protocol):
    """Takes sound.

    One that makes something which may be incomplete also has `complaint`: what is wrong with it, or "".
    """

    @property
    def description(self) -> str:
        """Where the sound goes now, in words for people."""
        ...

    def open(self) -> None:
        """Get ready.

        Raises:
            PerpetuumError: it will never work like this (a path that cannot be written, no player installed).
        """
        ...

    def write(self, chunk: bytes) -> None:
        """Take float32 stereo frames, and return when there is time for the next ones: on average after exactly
        as long as they last. Never raises: a card that is pulled out or a disk that is full is a state to get over.
        """
        ...

    def close(self) -> None:
        """Let what was taken be heard to its end, and stop."""
        ...


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output that `--output` can name.

    Attributes:
        name: as the command line writes it.
        summary: one line for people.
        factory: called with the argument, or None where none was given.
        argument: what its argument means; empty if it takes none.
        needs_argument: whether it cannot do without.
    """

    name: str
    summary: str
    factory: Callable[[str | None], Output]
    argument: str = ""
    needs_argument: bool = False


OUTPUTS: Registry[OutputKind] = Registry("perpetuum.outputs", OutputKind, "output")


def open_output(name: str, argument: str | None = None, keep: float | None = None) -> OpenedOutput:
    """An output by the name of its kind, opened; a context manager that closes it.

    Args:
        name: of the kind.
        argument: what its argument says, if it takes one.
        keep: hours of recordings to keep, for an output that has a `keep`.

    Raises:
        PerpetuumError: no such kind, an argument too much or too little, or it cannot work.
    """
    kind = OUTPUTS.get(name)
    if argument is not None and not kind.argument:
        raise PerpetuumError(f"the output {name} takes no argument, {argument!r} was given")
    if argument is None and kind.needs_argument:
        raise PerpetuumError(f"the output {name} needs a {kind.argument}", f"say: --output {name} {kind.argument}")
    output = kind.factory(argument)
    if keep is not None:
        if not hasattr(output, "keep"):
            raise PerpetuumError(f"--keep is for recordings, and {name} makes none", "say: --output wav FOLDER")
        output.keep = keep  # pyright: ignore[reportAttributeAccessIssue]
    output.open()
    log.info("output: %s", output.description)
    return OpenedOutput(output)


class OpenedOutput:
    """An output that is closed at the end of a `with`."""

    def __init__(self, output: Output) -> None:
        self.output = output

    def __enter__(self) -> Output:
        return self.output

    def __exit__(self, *_: object) -> None:
        self.output.close()


class NullOutput:
    """Nobody hears it, in real time.

    Args:
        reason: why there is nothing to hear; part of the description.
        pacer: gives the pace.
    """

    def __init__(self, reason: str = "", pacer: Pacer | None = None) -> None:
        self.description = "no output, in real time" + (f" ({reason})" if reason else "")
        self.pacer = pacer or Pacer()

    def open(self) -> None:
        """Nothing is needed."""

    def write(self, chunk: bytes) -> None:
        """Wait as long as the chunk lasts."""
        self.pacer.pace(len(chunk) // FRAME_BYTES)

    def close(self) -> None:
        """Nothing is left."""


def _null(argument: str | None) -> Output:
    return NullOutput()


NULL = OutputKind("null", "nobody hears it, in real time", _null)
