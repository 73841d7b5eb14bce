"""Facts about reading checkpoints that Magenta's own code wrote, and their round trip."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from engine.errors import PerpetuumError
from engine.networks.checkpoints import open_checkpoint
from tests.networks.checkpoints import writing

FIXTURES = Path(__file__).parent / "fixtures"
REFERENCE = Path(os.environ["PERPETUUM_REFERENCE"]) if "PERPETUUM_REFERENCE" in os.environ else None
CHECKPOINTS = sorted(path for path in FIXTURES.iterdir() if path.suffix in (".mag", ".tar", ".index"))
# Biases that the reference run moved, so that its music is neither silence nor noise: (generator or file, name) -> how.
_MOVED = {
    ("polyphony", "fully_connected/biases"): lambda bias, nade: bias[2:3].__iadd__(5),
    ("rnn-nade", "decoder/dense/bias"): lambda bias, nade: bias[nade:].__isub__(2),
    ("nade-drums", "decoder/output_projection/bias"): lambda bias, nade: bias[-61:].__isub__(2),
    ("groovae", "decoder/output_projection/bias"): lambda bias, nade: bias[:9].__isub__(1.5),
}


def reference_weights(path: Path, generator: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The weights that the reference run made up: normal numbers seeded by the crc32 of the variable's name."""
    weights = {}
    for name, shape in shapes.items():
        numbers = np.random.RandomState(crc32(name.encode())).randn(*shape)
        weights[name] = (numbers * (1.6 / np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 0.3)).astype(np.float32)
        for (what, moved), move in _MOVED.items():
            if name == moved and what in (generator or str(path).replace("_", "-")):
                move(weights[name], shapes.get("nade/w_enc", (0,))[-1])
    return weights


def floats(source) -> dict[str, tuple[int, ...]]:
    return {name: one.shape for name, one in source.variables.items() if one.dtype == "float32"}


def check_against_the_rule(path: Path) -> None:
    checkpoint = open_checkpoint(path)
    shapes = floats(checkpoint.source)
    expected = reference_weights(path, checkpoint.generator, shapes)
    read = checkpoint.source.read(shapes)
    assert set(read) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(read[name], value, err_msg=name)


@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.name)
def test_a_checkpoint_of_magenta_is_read_bit_for_bit(path):
    check_against_the_rule(path)


@pytest.mark.skipif(REFERENCE is None, reason="PERPETUUM_REFERENCE is not set")
def test_every_checkpoint_of_the_reference_is_read_bit_for_bit():
    assert REFERENCE is not None
    paths = [*REFERENCE.glob("checkpoints/*/*.mag"), *REFERENCE.glob("checkpoints/*/*.tar")]
    paths += REFERENCE.glob("checkpoints/*__small/*.index")
    assert len(paths) > 60
    for path in paths:
        check_against_the_rule(path)


@pytest.mark.models
@pytest.mark.parametrize("path", CHECKPOINTS, ids=lambda path: path.name)
def test_tensorflow_reads_the_same(path, tmp_path):
    checkpoint = open_checkpoint(path)
    if path.suffix == ".mag":
        from note_seq.protobuf import generator_pb2

        bundle = generator_pb2.GeneratorBundle.FromString(path.read_bytes())
        assert checkpoint.generator == bundle.generator_details.id
        assert checkpoint.description == bundle.bundle_details.description
        prefix = tmp_path / "model.ckpt"
        prefix.write_bytes(bundle.checkpoint_file[0])
    elif path.suffix == ".tar":
        import tarfile

        with tarfile.open(path) as archive:
            archive.extractall(tmp_path, filter="data")
        prefix = next(tmp_path.rglob("*.index")).with_suffix("")
    else:
        prefix = path.with_suffix("")
    _compare_with_tensorflow(prefix, checkpoint.source)


@pytest.mark.models
@pytest.mark.skipif(REFERENCE is None, reason="PERPETUUM_REFERENCE is not set")
def test_tensorflow_reads_the_same_from_a_training_with_optimizer_slots():
    folder = REFERENCE / "checkpoints/trained__drum_kit/train"
    _compare_with_tensorflow(folder / "model.ckpt-30", open_checkpoint(folder).source)


@pytest.mark.models
def test_tensorflow_reads_what_our_tests_write(tmp_path):
    variables = {"a/b": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.array(30, np.int64)}
    path = writing.write_v2(tmp_path, "made", variables)
    _compare_with_tensorflow(tmp_path / "made", open_checkpoint(path).source)


