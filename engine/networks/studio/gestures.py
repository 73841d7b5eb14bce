"""Strokes that a drummer plays as one gesture, and where a network's feel puts them.

A network knows one stroke of each drum in each sixteenth. Flams, drags and rolls have more of them, and triplets and
32nds stand between its sixteenths: they move together, so that what was written stays what is heard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.score.time import STEPS_PER_BEAT

ROLL = 0.75 / STEPS_PER_BEAT
"""Beats: strokes of one drum that follow each other faster than this are one gesture. 32nds and sixteenth triplets are;
sixteenths that somebody played are not."""
ON_GRID = 0.3
"""Steps by which a stroke on the grid may have been played off it; what is further off is a triplet or a 32nd, and
written so."""
_APART = 0.2 / STEPS_PER_BEAT
"""Beats; strokes nearer than this are meant to sound together, and may change places."""
_WIDEST = 0.5 / STEPS_PER_BEAT
"""Beats by which a network may play a stroke early or late."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """Strokes of one drum that keep their distances.

    Attributes:
        drum: its class.
        strokes: indices [n], by start.
        anchors: indices [m], of each step that is struck the stroke nearest to it.
    """

    drum: int
    strokes: np.ndarray
    anchors: np.ndarray


def gestures(starts: np.ndarray, steps: np.ndarray, classes: np.ndarray) -> list[Gesture]:
    """The gestures that some strokes are.

    Args:
        starts: [n] in beats.
        steps: [n], the sixteenth that each is nearest to.
        classes: [n] of drums; -1 for what is no drum, which is in no gesture.
    """
    found = []
    for drum in np.unique(classes[classes >= 0]).tolist():
        one = np.flatnonzero(classes == drum)
        one = one[np.argsort(starts[one], kind="stable")]
        apart = (np.diff(starts[one]) >= ROLL) & (np.diff(steps[one]) > 0)
        for strokes in np.split(one, np.flatnonzero(apart) + 1):
            off = np.abs(starts[strokes] * STEPS_PER_BEAT - steps[strokes])
            order = np.lexsort((off, steps[strokes]))
            _, firsts = np.unique(steps[strokes][order], return_index=True)
            found.append(Gesture(drum, strokes, strokes[order[firsts]]))
    return found


def shifts(found: list[Gesture], starts: np.ndarray, steps: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Beats [len(found)] by which each gesture moves: onto the grid, if it was played near it, and as the network
    plays it, but never past a stroke that stands before or behind it, nor before the beginning.

    Args:
        found: all gestures.
        starts, steps: as `gestures` was given them.
        late: beats by which the network plays each stroke late, [n]; of anchors alone it is looked at.
    """
    snaps = np.zeros(len(found))
    for place, one in enumerate(found):
        off = steps[one.anchors] / STEPS_PER_BEAT - starts[one.anchors]
        near = off[np.abs(off) * STEPS_PER_BEAT <= ON_GRID]
        snaps[place] = near.mean() if len(near) else 0.0
    owners = np.concatenate([np.full(len(one.strokes), k) for k, one in enumerate(found)] or [np.zeros(0, int)])
    places = np.concatenate([starts[one.strokes] + snaps[k] for k, one in enumerate(found)] or [np.zeros(0)])
    order = np.argsort(places, kind="stable")
    room = _room(places[order], owners[order], len(found))
    moved = np.zeros(len(found))
    for k, one in enumerate(found):
        feel = float(np.clip(late[one.anchors].mean(), -room[k], room[k]))
        moved[k] = max(snaps[k] + feel, -float(starts[one.strokes[0]]))
    return moved


def _room(places: np.ndarray, owners: np.ndarray, count: int) -> np.ndarray:
    """Beats [count] that each gesture may move without passing another: half of the way to the nearest stroke that is
    not meant to sound together with it.

    Args:
        places: [n] in beats, ascending.
        owners: [n], the gesture of each.
        count: of gestures.
    """
    room = np.full(count, _WIDEST)
    for first, (place, owner) in enumerate(zip(places.tolist(), owners.tolist(), strict=True)):
        for second in range(first + 1, len(places)):
            gap = float(places[second]) - place
            if gap >= 2 * _WIDEST:
                break
            other = int(owners[second])
            if other != owner and gap >= _APART:
                room[owner], room[other] = min(room[owner], gap / 2), min(room[other], gap / 2)
    return room
