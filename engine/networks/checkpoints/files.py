"""What lies behind a path: a bundle, a V1 or V2 checkpoint, a tar file, or the folder of a training."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import PerpetuumError
from engine.networks.checkpoints.archive import is_tar, read_members
from engine.networks.checkpoints.magenta_bundle import Graph, is_index, read_bundle
from engine.networks.checkpoints.saved_slices import SavedSlices
from engine.networks.checkpoints.table import is_table
from engine.networks.checkpoints.tensor_bundle import TensorBundle
from engine.networks.checkpoints.variables import VariableSource
from engine.networks.checkpoints.wire import MalformedError

WHAT_FITS = (
    "Give a .mag bundle, a MusicVAE .tar, or a TensorFlow checkpoint (its .index file, its prefix or its folder)."
)
_DAMAGED = "Fetch or copy the file once more; if it stays like this, it was damaged where it comes from."
_SHARD = ".data-{:05d}-of-{:05d}"
_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})\Z")
_ENDINGS = re.compile(r"(\.ckpt(-\d+)?|\.mag|\.tar|\.tar\.gz|\.tgz)+\Z")
_LONGEST_TITLE = 120
_STRANGERS = {
    b"PK\x03\x04": "a zip file",
    b"\x89HDF": "an HDF5 file, such as Keras writes",
    b"MThd": "a MIDI file",
    b"{": "a JSON file",
    b"\xfd7zX": "a file compressed with xz",
    b"7z\xbc\xaf": "a 7z file",
}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that is open, and its variables listed; numbers are read when they are asked for.

    Attributes:
        path: as it was given.
        container: what it lies in, for people: "Magenta bundle", "tar file" or "".
        source: its variables.
        files: the files that it consists of.
        generator: Magenta's config id, as a bundle tells it; "" elsewhere.
        description: by the one who made a bundle.
        names: names of files in it and around it, from which its config may be guessed.
        graph: what the graph of a bundle says.
    """

    path: Path
    container: str
    source: VariableSource
    files: tuple[Path, ...]
    generator: str = ""
    description: str = ""
    names: tuple[str, ...] = ()
    graph: Graph = field(default_factory=Graph)

    @property
    def format(self) -> str:
        """Container and format, for people."""
        return f"{self.container} with a {self.source.format}" if self.container else self.source.format

    @property
    def title(self) -> str:
        """What its file is called; "" where that says nothing, since TensorFlow calls every checkpoint "model.ckpt"."""
        stems = [_ENDINGS.sub("", name) for name in self.names]
        return next((stem[:_LONGEST_TITLE] for stem in stems if stem not in ("", "model")), "")

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(path.stat().st_size for path in self.files)

    def digest(self) -> str:
        """SHA-256 of its files, one after the other.

        Raises:
            PerpetuumError: they cannot be read any more.
        """
        digest = hashlib.sha256()
        try:
            for path in self.files:
                with path.open("rb") as file:
                    while chunk := file.read(2**20):
                        digest.update(chunk)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return digest.hexdigest()


