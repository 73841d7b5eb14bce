"""The one place that knows where scenes, instruments and weights lie: in a checkout, an editable install or a wheel.

A file given by its path always wins; a bare name is looked up in the folders of the user (``PERPETUUM_PATH``, a list of
folders like ``PATH``, each with ``scenes/``, ``installations/``, ``instruments/`` or ``weights/`` inside), then in what
is shipped.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from engine.errors import PerpetuumError
from engine.files import is_standard_input

PACKAGE = Path(__file__).resolve().parent
CHECKPOINT_SUFFIXES = (".mag", ".tar", ".tar.gz", ".tgz", ".index", ".ckpt")
"""Checkpoints of Magenta that can be named by their path wherever weights are named."""

FOLDER_FILE = "instrument.yaml"
"""The instrument in a folder that has its samples beside it; the folder's name is the instrument's."""

_SCENE_ENDINGS = (".yaml", ".yml")


def exists(path: Path | str) -> bool:
    """Whether there is something at a path. A text that cannot be one, such as a long one, names nothing."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path | str) -> bool:
    """Whether there is a regular file at a path; see `exists`."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path | str) -> bool:
    """Whether there is a folder at a path; see `exists`."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def shipped(kind: str) -> Path:
    """Folder of the shipped assets of one kind: "scenes", "installations", "instruments" or "weights"."""
    if kind == "weights":
        return PACKAGE / "weights"
    in_wheel = PACKAGE / "data" / kind
    return in_wheel if in_wheel.is_dir() else PACKAGE.parent / kind


def is_shipped(path: Path) -> bool:
    """Whether a file is one of those that came with the engine, which its tests have looked into."""
    return exists(path) and any(path.resolve().is_relative_to(shipped(kind)) for kind in ("instruments", "weights"))


def folders(kind: str) -> Iterator[Path]:
    """The folders that are searched for a kind of asset, in order; only those that exist."""
    for root in os.environ.get("PERPETUUM_PATH", "").split(os.pathsep):
        if root and is_folder(Path(root) / kind):
            yield Path(root) / kind
    if is_folder(shipped(kind)):
        yield shipped(kind)


def own_folder(kind: str) -> Path:
    """Where the user's own assets of a kind go: the first folder of ``PERPETUUM_PATH``, or else this one."""
    first = os.environ.get("PERPETUUM_PATH", "").split(os.pathsep)[0]
    return Path(first) / kind if first else Path()


def names(kind: str, suffix: str = ".yaml") -> dict[str, Path]:
    """Every asset of a kind by its name (file name without suffix); earlier folders hide later ones.

    Only files: a folder, FIFO or device of such a name is none, nor is a link that leads nowhere. An instrument may
    also be a folder with `FOLDER_FILE` in it.
    """
    found: dict[str, Path] = {}
    for folder in folders(kind):
        for name, path in _names_in(kind, folder, suffix).items():
            found.setdefault(name, path)
    return found


def shipped_names(kind: str, suffix: str = ".yaml") -> dict[str, Path]:
    """What is shipped of a kind, by name; see `names`."""
    return _names_in(kind, shipped(kind), suffix)


