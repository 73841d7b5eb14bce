# pyright: strict
"""From `--output KIND[:ARGUMENT]` to outputs that are open: one that keeps time, and those that follow it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from engine.errors import PerpetuumError
from engine.outputs.chain import Chain, Report, unheard
from engine.outputs.contract import OUTPUTS, InfallibleOutput, Output, OutputKind, RecordingOutput
from engine.outputs.null import NullOutput
from engine.outputs.tee import Tee
from engine.sound.format import AudioFormat

log = logging.getLogger(__name__)

KIND_FORM = "KIND[:ARGUMENT]"


@dataclass(frozen=True, slots=True)
class OutputChoice:
    """An output as somebody names it.

    Attributes:
        kind: name of the kind.
        argument: what its argument says; None without one.
    """

    kind: str
    argument: str | None = None

    @classmethod
    def parse(cls, text: str) -> OutputChoice:
        """From `KIND[:ARGUMENT]`. The first colon ends the kind; further ones belong to the argument."""
        kind, colon, argument = text.partition(":")
        return cls(kind, argument if colon else None)

    def __str__(self) -> str:
        return self.kind if self.argument is None else f"{self.kind}:{self.argument}"


def open_outputs(
    choices: Sequence[OutputChoice],
    keep: float | None = None,
    format: AudioFormat | None = None,
    report: Report = unheard,
    others: Sequence[Output] = (),
) -> OpenedOutputs:
    """Open outputs as one; a context manager that closes them.

    The one that keeps time paces the others, wherever it stands; where none does, our own clock paces.

    Args:
        choices: which; at most one that keeps time.
        keep: hours of recordings to keep in folders.
        format: of the sound.
        report: told of what an output loses.
        others: further ones that follow.

    Raises:
        PerpetuumError: no such kind, an argument too much or too little, two that keep time, or one cannot work.
    """
    made = [(choice, _kind(choice)) for choice in choices]
    timed = [choice for choice, kind in made if kind.keeps_time]
    if len(timed) > 1:
        raise PerpetuumError(
            f"the outputs {timed[0]} and {timed[1]} would both keep time, and two clocks drift apart",
            "name one of auto, device and null, and any number of recordings",
        )
    master: InfallibleOutput = Chain((), NullOutput(), report)
    followers: list[Output] = []
    for choice, kind in made:
        output = kind.factory(choice.argument)
        if isinstance(output, InfallibleOutput):
            master = output
        elif kind.keeps_time:
            master = Chain((output,), NullOutput(), report)
        else:
            followers.append(output)
    if keep is not None:
        _keep(keep, followers)
    tee = Tee(master, [*followers, *others], report)
    tee.open(format or AudioFormat())
    log.info("output: %s", tee.description)
    return OpenedOutputs(tee)


class OpenedOutputs:
    """Outputs that are closed at the end of a `with`."""

    def __init__(self, tee: Tee) -> None:
        self.tee = tee

    def __enter__(self) -> Tee:
        return self.tee

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tee.close()


def _kind(choice: OutputChoice) -> OutputKind:
    name, argument = choice.kind, choice.argument
    if name not in OUTPUTS.names() and (name.endswith((".wav", "/")) or "/" in name):
        raise PerpetuumError(f"no kind of output is called {name!r}", f"to record there, say: --output wav:{choice}")
    kind = OUTPUTS.get(name)
    if argument is not None and not kind.argument:
        raise PerpetuumError(f"the output {name} takes no argument, {argument!r} was given", f"say: --output {name}")
    if argument == "" or (argument is None and kind.needs_argument):
        raise PerpetuumError(f"the output {name} needs a {kind.argument}", f"say: --output {name}:{kind.argument}")
    return kind


def _keep(hours: float, followers: Sequence[Output]) -> None:
    recordings = [output for output in followers if isinstance(output, RecordingOutput)]
    folders = [recording for recording in recordings if recording.piles_up]
    if not folders:
        what = "only single files are recorded" if recordings else "nothing is recorded"
        raise PerpetuumError(
            f"--keep {hours:g} is for recordings into a folder, and {what}", "say: --output wav:FOLDER/"
        )
    for recording in folders:
        recording.keep = hours
