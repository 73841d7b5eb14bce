"""Kinds of music that networks are trained on: what is taken of a score, and how training varies it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.errors import PerpetuumError
from engine.networks.configs import CONFIGS
from engine.networks.vae.configs import HUMANIZE_TEMPO
from engine.score.drums import CLASSES
from engine.training.datasets.augmentation import Augmentation
from engine.training.datasets.filters import Filters, chosen, meter_names, programs
from engine.training.datasets.music.chorales import chorale_pieces, is_chorale
from engine.training.datasets.music.drums import drum_pieces, groove_pieces
from engine.training.datasets.music.ensembles import BEGUN, LINE, ensemble_pieces, is_ensemble
from engine.training.datasets.music.melodies import lead_sheet_pieces, melody_pieces
from engine.training.datasets.music.polyphony import performance_pieces, polyphony_pieces
from engine.training.datasets.music.trios import VOICES, is_trio, trio_pieces
from engine.training.datasets.pieces import STEPS_PER_BAR, DatasetPiece
from engine.training.datasets.score import Score, UnusableError


@dataclass(frozen=True)
class Kind:
    """A kind of music.

    Attributes:
        pieces: takes pieces out of a score, whose names are what comes behind the score's; counts what it drops, and
            raises `UnusableError` where there is nothing.
        meters: what it can be in; None for any.
        augmentation: how training varies it unless one says otherwise.
        transposes: there are keys, and instruments to choose.
        stretches: it keeps to no grid, so that there are no bars, and durations may be stretched.
        columns: of events [T, columns]; 1 for events [T], None for arrays of `NOTE`.
        values: least and greatest of events that are whole numbers.
        over_chords: pieces tell the chord at each step.
    """

    pieces: Callable[[Score, Filters, Counter[str]], Iterator[DatasetPiece]]
    meters: frozenset[tuple[int, int]] | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    transposes: bool = True
    stretches: bool = False
    columns: int | None = 1
    values: tuple[int, int] | None = None
    over_chords: bool = False

    def has(self, piece: DatasetPiece) -> bool:
        """Whether the events of a piece may be those of this kind of music."""
        events = piece.events
        if (events.dtype.names is not None) != (self.columns is None):
            return False
        if self.columns is not None and (events[0].size if len(events) else self.columns) != self.columns:
            return False
        if (
            self.values is not None
            and len(events)
            and not self.values[0] <= events.min() <= events.max() <= self.values[1]
        ):
            return False
        return piece.chords is not None or not self.over_chords


_AS_THEY_ARE = Augmentation(transpose=(0, 0))
_COMMON = frozenset({(4, 4), (2, 2), (2, 4)})
_MASKS, _PITCHES = (0, 511), (-2, 127)
KINDS = {
    "drums": Kind(drum_pieces, frozenset({(4, 4)}), _AS_THEY_ARE, transposes=False, values=_MASKS),
    "groove": Kind(groove_pieces, frozenset({(4, 4)}), _AS_THEY_ARE, transposes=False, columns=3 * len(CLASSES)),
    "melody": Kind(melody_pieces, _COMMON, values=_PITCHES),
    "lead_sheet": Kind(lead_sheet_pieces, _COMMON, values=_PITCHES, over_chords=True),
    "trio": Kind(trio_pieces, frozenset({(4, 4)}), columns=len(VOICES)),
    "ensemble": Kind(ensemble_pieces, _COMMON, columns=BEGUN + 1, over_chords=True),
    "polyphony": Kind(polyphony_pieces, columns=None),
    "chorale": Kind(chorale_pieces, None, Augmentation((-6, 6)), columns=4, values=_PITCHES),
    "performance": Kind(performance_pieces, None, Augmentation((-3, 3), (0.95, 1.05)), stretches=True, columns=None),
}
"""By name."""

CORPORA = {
    "drums_rnn": "drums",
    "melody_rnn": "melody",
    "improv_rnn": "lead_sheet",
    "polyphony_rnn": "polyphony",
    "chorale": "chorale",
    "ensemble": "ensemble",
    "performance_rnn": "performance",
    "cat-drums_2bar_small": "drums",
    "cat-mel_2bar_small": "melody",
    "trio_4bar": "trio",
    "groovae_2bar_humanize": "groove",
    HUMANIZE_TEMPO: "groove",
    "groovae_2bar_tap_fixed_velocity": "groove",
    "groovae_2bar_add_closed_hh": "groove",
}
"""What networks are trained on (a name in `KINDS`), by family or by the config's name."""


SEVERAL_SOFTMAXES = "performance_with_dynamics_and_note_encoding"
"""Its family can be trained, but its notes are six classes at once, and what is trained is one."""


