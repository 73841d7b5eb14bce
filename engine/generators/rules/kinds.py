"""The rules that come with the engine, and which of them stands in for a role."""

from __future__ import annotations

from engine.generators.contract import GeneratorKind, Role
from engine.generators.rules.arpeggio import ARPEGGIO
from engine.generators.rules.bass_line import BASS_LINE
from engine.generators.rules.canon import CANON
from engine.generators.rules.drum_rules import DRUM_RULES
from engine.generators.rules.harmony.chord_walk import CHORD_WALK
from engine.generators.rules.melody_rules import MELODY_RULES
from engine.generators.rules.patterns.pattern import PATTERN
from engine.generators.rules.pedal import PEDAL

BUILT_IN_RULES: tuple[GeneratorKind, ...] = (
    CHORD_WALK,
    BASS_LINE,
    MELODY_RULES,
    ARPEGGIO,
    DRUM_RULES,
    PATTERN,
    CANON,
    PEDAL,
)
"""The rule-based kinds that come with the engine."""

_RULES: dict[Role, GeneratorKind] = {
    Role.DRUMS: DRUM_RULES,
    Role.MELODY: MELODY_RULES,
    Role.CHORDS: CHORD_WALK,
    Role.BASS: BASS_LINE,
}


def rules_for(role: Role) -> GeneratorKind:
    """The rule-based kind that can always stand in for a role."""
    return _RULES[role]
