# pyright: strict
"""What the ear takes for a fault, as values of scenes and installations: how `engine.ear` judges is written there.

The defaults lie outside of all that the shipped scenes measured (docs/ear.md).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Hearing:
    """Limits of what a part may do; infinite: it may.

    Attributes:
        one_pitch: seconds for which a part may play one pitch or chord over and over.
        loop: seconds for which it may play the same one or two bars over and over.
        empty: seconds for which its generator may make nothing.
        crowd: notes a second of one part, over two bars.
        noise: share of notes that clash with the chord, where they belong to no key either.
        repetition: share of what a melody played in ten minutes, taking up no idea, that was heard in the hours before,
            0..1.
        answers: whether anything is done about what is heard.
        left_out: parts that are not judged.
    """

    one_pitch: float = 60.0
    loop: float = 40.0
    empty: float = 25.0
    crowd: float = 40.0
    noise: float = 0.45
    repetition: float = 0.98
    answers: bool = True
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneHearing:
    """What a scene says of it; None: nothing, so that the installation's `Hearing` counts. See there."""

    one_pitch: float | None = None
    loop: float | None = None
    empty: float | None = None
    crowd: float | None = None
    noise: float | None = None
    repetition: float | None = None
    answers: bool | None = None
    left_out: tuple[str, ...] = ()

    def over(self, hearing: Hearing) -> Hearing:
        """What counts, where an installation says `hearing`."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(hearing, **{name: value for name, value in said.items() if value is not None})


@dataclass(frozen=True, slots=True)
class SoundHearing:
    """Limits of the sound; infinite: it may.

    Attributes:
        dead_air: seconds without sound while notes are played.
        tone: seconds of one steady tone, and nothing else.
        offset: of full scale, by which the middle of the wave may lie off zero over ten seconds.
        after: seconds of sound that are heard before its level is corrected, at the start and after each correction.
        louder: dB by which it is made louder at most, to come to the target.
        softer: dB by which it is made softer at most.
    """

    dead_air: float = 10.0
    tone: float = 120.0
    offset: float = 0.02
    after: float = 60.0
    louder: float = 6.0
    softer: float = 12.0
