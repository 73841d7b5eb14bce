"""How much music there is to learn from, and what to do when it is little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.training.datasets.pieces import SPLITS, STEPS_PER_BAR, DatasetPiece

WANTED = 100_000
"""Events from which on a small network begins to play more than what is common; see `events_of`."""
HELD_OUT_SHARE = 16
"""One piece in so many is held out where nothing is."""
_MORE = "More files of the same kind help most."
_EVENTS_PER_NOTE = {"performance_rnn": 3.5, "polyphony_rnn": 2.5, "chorale": 4.0}


def events_of(pieces: Sequence[DatasetPiece], config: str) -> int:
    """About how many events a network has to learn from: sixteenths on a grid, else events of its encoding.

    Args:
        pieces: of the training split.
        config: of the network.
    """
    per_note = _EVENTS_PER_NOTE.get(CONFIGS[config].family, 1.0)
    return int(sum(len(piece.events) for piece in pieces) * per_note)


def on_a_grid(config: str) -> bool:
    """Whether the music of a network has an event per step of a grid."""
    return CONFIGS[config].family not in _EVENTS_PER_NOTE


def with_held_out(pieces: Sequence[DatasetPiece]) -> tuple[list[DatasetPiece], str]:
    """Pieces of which some are held out, in any case.

    Where no piece is in the validation split, one work in sixteen moves there with all its parts, of one work one part
    in sixteen, and where there is one piece, its end.

    Returns:
        The pieces, and what was done, in a sentence; empty where nothing was.

    Raises:
        PerpetuumError: there is no piece at all, or one too short to be cut.
    """
    train = [k for k, piece in enumerate(pieces) if piece.split == "train"]
    validation = [k for k, piece in enumerate(pieces) if piece.split == "validation"]
    if train and validation:
        return list(pieces), ""
    usable = train or validation or list(range(len(pieces)))
    if not usable:
        raise PerpetuumError("there is no music in the data set", "Give more files, or files of another kind.")
    result = [replace(piece, split="train") if k in usable else piece for k, piece in enumerate(pieces)]
    if len(usable) == 1:
        (only,) = usable
        result[only : only + 1] = _halves(result[only])
        return result, f"There is one piece: its last eighth is held out to judge on, which says little. {_MORE}"
    works = list(dict.fromkeys(pieces[k].work for k in usable))
    if len(works) > 1:
        held = works[HELD_OUT_SHARE // 2 :: HELD_OUT_SHARE] or works[-1:]
        chosen = [k for k in usable if pieces[k].work in held]
    else:
        chosen = usable[HELD_OUT_SHARE // 2 :: HELD_OUT_SHARE] or usable[-1:]
    for k in chosen:
        result[k] = replace(result[k], split="validation")
    count = "1 of them is" if len(chosen) == 1 else f"{len(chosen)} of them are"
    return result, f"Too few pieces ({len(usable)}) to hold some out by chance: {count} held out to judge on."


def nothing_to_judge(split: str) -> PerpetuumError:
    """The error that the pieces of a split are too short, or too empty, to say anything of a network."""
    return PerpetuumError(
        f"no piece of the {split} split is long enough to judge on, or there is next to nothing in it",
        "Give more files, or longer ones.",
    )


def shortage(pieces: Sequence[DatasetPiece], config: str) -> str:
    """What to say of a data set that is small for a network; empty where it is not."""
    train = [piece for piece in pieces if piece.split == SPLITS[0]]
    events = events_of(train, config)
    if events >= WANTED:
        return ""
    what = "sixteenths" if on_a_grid(config) else "events"
    return (
        f"This is little music: {events:,} {what} in {len(train)} piece{'' if len(train) == 1 else 's'} to train on, "
        f"where {WANTED:,} and more are wanted. It is trained all the same, and will play much like what it heard. "
        f"{_MORE}"
    )


def _halves(piece: DatasetPiece) -> list[DatasetPiece]:
    """A piece without its end, and the end held out."""
    events = piece.events
    cut = len(events) - len(events) // 8
    if events.dtype.names is None:
        cut = min(cut, len(events) - 2 * STEPS_PER_BAR) // STEPS_PER_BAR * STEPS_PER_BAR
    if cut <= 0:
        raise PerpetuumError(
            f"{piece.name} is the only piece, and too short to train on", "Give more files, or longer ones."
        )
    end = events[cut:].copy()
    if events.dtype.names is not None:
        begin = float(np.floor(end["start"].min()))
        end["start"] -= begin
        end["end"] -= begin
    chords = (None, None) if piece.chords is None else (piece.chords[:cut], piece.chords[cut:])
    return [
        replace(piece, events=events[:cut], chords=chords[0]),
        replace(piece, name=f"{piece.name}#end", split="validation", events=end, chords=chords[1]),
    ]
