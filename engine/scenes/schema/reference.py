# pyright: strict
"""Tables of all settings, in Markdown, made from the models that `check` uses."""

from __future__ import annotations

from collections.abc import Container

from pydantic import BaseModel

from engine.generators.contract import GENERATORS, TRANSFORMS, TransformSettings
from engine.scenes.schema.form import FormFile, ModulationFile, PlannedQuietFile
from engine.scenes.schema.json_schema import sentence, settings_table
from engine.scenes.schema.models import (
    DelayFile,
    EarFile,
    MixFile,
    PartFile,
    ReverbFile,
    SceneFile,
    SectionFile,
    Sends,
    TimbreFile,
)
from engine.timbres.contract import TIMBRES

_OWN: dict[str, type[BaseModel]] = {
    "A scene": SceneFile,
    "A part": PartFile,
    "`instrument` of a part, of a timbre": TimbreFile,
    "`sends` of a part": Sends,
    "A section": SectionFile,
    "`modulation`": ModulationFile,
    "`form`": FormFile,
    "`quiet` of the form": PlannedQuietFile,
    "`mix`": MixFile,
    "`reverb` of the mix": ReverbFile,
    "`delay` of the mix": DelayFile,
    "`ear`": EarFile,
}


def settings_reference() -> str:
    """A page with a table of the settings of the scene's own keys, and of every generator and transform."""
    lines = [
        "# Settings of scenes",
        "",
        "Made by `perpetuum schema --settings`; [scene-language.md](scene-language.md) is the page to read first.",
        "",
    ]
    for title, model in _OWN.items():
        lines += [f"## {title}", "", *table(model), ""]
    generators = GENERATORS.kinds()
    lines += [
        "## Generators",
        "",
        "Any generator may also have `chords` (another part, or chords like `Am F C G` and `i VI III VII`), `rhythm` "
        "and `primer`.",
        "",
    ]
    for name, kind in generators.items():
        takes = ", ".join(f"`{link}`" for link in sorted(kind.takes)) or "nothing"
        facts = [f"Plays {', '.join(kind.roles)}.", f"Listens to {takes}."]
        if kind.network:
            facts.append("A neural network.")
        lines += [f"### {name}", "", sentence(kind.summary), " ".join(facts), "", *table(kind.settings), ""]
    lines += [
        "## Timbres",
        "",
        "Where a part names its `instrument`, a mapping of `kind`, `stand_in` and these.",
        "",
    ]
    for name, timbre in TIMBRES.kinds().items():
        lines += [f"### {name}", "", sentence(timbre.summary), "", *table(timbre.settings), ""]
    transforms = TRANSFORMS.kinds()
    lines += ["## Transforms", "", "Where a transform acts, any of them can be told:", ""]
    lines += [*table(TransformSettings), ""]
    for name, kind in transforms.items():
        short = [f"A bare value is `{kind.shorthand}`."] if kind.shorthand else []
        short += ["A neural network."] if kind.network else []
        lines += [f"### {name}", "", sentence(kind.settings.__doc__ or kind.summary), *short, ""]
        lines += [*table(kind.settings, TransformSettings.model_fields), ""]
    return "\n".join(lines).rstrip() + "\n"


def table(model: type[BaseModel], without: Container[str] = ()) -> list[str]:
    """The settings of a model, but for some, as lines of a table in Markdown."""
    lines = ["| setting | without it | values | what it is |", "| --- | --- | --- | --- |"]
    for row in settings_table(model, without):
        without = "must be there" if row.required else f"`{row.default}`" if row.default else ""
        lines.append(f"| `{row.name}` | {without} | {row.values} | {sentence(row.description)} |".replace("  ", " "))
    return lines
