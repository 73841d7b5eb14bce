"""Snapshots and events for tests of health."""

from dataclasses import replace

from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.events.vocabulary import PhraseDecided, SoundMeasured
from engine.score.harmony.keys import Key
from engine.score.phrase import Origin, Phrase, Provenance

SOUND = HealthSnapshot(
    at=1_800_000_000.0,
    monotonic=1000.0,
    expected=True,
    muted=False,
    alarm=False,
    scene="still_water",
    level=FallbackLevel.NONE,
    stations=(("sealed", 480_000), ("rendered", 130_000), ("taken", 96_000)),
    late=(),
    ahead=8.0,
    silent=0.0,
    peak=0.4,
    lost="",
    saved=1_799_999_990.0,
    processes=(),
)
"""All is well."""


def after(snapshot, seconds, **more):
    """How it is some seconds later."""
    return replace(snapshot, at=snapshot.at + seconds, monotonic=snapshot.monotonic + seconds, **more)


def decided(generator="melody_rnn", seconds=0.03, rung="networks"):
    phrase = Phrase.empty(4.0, Provenance(generator, Origin.NETWORK))
    return PhraseDecided("lead", 0, 0, 1, 5, rung, "", seconds, phrase, phrase, Key())


def measured(short_term):
    """A second of sound that is so loud, in LUFS; None for silence."""
    return SoundMeasured(48_000, (0.01,) * 10, short_term, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