def _names_in(kind: str, folder: Path, suffix: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    try:
        listed = sorted(folder.iterdir())
    except OSError:  # no permission, or gone since
        return found
    for path in listed:
        stem = path.name.removesuffix(suffix)
        if stem not in ("", path.name) and is_file(path):
            found[stem] = path
        elif kind == "instruments" and not path.name.startswith(".") and is_file(path / FOLDER_FILE):
            found.setdefault(path.name, path / FOLDER_FILE)
    return found


def name_of(path: Path) -> str:
    """What scenes call an instrument by: the name of its file without suffix, or that of its folder."""
    return path.parent.name if path.name == FOLDER_FILE else path.stem


def hidden_by(kind: str, path: Path) -> Path | None:
    """The shipped file whose name a file of the user has, so that its bare name means the user's; or None.

    Args:
        kind: "scenes", "installations", "instruments" or "weights".
        path: of the file; it need not be there yet.
    """
    name = name_of(path) if kind == "instruments" else path.stem
    hidden = next(filter(is_file, _spellings(kind, shipped(kind), name, path.suffix)), None)
    return hidden if hidden is not None and path.resolve() != hidden.resolve() else None


def find(kind: str, name: str, suffix: str = ".yaml", beside: Path | None = None) -> Path | None:
    """The file of an asset, or None.

    Args:
        kind: "scenes", "installations", "instruments" or "weights".
        name: a bare name ("warm_pad"), or a path; a relative path is taken from `beside` first, then from here.
        suffix: suffix of a bare name.
        beside: folder of the file that names the asset.
    """
    is_weights = kind == "weights"
    if "/" in name or name.endswith((suffix, *CHECKPOINT_SUFFIXES) if is_weights else suffix):
        # TensorFlow means a checkpoint by the prefix of its files' names.
        more = f"{name}.index" if is_weights else f"{name}/{FOLDER_FILE}" if kind == "instruments" else name
        bases = ([beside] if beside else []) + [Path()]
        return next((base / spelling for base in bases for spelling in (name, more) if is_file(base / spelling)), None)
    within = [*([beside] if beside else []), *folders(kind)] if name else []
    spelt = (path for folder in within for path in _spellings(kind, folder, name, suffix))
    return next(filter(is_file, spelt), None)


def _spellings(kind: str, folder: Path, name: str, suffix: str) -> list[Path]:
    """Where the asset that a bare name means may lie in a folder, in order."""
    file = folder / f"{name}{suffix}"
    return [file, folder / name / FOLDER_FILE] if kind == "instruments" else [file]


def scene(name: str) -> Path:
    """The scene file that a command line names; see `named`."""
    return named(name, "scenes")


def installation(name: str) -> Path:
    """The installation file that a command line names; see `named`."""
    return named(name, "installations")


def named(name: str, *kinds: str) -> Path:
    """The file that a command line names: a path, a bare name that is known, or a path without its ending.

    Names in the user's folders and of what is shipped come before files that lie here.

    Args:
        name: as it was written.
        kinds: "scenes" or "installations", or both, those that come first first.

    Raises:
        PerpetuumError: there is no such file; the hint says what was meant, or lists the names that are known.
    """
    path = Path(name)
    if is_standard_input(name) or (exists(path) and not is_folder(path)):
        return path
    if found := next(filter(None, (find(kind, name) for kind in kinds)), None) or beside_me(name):
        return found
    if exists(path):
        raise PerpetuumError(f"cannot read {name}: it is a folder", "give the path of a YAML file")
    known = [one for kind in kinds for one in names(kind)]
    near = difflib.get_close_matches(name, [*known, *_here(path)], 1)
    raise PerpetuumError(
        f"no {' or '.join(kind.removesuffix('s') for kind in kinds)} file {name!r}",
        f"did you mean {near[0]}?" if near else f"give the path of a YAML file, or one of: {', '.join(known)}",
    )


def is_scene(name: str) -> bool:
    """Whether a command line can name a scene like this."""
    try:
        return bool(scene(name))
    except PerpetuumError:
        return False


def beside_me(name: str) -> Path | None:
    """The YAML file that a path without its ending means, like `evening` for evening.yaml; or None."""
    return next((Path(f"{name}{ending}") for ending in _SCENE_ENDINGS if is_file(f"{name}{ending}")), None)


def _here(path: Path) -> list[str]:
    """The YAML files in the folder of a path, as a command line names them: with and without their endings."""
    try:
        found = [one for one in sorted(path.parent.iterdir()) if one.suffix in _SCENE_ENDINGS and is_file(one)]
    except (OSError, ValueError):
        return []
    return [str(one) for one in found] + [str(one.with_suffix("")) for one in found]
