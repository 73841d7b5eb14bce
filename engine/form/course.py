# pyright: strict
"""The course of the form above the sections: wandering keys, movements, planned quiets. Pure functions of what was
drawn before, the seed, the number of the pass and the frame that it begins at.
"""

from __future__ import annotations

import numpy as np

from engine.form.position import FormCourse, Home, Movement, StoredKey
from engine.form.scene import Form, Modulation, Scene
from engine.form.seeds import derive_seed
from engine.form.shapes import SHAPES, Moment
from engine.score.harmony.keys import Key
from engine.score.harmony.relations import is_minor, parallel
from engine.score.time import SAMPLE_RATE
from engine.units import Range

_HOMEWARD = 0.35
"""How often the key comes home before it has gone as far as it may."""


def next_course(scene: Scene, before: FormCourse | None, closed: bool, seed: int, index: int, frame: int) -> FormCourse:
    """Where the form stands when a pass begins.

    Args:
        scene: what plays.
        before: where it stood when the pass before began; None at the start of a performance.
        closed: that pass was the closing section of its movement.
        seed: of the performance.
        index: of the pass.
        frame: that it begins at.
    """
    before = before or FormCourse()
    quiet = before.quiet
    form = scene.form
    if form is None or form.quiet is None:
        quiet = None
    elif quiet is None:
        quiet = frame + _drawn(form.quiet.every, seed, "quiet", index)
    return FormCourse(
        home=_home(scene, before.home, seed, index, frame),
        movement=_movement(scene.form, before.movement, closed, seed, index, frame),
        quiet=quiet,
    )


def after_a_quiet(form: Form, course: FormCourse, seed: int, index: int, frame: int) -> FormCourse:
    """The course once a planned quiet has been called for: the next one is due when its time has come again."""
    assert form.quiet is not None
    return course.model_copy(update={"quiet": frame + _drawn(form.quiet.every, seed, "quiet", index)})


def at_the_summit(course: FormCourse) -> FormCourse:
    """The course once the tutti of its movement has been called for."""
    assert course.movement is not None
    return course.model_copy(update={"movement": course.movement.model_copy(update={"summit": True})})


def progress(movement: Movement, frame: int) -> float:
    """Where a frame lies in a movement, 0..1."""
    return min(1.0, max(0.0, (frame - movement.begins) / movement.frames))


def intensity(course: FormCourse, frame: int, refrain: bool, time_of_day: float) -> float:
    """How full the form wants the music at a frame, 0..1; a half where there is no form."""
    movement = course.movement
    if movement is None or movement.shape not in SHAPES:
        return 0.5
    return SHAPES[movement.shape].intensity(Moment(progress(movement, frame), refrain, time_of_day))


def between(span: Range, intensity: float) -> float:
    """The value of a range at an intensity."""
    return span.low + intensity * (span.high - span.low)


def _drawn(span: Range, seed: int, word: str, index: int) -> int:
    """Frames out of a range of seconds."""
    rng = np.random.default_rng(derive_seed(seed, word, index))
    return round(float(rng.uniform(span.low, span.high)) * SAMPLE_RATE)


def _movement(
    form: Form | None, before: Movement | None, closed: bool, seed: int, index: int, frame: int
) -> Movement | None:
    if form is None:
        return None
    # Where there is a closing section, that ends a movement; where there is none, its time does.
    if before is not None and not closed and (form.closing is not None or frame < before.begins + before.frames):
        return before
    rng = np.random.default_rng(derive_seed(seed, "movement", index))
    names, weights = list(form.shapes), np.array(list(form.shapes.values()), float)
    # The same shape twice in a row is no change of shape.
    if before is not None and before.shape in names and len(names) > 1:
        weights[names.index(before.shape)] *= 0.25
    shape = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    frames = max(1, round(float(rng.uniform(form.movement.low, form.movement.high)) * SAMPLE_RATE))
    number = before.index + 1 if before is not None else 0
    return Movement(index=number, shape=shape, begins=frame, frames=frames, summit=False)


def _home(scene: Scene, before: Home | None, seed: int, index: int, frame: int) -> Home | None:
    modulation, written = scene.modulation, StoredKey.of(scene.key)
    if modulation is None:
        return None
    if before is None or before.written != written:
        moves = frame + _drawn(modulation.every, seed, "modulation", index)
        return Home(key=written, written=written, away=0, moves=moves)
    if frame < before.moves:
        return before
    rng = np.random.default_rng(derive_seed(seed, "home", index))
    homeward, drawn, wide = rng.random() < _HOMEWARD, rng.random() < 0.5, rng.random() < 0.5
    moves = frame + _drawn(modulation.every, seed, "modulation", index)
    if before.away >= modulation.within or (before.away and homeward):
        return Home(key=written, written=written, away=0, moves=moves, up=before.up)
    # A way keeps its direction, so that it does not lead home by itself, and the next one takes the other: else hours
    # come to be alike in their keys.
    up = drawn if before.up is None else before.up if before.away else not before.up
    key = _step(modulation, before.key.key, scene.key, up, wide)
    return Home(key=StoredKey.of(key), written=written, away=before.away + 1, moves=moves, up=up)


def _step(modulation: Modulation, key: Key, written: Key, up: bool, wide: bool) -> Key:
    """The next key of a walk from one key to another.

    Args:
        modulation: how it walks.
        key: where it stands.
        written: where it came from, whose mode it keeps where it can.
        up: whether the tonic rises.
        wide: whether it is the larger of two thirds.
    """
    if modulation.by == "fifths":
        return Key((key.tonic + (7 if up else 5)) % 12, key.mode)
    if modulation.by == "mediants":
        size = 4 if wide else 3
        return Key((key.tonic + (size if up else -size)) % 12, key.mode)
    # Thirds of the key: the tonic triads of both share two tones, and one of them is minor.
    other = written.mode if is_minor(key) != is_minor(written) else parallel(written).mode
    rise, fall = (3, -4) if is_minor(key) else (4, -3)
    return Key((key.tonic + (rise if up else fall)) % 12, other)
