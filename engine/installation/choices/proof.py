# pyright: strict
"""How an installation finds out whether its sound gets through: the mixer is held and watched, a microphone listens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MixerChoice:
    """The mixer between the output and the loudspeaker. It is always watched.

    Attributes:
        level: per cent at which it is held; None: it is never touched.
        restore: whether it is put back when somebody changes it, and not only at the start.
        control: the one control of a bare card that counts; empty: all that are on the way out.
    """

    level: float | None = None
    restore: bool = True
    control: str = ""


@dataclass(frozen=True, slots=True)
class ProofChoices:
    """What is watched behind the output.

    Attributes:
        mixer: how.
        microphone: source that hears the room; empty for none.
    """

    mixer: MixerChoice = MixerChoice()
    microphone: str = ""
