# pyright: strict
"""Where the music stood when it was cut off, and the state from which it goes on there."""

from __future__ import annotations

import json
from typing import Any

from engine.journal.entries import TurnBegan
from engine.journal.reader import EARLY, Journal
from engine.journal.recalled import Recalled
from engine.journal.records import JournalState, Mark, Sitting
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Forget


def recall(journal: Journal) -> Recalled | None:
    """Where the music of a journal stood; None where nobody knows.

    Raises:
        PerpetuumError: the journal is broken.
    """
    sittings = journal.sittings()
    mark = journal.last_mark()
    while sittings and (mark is None or sittings[-1].number > mark.sitting):
        sittings.pop()  # nothing of it was heard: the one before it may go on
    if not sittings or mark is None:
        return None
    sitting = sittings[-1]
    return _at(journal, sitting, mark) if sitting.number == mark.sitting else None


def _at(journal: Journal, sitting: Sitting, mark: Mark) -> Recalled | None:
    states = journal.states(sitting.number)
    latest = next(states, None)
    if latest is None:
        return None
    ahead = list(journal.bars(sitting.number, mark.frame, mark.frame + EARLY * SAMPLE_RATE))
    sounding = ahead[0].bar if ahead else latest.bar
    start = latest
    for one in states:
        if start.bar <= sounding:
            break
        start = one
    # What was edited since then was decided since then, too. It is not undone: the music goes on there.
    edits = [
        one.number for one in journal.happenings(kinds=[Forget.__name__], sitting=sitting.number, after=start.number)
    ]
    if edits:
        start = next(journal.states(sitting.number, after=edits[-1], earliest=True), latest)
    bar = max(sounding, start.bar)
    begins = next((one for one in ahead if one.bar == bar), None)
    state = _rewound(json.loads(latest.text), json.loads(start.text))
    turn, played = _turn(journal, sitting, latest, mark.played)
    return Recalled(
        sitting=sitting.number,
        wall=mark.wall,
        turn=turn,
        played=played,
        scene=latest.scene,
        seed=latest.seed,
        state=json.dumps(state),
        frame=begins.start if begins is not None else state["conductor"]["position"]["frame"],
        bar=bar,
        section=begins.body.section if begins is not None else state["conductor"]["position"]["running"]["section"],
    )


def _turn(journal: Journal, sitting: Sitting, latest: JournalState, played: float) -> tuple[TurnBegan | None, float]:
    """The turn whose scene plays, and for how long it has; the next one may have been asked for already."""
    happened = journal.happenings(kinds=[TurnBegan.__name__], sitting=sitting.number)
    turns = [one.value for one in happened if isinstance(one.value, TurnBegan)]
    if not turns:
        return None, played
    of_file = [turn for turn in turns if turn.file == latest.scene]
    of_seed = [turn for turn in of_file if turn.seed == latest.seed]
    turn = [*turns, *of_file, *of_seed][-1]
    return turn, played if turn is turns[-1] else max(played, turn.seconds)


def _rewound(latest: Any, start: Any) -> Any:
    """The latest state, moved back to the bar of an earlier one of the same plan; no phrase is forgotten."""
    now, then = latest["conductor"], start["conductor"]
    earlier = {line["part"]: line["decided"] for line in then["lines"]}
    lines: list[Any] = []
    for line in now["lines"]:
        first = min((one["first_bar"] for one in line["decided"]), default=1 << 62)
        before = [one for one in earlier.get(line["part"], []) if one["first_bar"] < first]
        lines.append({**line, "decided": [*before, *line["decided"]]})
    kept = ("position", "controls", "decided_before_edit")
    conductor = {**now, **{name: then[name] for name in kept}, "lines": lines}
    return {**latest, "conductor": conductor}
