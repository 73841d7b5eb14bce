"""The shipped instruments as files."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine import assets
from engine.sound.contract import INSTRUMENTS
from engine.sound.instruments.instrument_file import load_instrument
from engine.sound.instruments.samples import examine_sample
from engine.sound.settings import (
    DrumKitSettings,
    SamplerSettings,
    SampleUse,
    sample_files,
)

NAMES = sorted(assets.names("instruments"))


def test_every_built_in_kind_is_registered_under_its_own_name():
    for name, kind in INSTRUMENTS.kinds().items():
        assert kind.name == name
        assert kind.settings.model_fields["kind"].annotation.__args__ == (name,)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_instrument_is_valid_and_its_samples_are_there(name):
    path = assets.find("instruments", name)
    kind, settings = load_instrument(path)
    assert settings.kind == kind.name
    files = sample_files(settings, path.parent)
    for use in files:
        assert not examine_sample(use.path, use.semitones).silent
    assert bool(files) == (kind.name in ("sampler", "drum_kit"))
    if files:
        assert settings.credits


def test_every_kind_is_shown_by_a_shipped_instrument():
    kinds = {load_instrument(assets.find("instruments", name))[0].name for name in NAMES}
    assert kinds == set(INSTRUMENTS.names())


def test_the_samples_are_small_and_at_the_rate_of_the_engine():
    import soundfile

    files = sorted(assets.shipped("instruments").rglob("*.flac"))
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {soundfile.info(file).samplerate for file in files} == {48_000}


def test_no_sample_is_shipped_that_no_instrument_plays():
    folder = assets.shipped("instruments")
    used = set()
    for name in NAMES:
        path = assets.find("instruments", name)
        settings = load_instrument(path)[1]
        used |= {use.path.resolve() for use in sample_files(settings, path.parent)}
    assert {file.resolve() for file in folder.rglob("*.flac")} == used


def test_a_missing_sample_is_named_with_its_place_in_the_file():
    settings = DrumKitSettings.model_validate(
        {
            "perpetuum": 1,
            "kind": "drum_kit",
            "title": "t",
            "drums": {"kick": {"samples": ["a.flac", {"file": "b.flac"}]}},
        }
    )
    assert sample_files(settings, Path("/x")) == [
        SampleUse(("drums", "kick", "samples", 0, "file"), Path("/x/a.flac")),
        SampleUse(("drums", "kick", "samples", 1, "file"), Path("/x/b.flac")),
    ]


def test_an_unknown_drum_is_an_error_that_lists_the_drums():
    with pytest.raises(ValidationError, match="kick, snare"):
        DrumKitSettings.model_validate(
            {"perpetuum": 1, "kind": "drum_kit", "title": "t", "drums": {"kik": {"samples": "a.flac"}}}
        )


def test_a_velocity_that_no_sample_plays_is_an_error():
    with pytest.raises(ValidationError, match="velocity 101"):
        SamplerSettings.model_validate(
            {
                "perpetuum": 1,
                "kind": "sampler",
                "title": "t",
                "samples": [{"file": "a.flac", "pitch": "C4", "high": 100}],
            }
        )
