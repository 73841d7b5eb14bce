# pyright: strict
"""A scene that begins where an installation was: the scene file as it was, and the state of the music beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.installation.history.passage import heard_at
from engine.journal.reader import EARLY, Journal
from engine.journal.records import HeardPlace, JournalState, Sitting
from engine.journal.states import decision_of
from engine.output_file import write_text
from engine.runtime.performance.mind.beginning import at_frame_zero
from engine.runtime.performance.mind.holds import with_holds
from engine.runtime.performance.mind.state import MindState
from engine.scenes import Severity, load
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Forget

SUFFIX = ".begin.json"
"""Of the file beside the scene."""

_KEY = "begin:"


@dataclass(frozen=True, slots=True)
class Forked:
    """A scene that was made.

    Attributes:
        scene: its file.
        begin: the state beside it.
        section: with which it begins.
        wall: when that began to be heard, in seconds of UTC.
        until: seconds of music, from there, whose phrases are those that were heard.
        same: the scene plays here as it did; False where files that it names are not as they were, or not found.
    """

    scene: Path
    begin: Path
    section: str
    wall: float
    until: float
    same: bool


def fork(journal: Journal, moment: datetime, seconds: float, zone: tzinfo, path: Path) -> Forked:
    """Write a scene that begins with the section that was heard at a moment.

    Args:
        journal: of the installation.
        moment: in UTC.
        seconds: of music that is to be as it was, phrase by phrase, if that much was heard without an edit.
        zone: in which moments are told.
        path: of the scene file that is written; the state comes beside it.

    Raises:
        PerpetuumError: nothing was heard then, or nobody knows how it came to be, or it cannot be written.
    """
    sitting, frame = heard_at(journal, moment, zone)
    bar = next((one for one in journal.bars(sitting.number, frame, frame + 1)), None)
    state = None
    if bar is not None:
        states = journal.states(sitting.number, until_bar=bar.bar)
        state = next((one for one in states if one.begins), None)
    if bar is None or state is None:
        raise PerpetuumError(
            f"the journal {journal.path} does not hold the beginning of the section that was heard then",
            "take a moment in the section after it",
        )
    start = next(iter(journal.bars(sitting.number, -(1 << 40), frame + 1)), bar)
    for one in journal.bars(sitting.number, max(0, frame - 3600 * SAMPLE_RATE), frame + 1):
        if one.bar == state.bar:
            start = one
    content = journal.content(state.content) if state.content else None
    if content is None or content.data is None:
        raise PerpetuumError(f"the scene file {state.scene} was not kept as it was", "fork a later moment")
    begin, until = _extended(journal, sitting, state, start.start, start.start + round(seconds * SAMPLE_RATE))
    beside = path.with_name(path.stem + SUFFIX)
    write_text(beside, begin.to_json() + "\n")
    write_text(path, _with_begin(content.data.decode("utf-8", "replace"), beside.name))
    return Forked(
        scene=path,
        begin=beside,
        section=begin.conductor.position.running.section,
        wall=journal.wall_at(HeardPlace(sitting.number, start.start)) or moment.timestamp(),
        until=(until - start.start) / SAMPLE_RATE,
        same=_same(path, begin),
    )


def _same(path: Path, begin: MindState) -> bool:
    """Whether a scene that was written is the one that its state is of.

    Raises:
        PerpetuumError: it cannot be played here.
    """
    from engine.form.digest import scene_digest

    scene, problems = load(path)
    if scene is None:
        errors = [one.text(colour=False) for one in problems if one.severity is Severity.ERROR]
        raise PerpetuumError(
            f"{path} was written, and cannot be played where it lies:\n" + "\n".join(errors),
            "where it names files beside itself, write it into the folder of the scene that was played",
        )
    return scene_digest(with_holds(scene, begin.held, begin.muted)) == begin.conductor.scene


def _extended(
    journal: Journal, sitting: Sitting, state: JournalState, first: int, wanted: int
) -> tuple[MindState, int]:
    """A state with all phrases of a while that were decided later; the frame up to which these are known."""
    edits = journal.happenings(kinds=[Forget.__name__], sitting=sitting.number, after=state.number)
    last = next((one.number for one in edits), None)
    bars = list(journal.bars(sitting.number, first, wanted))
    end = next((one.start for one in bars if last is not None and one.number > last), min(wanted, sitting.end_frame))
    known = [one for one in bars if one.start < end]
    text: dict[str, Any] = json.loads(state.text)
    lines: Sequence[Any] = text["conductor"]["lines"]
    until_bar = known[-1].bar if known else state.bar
    later = [
        one.decided
        for one in journal.phrases(sitting.number, first - EARLY * SAMPLE_RATE, end)
        if one.number > state.number and (last is None or one.number < last) and one.decided.first_bar <= until_bar
    ]
    for line in lines:
        for decided in sorted(later, key=lambda one: one.first_bar):
            ends = max((one["first_bar"] + one["bars"] for one in line["decided"]), default=0)
            if decided.part == line["part"] and decided.first_bar >= ends:
                line["decided"].append(decision_of(decided))
    # What is decided now need not be asked for again.
    decided_to = {line["part"]: max((d["first_bar"] + d["bars"] for d in line["decided"]), default=0) for line in lines}
    conductor = text["conductor"]
    conductor["jobs"] = [job for job in conductor["jobs"] if job["first_bar"] >= decided_to[job["part"]]]
    return at_frame_zero(MindState.from_json(json.dumps(text))), end


def _with_begin(text: str, name: str) -> str:
    """The text of a scene that begins with a state; one that it named itself gives way."""
    lines = [line for line in text.splitlines() if not line.startswith(_KEY)]
    return "\n".join([*lines, "", "# Begins where a performance stood; perpetuum fork wrote it.", f"{_KEY} {name}", ""])