def open_checkpoint(path: Path | str) -> Checkpoint:
    """Open a checkpoint and list its variables.

    Raises:
        PerpetuumError: there is none, or it is damaged or of another kind.
    """
    path = Path(path)
    try:
        return _open(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (MalformedError, MemoryError) as error:
        raise damaged(path, error) from error


def _unreadable(path: Path, error: OSError) -> PerpetuumError:
    return PerpetuumError(f"{path}: cannot be read ({error.strerror or error})")


def damaged(path: Path, error: Exception) -> PerpetuumError:
    """What to say when a file turns out not to be what it should be."""
    if isinstance(error, MemoryError):
        return PerpetuumError(f"{path}: there is not enough memory to read it", "Import it on a larger machine.")
    return PerpetuumError(f"{path}: not a readable checkpoint: {error}", _DAMAGED)


def _open(path: Path) -> Checkpoint:
    if path.is_dir():
        return _open(_latest(path))
    stem = path.with_name(_SUFFIX.sub("", path.name))
    if (_SUFFIX.search(path.name) or not path.is_file()) and _beside(stem, ".index").is_file():
        return _open_index(path, stem)
    if path.suffix == ".meta" and stem.is_file():
        path = stem
    if not path.is_file():
        raise PerpetuumError(f"{path}: no such checkpoint", WHAT_FITS)
    data = _mapped(path)
    if is_table(data):
        if is_index(data):
            raise PerpetuumError(
                f"{path}: the index of a V2 checkpoint, but not named like one",
                "Call it NAME.index, and its data files NAME.data-00000-of-00001 and so on.",
            )
        return Checkpoint(path, "", SavedSlices(data), (path,), names=(path.name,))
    if is_tar(data):
        return _open_tar(path, data)
    for begin, what in _STRANGERS.items():
        if bytes(data[: len(begin)]) == begin:
            raise PerpetuumError(f"{path}: {what}, not a checkpoint of Magenta", WHAT_FITS)
    try:
        bundle = read_bundle(data)
    except MalformedError as error:
        if path.suffix == ".mag":
            raise
        raise PerpetuumError(f"{path}: not a checkpoint of Magenta ({error})", WHAT_FITS) from None
    names = (path.name,)
    what = "Magenta bundle"
    return Checkpoint(path, what, bundle.source, (path,), bundle.generator, bundle.description, names, bundle.graph)


def _open_index(path: Path, stem: Path) -> Checkpoint:
    index = _beside(stem, ".index")
    files = [index]

    def open_shard(shard: int, count: int) -> memoryview:
        data = _beside(stem, _SHARD.format(shard, count))
        if not data.is_file():
            raise PerpetuumError(
                f"{index}: its data file {data.name} is not beside it", "Copy all files of the checkpoint."
            )
        files.append(data)
        return _mapped(data)

    source = TensorBundle(_mapped(index), open_shard)
    return Checkpoint(path, "", source, tuple(files), names=(stem.name,))


def _open_tar(path: Path, data: memoryview) -> Checkpoint:
    members = read_members(data)
    found = [name for name in members if name.endswith(".index")]
    if len(found) != 1:
        what = "no checkpoint (no .index file)" if not found else f"{len(found)} checkpoints"
        raise PerpetuumError(f"{path}: a tar file with {what} in it", "Unpack it, and import the checkpoint you want.")
    stem = found[0].removesuffix(".index")

    def open_shard(shard: int, count: int) -> memoryview:
        name = stem + _SHARD.format(shard, count)
        if name not in members:
            raise MalformedError(f"its data file {name} is missing")
        return members[name]

    source = TensorBundle(members[found[0]], open_shard)
    return Checkpoint(path, "tar file", source, (path,), names=(stem, path.name))


def _latest(folder: Path) -> Path:
    """The checkpoint of a folder: the one that TensorFlow's `checkpoint` file names, or the only one."""
    state = folder / "checkpoint"
    if state.is_file() and state.stat().st_size < 2**20:
        named = re.search(r'^model_checkpoint_path: "([^"\n]+)"', state.read_text("utf-8", "replace"), re.MULTILINE)
        # It may name a folder of the machine that it was trained on: only the file's name counts.
        if named and (name := Path(named[1]).name):
            latest = folder / name
            if latest.is_file() or _beside(latest, ".index").is_file():
                return latest
    found = sorted(_candidates(folder))
    if len(found) != 1:
        what = "no checkpoint" if not found else f"{len(found)} checkpoints"
        raise PerpetuumError(f"{folder}: a folder with {what} in it", "Name the file that you mean. " + WHAT_FITS)
    return found[0]


def _candidates(folder: Path) -> Iterator[Path]:
    for pattern in ("*.index", "*.mag", "*.tar"):
        yield from (path for path in folder.glob(pattern) if path.is_file())


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _mapped(path: Path) -> memoryview:
    """A file as bytes that are fetched when they are looked at."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise MalformedError(f"{path.name} is empty")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