def trainable() -> list[str]:
    """Names of the configs that can be trained."""
    known = (name for name, config in CONFIGS.items() if name in CORPORA or config.family in CORPORA)
    return sorted(name for name in known if name != SEVERAL_SOFTMAXES)


def corpus_of(config: str) -> str:
    """The kind of music that a config is trained on.

    Raises:
        PerpetuumError: its training is not known.
    """
    if config not in trainable():
        raise PerpetuumError(f"{config} cannot be trained here", f"These can: {', '.join(trainable())}.")
    return CORPORA.get(config) or CORPORA[CONFIGS[config].family]


def augmentation_of(config: str) -> Augmentation:
    """What training does with the music of a config unless one says otherwise."""
    return KINDS[corpus_of(config)].augmentation


def check_filters(kind: str, filters: Filters, augmentation: Augmentation) -> None:
    """Refuse what means nothing, or nothing for a kind of music.

    Raises:
        PerpetuumError: says which option, and why.
    """
    programs(filters.instruments)
    known, name = KINDS[kind], kind.replace("_", " ")
    if known.meters is not None and filters.meters is not None and not known.meters.issuperset(filters.meters):
        raise PerpetuumError(
            f"--meter {meter_names(filters.meters)}: networks for {name} know bars of sixteen sixteenths",
            f"Choose among {meter_names(known.meters)}.",
        )
    if not known.transposes and (filters.instruments or augmentation.transpose != (0, 0)):
        raise PerpetuumError(f"--instruments and --transpose mean nothing for {name}", "Leave them out.")
    if not known.stretches and augmentation.stretch != (1.0, 1.0):
        raise PerpetuumError(f"--stretch means nothing for {name}, which keeps to the grid", "Leave it out.")
    if known.stretches and (filters.min_bars, filters.max_bars, filters.min_on_grid) != (None, None, None):
        raise PerpetuumError(f"a {name} has no bars and no grid", "Leave out --min-bars, --max-bars and --min-on-grid.")


def take(kind: str, score: Score, filters: Filters) -> tuple[list[DatasetPiece], Counter[str]]:
    """The pieces of a kind of music that are in a score; their names are what comes behind the score's.

    Returns:
        The pieces, and how many were dropped for which reason.

    Raises:
        UnusableError: there are none.
    """
    known, dropped = KINDS[kind], Counter[str]()
    meters = filters.meters if filters.meters is not None else known.meters
    if meters is not None:
        signatures = score.signatures or ({(4, 4)} if score.is_played else set())
        others = signatures.difference(meters)
        if others:
            raise UnusableError(f"meter {meter_names(others)}" if len(others) == 1 else "several meters")
    found = []
    for piece in known.pieces(chosen(score, filters), filters, dropped):
        reason = _refused(piece, score, filters, known)
        if reason is None:
            found.append(piece)
        else:
            dropped[reason] += 1
    if not found:
        raise UnusableError(dropped.most_common(1)[0][0] if dropped else f"no {kind.replace('_', ' ')}")
    return found, dropped


def _refused(piece: DatasetPiece, score: Score, filters: Filters, kind: Kind) -> str | None:
    if unique_pitches(piece) < filters.min_unique_pitches:
        return f"fewer than {filters.min_unique_pitches} pitches"
    if kind.stretches:
        return None
    bars = bars_of(piece, score)
    if filters.min_bars is not None and bars < filters.min_bars:
        return f"shorter than {filters.min_bars} bars"
    if filters.max_bars is not None and bars > filters.max_bars:
        return f"longer than {filters.max_bars} bars"
    return None


def unique_pitches(piece: DatasetPiece) -> int:
    """How many different pitches occur in a piece; of drums, classes."""
    events = piece.events
    if events.dtype.names:
        return len(np.unique(events["pitch"]))
    if is_ensemble(events):
        events = events[:, LINE]
    if is_trio(events):
        events = events[:, :2]
    if is_chorale(events) or is_trio(piece.events):
        return len(np.unique(events[events >= 0]))
    if events.ndim > 1:
        return int(events[:, : events.shape[1] // 3].any(axis=0).sum())
    if (events < 0).any():
        return len(np.unique(events[events >= 0]))
    return int(np.bitwise_or.reduce(events)).bit_count()


def bars_of(piece: DatasetPiece, score: Score | None = None) -> int:
    """Length of a piece on a grid, in bars; of the score's first meter, where its events do not tell."""
    if not piece.events.dtype.names:
        return -(-len(piece.events) // STEPS_PER_BAR)
    _, top, bottom = score.meters[0] if score is not None and score.meters else (0.0, 4, 4)
    return math.ceil(float(piece.events["end"].max()) / (4 * top / bottom) - 1e-6)
