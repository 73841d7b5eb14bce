"""Every limit that a setting prints is itself accepted, and what lies a little beyond it is not."""

import itertools
from decimal import Decimal

import pytest
from pydantic import BaseModel, TypeAdapter

from engine import units
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.scenes.schema import models
from engine.scenes.schema.validation import _inner_model
from engine.sound.contract import INSTRUMENTS
from engine.units import Unit, parse, written
from tests.scenes.writing import load_text, only_error, spoiled


def models_within(model, seen=None):
    """A model and all that stand in it."""
    seen = {} if seen is None else seen
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            inner = _inner_model(field.annotation)
            if inner is not None:
                models_within(inner, seen)
    return list(seen)


def all_models():
    kinds = [kind.settings for registry in (GENERATORS, TRANSFORMS, INSTRUMENTS) for kind in registry.kinds().values()]
    own = [one for one in vars(models).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    return list(dict.fromkeys(itertools.chain.from_iterable(models_within(one) for one in [*kinds, *own])))


def measures():
    """(model, setting, unit, lowest, highest) of every setting in a unit."""
    for model in all_models():
        for name, field in model.model_fields.items():
            unit = next((one for one in field.metadata if isinstance(one, Unit)), None)
            if unit is None:
                continue
            low = max([unit.low, *(one.ge for one in field.metadata if hasattr(one, "ge"))])
            high = min([unit.high, *(one.le for one in field.metadata if hasattr(one, "le"))])
            yield pytest.param(field, unit, low, high, id=f"{model.__name__}.{name}")


@pytest.mark.parametrize(("field", "unit", "low", "high"), measures())
def test_a_setting_takes_both_ends_of_its_range_as_they_are_printed(field, unit, low, high):
    adapter = TypeAdapter(field.rebuild_annotation())
    if field.rebuild_annotation() == models.Feedback:
        high = 0.95
    if field.rebuild_annotation() == models.ReverbTime:
        low, high = 0.1, 20
    for end in (low, high):
        value = adapter.validate_python(written(end, unit))
        assert getattr(value, "low", value) == end


@pytest.mark.parametrize("unit", [one for one in vars(units).values() if isinstance(one, Unit)], ids=lambda u: u.noun)
def test_a_value_is_the_float_nearest_to_what_is_written(unit):
    for spelling, factor in unit.factors.items():
        for hundredths in range(0, 10_001, 100 if unit.whole else 1):
            text = f"{hundredths // 100}.{hundredths % 100:02d}"
            try:
                found = parse(f"{text} {spelling}", unit)
            except ValueError:
                continue
            exact = Decimal(text) * Decimal(str(factor))
            assert found == float(exact)


@pytest.mark.parametrize(("text", "fine"), [("95 %", True), ("95.0 %", True), ("95.01 %", False), ("0 %", True)])
def test_the_feedback_of_a_delay_ends_at_its_printed_limit(tmp_path, text, fine):
    scene, found = load_text(tmp_path, spoiled(("feedback: 35 %", f"feedback: {text}")))
    assert (scene is not None) is fine, [one.text() for one in found]


@pytest.mark.parametrize("text", ["9" * 5000 + " %", "1/" + "9" * 5000 + " s", "9" * 60 + " Hz", "1/0 dB"])
def test_endless_numbers_are_refused_in_words(text):
    with pytest.raises(ValueError, match=r"write it like|out of range|divides by zero"):
        parse(
            text,
            next(
                unit
                for unit in (units.PERCENT, units.SECONDS, units.HERTZ, units.DECIBELS)
                if text.split()[-1] in unit.factors
            ),
        )


SPELLINGS = {
    "tempo: 84..92 qpm": [
        ("tempo: 120 bpm", "120 qpm"),
        ("tempo: 120 BPM", "120 qpm"),
        ("tempo: 80..90 bpm", "80..90 qpm"),
    ],
    "key: D dorian": [
        ("key: Am", "A minor"),
        ("key: Cmaj", "C major"),
        ("key: F#m", "F# minor"),
        ("key: a-moll", "A minor"),
        ("key: Cis-Moll", "C# minor"),
        ("key: H-Dur", "B major"),
        ("key: B-Dur", "Bb major"),
        ("key: Es-Dur", "Eb major"),
        ("key: C sharp minor", "C# minor"),
        ("key: Bbmaj", "Bb major"),
        ("key: Dm", "D minor"),
        ("key: D-dorian", "D dorian"),
    ],
    "level: -14 dB": [("level: -14 db", "-14 dB")],
    "time: 4 s": [("time: 4 sec", "4 s")],
    "brightness: 30 %": [("brightness: 30 percent", "30 %")],
}


@pytest.mark.parametrize(
    ("right", "wrong", "meant"), [(right, *pair) for right, pairs in SPELLINGS.items() for pair in pairs]
)
def test_another_spelling_suggests_ours_which_is_valid(tmp_path, right, wrong, meant):
    error = only_error(tmp_path, spoiled((right, wrong)))
    assert error.suggestion == meant
    scene, _ = load_text(tmp_path, spoiled((right, f"{right.split(':')[0]}: {meant}")))
    assert scene is not None


def test_what_is_no_key_suggests_none(tmp_path):
    assert only_error(tmp_path, spoiled(("key: D dorian", "key: hello"))).suggestion == ""


def test_bb_alone_is_b_flat_major(tmp_path):
    scene, _ = load_text(tmp_path, spoiled(("key: D dorian", "key: Bb")))
    assert scene is not None
    assert str(scene.key) == "Bb major"
