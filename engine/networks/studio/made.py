"""What comes back from the operations on pieces."""

from __future__ import annotations

from dataclasses import dataclass

from engine.score.piece import Piece


@dataclass(frozen=True, slots=True)
class MadePiece:
    """What a network made of a piece.

    Attributes:
        piece: the music.
        length: of it in beats, silence at its end included.
        remarks: sentences about what was chosen or left out on the musician's behalf.
        log_likelihood: log-probability in nats of what is new, where the network tells it.
    """

    piece: Piece
    length: float
    remarks: tuple[str, ...] = ()
    log_likelihood: float | None = None
