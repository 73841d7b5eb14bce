# pyright: strict
"""Files of any kind that `check` takes, and installations: read, or all that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.scenes.instruments.files import Instruments, is_instrument
from engine.scenes.loading import Checked, look_into, read_tree
from engine.scenes.schema.models import SceneFile
from engine.scenes.text.diagnostics import Diagnostic
from engine.scenes.text.nodes import MapNode, Node
from engine.scenes.text.problems import Severity
from engine.scenes.text.source import SourceFile

if TYPE_CHECKING:  # what only an installation needs is imported once there is one: most files are scenes
    from engine.installation.installation import Installation
    from engine.installation.reading.entries import NamedScenes


@dataclass(frozen=True)
class CheckedFile(Checked):
    """What became of a file of any kind.

    Attributes:
        kind: "scene", "instrument" or "installation".
        installation: None if the file is not valid, or is something else.
    """

    kind: str = "scene"
    installation: Installation | None = None


def read_installation(
    path: Path,
    pipes: bool = False,
    instruments: Instruments | None = None,
    scenes: dict[Path, Checked | None] | None = None,
) -> tuple[Installation | None, list[Diagnostic]]:
    """Read an installation file, and look into all scenes that it names.

    Args:
        path: of the file.
        pipes: it may also be a pipe.
        instruments: what has been looked into so far.
        scenes: the same; those that this installation names are added.

    Returns:
        (installation, diagnostics): the installation is None if any diagnostic is an error, also one of a scene.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    from engine.installation.reading.entries import NamedScenes

    source, node = read_tree(path, pipes)
    checked = look_into_installation(
        source, node, NamedScenes(instruments or Instruments(), {} if scenes is None else scenes)
    )
    return checked.installation, checked.diagnostics


def check_file(path: Path, instruments: Instruments, pipes: bool = False, data: bytes | None = None) -> CheckedFile:
    """Look into one file; what it holds says of which kind it is.

    Args:
        path: of the file.
        instruments: what has been looked into so far.
        pipes: it may also be a pipe.
        data: bytes that are to lie there; None: those that do.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source, node = read_tree(path, pipes, data)
    if isinstance(node, MapNode) and not is_instrument(node) and not _is_plainly_a_scene(node):
        from engine.installation.reading.entries import NamedScenes
        from engine.installation.reading.file import kinds_of

        of_scenes, of_installations = kinds_of(node)
        if of_scenes and len(of_scenes) == len(of_installations):
            source.error(
                node.key(of_installations[0]).span,
                f"this could be a scene (`{of_scenes[0]}`) or an installation (`{of_installations[0]}`)",
                "the keys of one of them",
                hint="a scene has `parts` and `sections`, an installation has `scenes`",
            )
            return CheckedFile(source.path, None, source.found)
        if len(of_installations) > len(of_scenes):
            return look_into_installation(source, node, NamedScenes(instruments, {}))
    kind = "instrument" if node is not None and is_instrument(node) else "scene"
    checked = look_into(source, node, instruments)
    return CheckedFile(checked.path, checked.scene, checked.diagnostics, kind)


def _is_plainly_a_scene(node: MapNode) -> bool:
    return "parts" in node.entries and all(name in SceneFile.model_fields for name in node.entries)


def look_into_installation(source: SourceFile, node: Node | None, scenes: NamedScenes) -> CheckedFile:
    """What is found in an installation file.

    Args:
        source: the file.
        node: what stands in it; None where that cannot be read.
        scenes: what has been looked into so far.
    """
    from engine.installation.reading.file import read_file

    installation = None
    if isinstance(node, MapNode):
        installation = read_file(source, node, scenes)
    elif node is not None:
        source.error(node.span, "an installation must be a mapping", "keys and values; the first is `perpetuum: 1`")
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    found += [one for one in scenes.found if one not in found]
    if any(one.severity is Severity.ERROR for one in found):
        installation = None
    return CheckedFile(source.path, None, found, "installation", installation)
