# pyright: strict
"""A copy of an installation that plays to the null sink, whose files may be broken."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from engine import assets
from engine.errors import PerpetuumError

LEFT_OUT = (
    "hours", "exceptions", "outside", "restart", "alarm", "quiet", "notices", "followers", "unknown_time", "fades",
    "amplifier", "buttons", "log", "mqtt", "pool",
)  # fmt: skip
"""What would make it silent, louder or less, or write, listen, call or switch something, without any fault."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy.

    Attributes:
        file: of the installation.
        scenes: files of its scenes, in their order.
    """

    file: Path
    scenes: tuple[Path, ...]


def copy_installation(file: Path, folder: Path, sink: str, state: Path) -> Copied:
    """Copy an installation and its scenes.

    Args:
        file: of the installation.
        folder: for the copies; made here.
        sink: name of the null sink.
        state: its state folder.

    Raises:
        PerpetuumError: it is no installation.
    """
    folder.mkdir()
    yaml = YAML(typ="safe", pure=True)
    try:
        data: Any = yaml.load(file)  # pyright: ignore[reportUnknownMemberType]
    except Exception as error:
        raise PerpetuumError(f"{file} cannot be read: {error}", "`perpetuum check` says what is wrong") from error
    if not isinstance(data, dict) or not isinstance(cast("dict[str, Any]", data).get("scenes"), Mapping):
        raise PerpetuumError(f"{file} is no installation", "`perpetuum check` says what is wrong")
    content = cast("dict[str, Any]", data)
    for name in LEFT_OUT:
        content.pop(name, None)
    content["output"] = {"kind": "device", "argument": sink}
    content["state"] = str(state)
    content["listen"] = {"control": [], "health": []}
    scenes: dict[Path, Path] = {}  # copies, and what they are copies of
    entries = cast("dict[str, dict[str, Any] | None]", content["scenes"])
    for name, entry in list(entries.items()):
        named = str((entry or {}).get("file", name))
        found = assets.find("scenes", named, beside=file.parent)
        if found is None:
            raise PerpetuumError(f"{file} names the scene {named}, which is not there")
        copy = folder / f"{name}.yaml"
        shutil.copyfile(found, copy)
        scenes[copy] = found
        entries[name] = {**(entry or {}), "file": str(copy)}
    target = folder / "installation.yaml"
    with target.open("w") as out:
        yaml.dump(content, out)  # pyright: ignore[reportUnknownMemberType]
    # What a scene names lies beside it: instruments, MIDI files. Only now, so that nothing is copied through a link.
    for found in scenes.values():
        for other in found.parent.iterdir():
            with suppress(FileExistsError):
                (folder / other.name).symlink_to(other.absolute())
    return Copied(target, tuple(scenes))
