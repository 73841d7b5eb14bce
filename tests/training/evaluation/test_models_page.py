"""Facts about docs/models.md: every shipped weights file has its section there, with the figures of its card."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import assets
from engine.networks import read_card
from engine.training.evaluation.figures import FIGURES
from tests.cli.networks.test_evaluate import numbers_of, section_of

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
SHIPPED = sorted(assets.shipped("weights").glob("*.safetensors"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_page_has_a_section_with_the_figures_of_the_card(path):
    card, section = read_card(path), section_of(PAGE, path.stem)
    figures = {name: value for name, value in card.metrics.items() if name != "unit"}
    assert numbers_of(section) == figures
    for text in (card.licence, *card.credits, *card.training_data):
        assert text in section
    (picture,) = re.findall(r"\]\((models/[\w.-]+\.png)\)", section)
    assert 1_000 < (PAGE.parent / picture).stat().st_size < 60_000
    assert f"perpetuum evaluate {card.config} --weights {path.stem} --data DATA" in section


def test_the_page_has_no_section_of_what_is_not_shipped():
    named = re.findall(r"^<!-- model (\S+) -->$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == [name for name in named if name in {path.stem for path in SHIPPED}]


def test_what_the_page_explains_is_there():
    text = PAGE.read_text(encoding="utf-8").partition("<!-- model")[0]
    named = set(re.findall(r"`([a-z_]+)`", text)) & {name.strip("_") for name in FIGURES}
    assert {"network", "bigram", "chorale_frame", "chorale_frame_estimate", "sampled", "timing_kl"} <= named
