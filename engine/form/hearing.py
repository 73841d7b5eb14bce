# pyright: strict
"""What the ear takes for a fault, as values of a scene: how `engine.ear` judges is written there.

The defaults lie outside of all that the shipped scenes and human music measured (docs/ear.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hearing:
    """Limits of what a part may do; infinite: it may.

    Attributes:
        one_pitch: seconds for which a part may play one pitch or chord over and over.
        loop: seconds for which it may play the same one or two bars over and over.
        empty: seconds for which its generator may make nothing.
        crowd: notes a second of one part, over two bars.
        noise: share of notes that clash with the chord, where they belong to no key either.
        repetition: share of what a melody played in ten minutes that was heard in the hours before, 0..1.
        left_out: parts that are not judged.
        answers: whether anything is done about what is heard.
    """

    one_pitch: float = 60.0
    loop: float = 40.0
    empty: float = 25.0
    crowd: float = 40.0
    noise: float = 0.33
    repetition: float = 0.98
    left_out: tuple[str, ...] = ()
    answers: bool = True
