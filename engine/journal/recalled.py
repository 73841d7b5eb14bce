# pyright: strict
"""Where the music stood when it was cut off, as plain data. Light: the keeper imports this."""

from __future__ import annotations

from dataclasses import dataclass

from engine.journal.entries import TurnBegan


@dataclass(frozen=True, slots=True)
class Recalled:
    """Where the music stood.

    Attributes:
        sitting: number of the sitting that was cut off.
        wall: seconds of UTC when something of it was heard last.
        turn: of the programme; None where nobody said which.
        played: seconds for which that had played.
        scene: path of the scene file.
        seed: of the performance.
        state: JSON of a `MindState` at a bar that was decided then, with all phrases that were decided later, too.
        frame: first of the bar to go on with.
        bar: its number.
        section: in which that lies.
    """

    sitting: int
    wall: float
    turn: TurnBegan | None
    played: float
    scene: str
    seed: int
    state: str
    frame: int
    bar: int
    section: str