def _compare_with_tensorflow(prefix: Path, source) -> None:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(prefix))
    assert {name: list(one.shape) for name, one in source.variables.items()} == reader.get_variable_to_shape_map()
    for name, value in source.read(source.variables).items():
        np.testing.assert_array_equal(value, reader.get_tensor(name), err_msg=name)


VARIABLES = {
    "a": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "a/b": np.zeros((50, 40), np.float32),
    "b": np.array([0.5, -2.25], np.float64),
    "global_step": np.array(-3, np.int64),
}


@pytest.mark.parametrize("snappy", [False, True])
@pytest.mark.parametrize("kind", ["v1", "v2", "bundle_v1", "bundle_v2", "tar", "tgz", "tbz"])
def test_every_container_gives_the_same_numbers(kind, snappy, tmp_path):
    path = tmp_path / "file"
    index, data = writing.v2(VARIABLES, snappy)
    shard = "model.ckpt.data-00000-of-00001"
    members = {"folder/model.ckpt.index": index, f"folder/{shard}": data, "folder/readme.txt": b"hello"}
    if kind == "v2":
        path = tmp_path / "model.ckpt.index"
        path.write_bytes(index)
        (tmp_path / shard).write_bytes(data)
    else:
        path.write_bytes(
            {
                "v1": lambda: writing.v1(VARIABLES, snappy),
                "bundle_v1": lambda: writing.bundle("a", writing.v1(VARIABLES, snappy)),
                "bundle_v2": lambda: writing.bundle("a", index, data),
                "tar": lambda: writing.tar(members),
                "tgz": lambda: writing.tar(members, "w:gz"),
                "tbz": lambda: writing.tar(members, "w:bz2"),
            }[kind]()
        )
    source = open_checkpoint(path).source
    read = source.read(VARIABLES)
    for name, value in VARIABLES.items():
        np.testing.assert_array_equal(read[name], value)
    assert {one.dtype for one in read.values()} == {np.dtype(np.float32), np.dtype(np.int64)}
    assert source.variables["b"].dtype == "float64"


@pytest.mark.parametrize(
    "given", ["model.ckpt", "model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.ckpt.meta", "."]
)
def test_a_v2_checkpoint_is_found_by_any_of_its_names(given, tmp_path):
    writing.write_v2(tmp_path, "model.ckpt", VARIABLES)
    assert set(open_checkpoint(tmp_path / given).source.variables) == set(VARIABLES)


def test_a_folder_of_a_training_means_its_latest_checkpoint_wherever_it_was_trained(tmp_path):
    for step in (10, 20, 30):
        writing.write_v2(tmp_path, f"model.ckpt-{step}", {"w": np.full(1, step, np.float32)})
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/gone/with/the/wind/model.ckpt-20"\n')
    assert open_checkpoint(tmp_path).source.read(["w"])["w"] == 20


@pytest.mark.parametrize("named", ["/", ".", "..", "", "a.mag", "gone.ckpt-3"])
def test_a_training_whose_latest_checkpoint_is_no_file_means_the_only_one(named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writing.write_v2(tmp_path, "model.ckpt-10", VARIABLES)
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    (tmp_path / "a.mag").symlink_to(tmp_path, target_is_directory=True)
    for folder in (tmp_path, "."):
        assert set(open_checkpoint(folder).source.variables) == set(VARIABLES)


@pytest.mark.parametrize("count", [0, 2])
def test_a_folder_that_does_not_tell_which_checkpoint_is_meant_is_refused(count, tmp_path):
    for step in range(count):
        writing.write_v2(tmp_path, f"model.ckpt-{step}", VARIABLES)
    with pytest.raises(PerpetuumError, match=f"a folder with {count or 'no'} checkpoint"):
        open_checkpoint(tmp_path)


def test_a_missing_data_file_is_named(tmp_path):
    path = writing.write_v2(tmp_path, "model.ckpt", VARIABLES)
    (tmp_path / "model.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(PerpetuumError, match=r"its data file model\.ckpt\.data-00000-of-00001 is not beside it"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 and so on", "a zip file"),
        (b"MThd and so on", "a MIDI file"),
        (b"\x89HDF\r\n and so on", "an HDF5 file"),
        (b"import os\n", "not a checkpoint of Magenta"),
    ],
)
def test_another_kind_of_file_is_said_to_be_one(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(PerpetuumError, match=message):
        open_checkpoint(path)


def test_a_path_that_leads_nowhere_is_a_clear_error(tmp_path):
    with pytest.raises(PerpetuumError, match="no such checkpoint"):
        open_checkpoint(tmp_path / "model.ckpt")
