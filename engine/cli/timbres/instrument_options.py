# pyright: strict
"""What all commands that make an instrument of a network's notes ask for, and how they end."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.assets import FOLDER_FILE
from engine.cli.music.sampling import say
from engine.cli.targets import OutputFolder
from engine.cli.timbres.pitches import PitchType
from engine.cli.timbres.telling_instruments import tell_instrument, tell_judgements
from engine.new_folder import check_new_folder

if TYPE_CHECKING:
    from engine.timbres.samples.instrument import About, MadeInstrument
    from engine.timbres.samples.notes import Judgement

_Verb = TypeVar("_Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class InstrumentOptions:
    """What was asked for.

    Attributes:
        lowest, highest: MIDI pitches of the keys.
        every: semitones between two notes.
        title: one line; None for one of the command's.
        credit, licence: of what it is made of.
        output: folder of the instrument.
        force: it may replace one.
    """

    lowest: int
    highest: int
    every: int
    title: str | None
    credit: str
    licence: str
    output: Path
    force: bool

    def check(self) -> None:
        """Look whether the folder may be written, before hours of work.

        Raises:
            PerpetuumError: it may not.
        """
        check_new_folder(self.output, FOLDER_FILE, self.force)

    def about(self, words: str, made: str) -> About:
        """What the instrument says of itself.

        Args:
            words: its title, where none was given.
            made: by what.
        """
        from engine.timbres.samples.instrument import About

        return About(self.title or words, self.credit, self.licence, made=made)

    def write(self, made: MadeInstrument, judgements: Sequence[Judgement]) -> None:
        """Write the instrument and say what became of its notes.

        Raises:
            PerpetuumError: it cannot be written.
        """
        from engine.timbres.samples.instrument import write_instrument

        tell_judgements(judgements)
        if left_out := sum(one.zone is None for one in judgements):
            say([f"{left_out} of {len(judgements)} notes are left out; their neighbours play in their place"])
        tell_instrument(write_instrument(made, self.output, self.force))


def instrument_options(lowest: str, highest: str, whose: str) -> Callable[[_Verb], _Verb]:
    """Options of a command, which come as its argument `asked`.

    Args:
        lowest, highest: pitches without a word of the user.
        whose: what `--credit` is about.
    """
    options = (
        click.option("--lowest", default=lowest, show_default=True, type=PitchType(), help="Pitch of the lowest note."),
        click.option("--highest", default=highest, show_default=True, type=PitchType(), help="No note is higher."),
        click.option(
            "--every", default=3, show_default=True, type=click.IntRange(1, 12), help="Semitones between two notes."
        ),
        click.option("--title", help="One line that says what it sounds like."),
        click.option("--credit", default="", help=f"Whose {whose}."),
        click.option("--licence", default="", help="The licence, such as CC0 1.0."),
        click.option(
            "-o", "--output", required=True, type=OutputFolder(), help="Folder of the instrument; its name is yours."
        ),
        click.option("--force", is_flag=True, help="Replace an instrument that is there."),
    )

    def decorated(function: _Verb) -> _Verb:
        names = ("lowest", "highest", "every", "title", "credit", "licence", "output", "force")

        @functools.wraps(function)
        def gathered(**given: Any) -> Any:
            asked = InstrumentOptions(**{name: given.pop(name) for name in names})
            return function(asked=asked, **given)

        made: Any = gathered
        for option in reversed(options):
            made = option(made)
        return made

    return decorated
