"""Every example of docs/samples.md does what the page says."""

import re
import shlex
from pathlib import Path

import pytest
import soundfile

from engine.sound.instruments.instrument_file import load_instrument
from tests.timbres.samples.tones import RATE, tone

PAGE = (Path(__file__).parents[3] / "docs" / "samples.md").read_text("utf-8")
EXAMPLES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_makes_an_instrument(perpetuum, here, example):
    words = shlex.split(example)
    assert words[0] == "perpetuum"
    for word in words:
        if match := re.search(r"(\w+)\.wav$", word):
            high = 12 * match[0].endswith("C5.wav")
            soundfile.write(f"{match[1]}.wav", tone(60 + high, 0.7, decay=10.0), RATE)
    code, said, complained = perpetuum(*words[1:])
    assert (code, complained) == (0, "")
    name = words[words.index("-o") + 1]
    assert f"`instrument: {name}/`" in said
    load_instrument(here / name / "instrument.yaml")


def test_the_page_shows_each_option_but_those_that_need_no_example():
    shown = set(re.findall(r"--\w+", PAGE))
    assert shown >= {
        "--root",
        "--sides",
        "--transpose",
        "--longest",
        "--attack",
        "--release",
        "--drum",
        "--from",
        "--force",
    }
