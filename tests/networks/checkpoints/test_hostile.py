"""Facts about files that are broken, or made to do harm."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import tracemalloc
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import PerpetuumError
from engine.networks.checkpoints import open_weights, read_card, table, tensor_bundle
from engine.networks.checkpoints.files import open_checkpoint
from tests.networks.checkpoints import writing
from tests.networks.checkpoints.test_reading import CHECKPOINTS, FIXTURES

WEIGHTS = {
    "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel": np.ones((6, 16), np.float32),
    "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias": np.ones(16, np.float32),
    "fully_connected/weights": np.ones((4, 2), np.float32),
    "fully_connected/biases": np.ones(2, np.float32),
    "global_step": np.array(30, np.int64),
}
INDEX, DATA = writing.v2(WEIGHTS)
SHARD = "one_drum.ckpt.data-00000-of-00001"
FILES = {
    "v1": writing.v1(WEIGHTS, snappy=True),
    "mag": writing.bundle("one_drum", writing.v1(WEIGHTS), graph=writing.meta_graph([(1, 4), (1, 4)], (1, -1, 2))),
    "tar": writing.tar({"one_drum.ckpt.index": INDEX, SHARD: DATA}),
    "tgz": writing.tar({"one_drum.ckpt.index": INDEX, SHARD: DATA}, "w:gz"),
    "index": INDEX,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / SHARD).write_bytes(DATA)
    return folder


def written(folder: Path, kind: str, content: bytes) -> Path:
    path = folder / ("one_drum.ckpt.index" if kind == "index" else f"one_drum.{kind}")
    path.write_bytes(content)
    return path


@contextmanager
def memory_at_most(megabytes: float):
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 1e6


def refused(path: Path, message: str | None = None) -> None:
    for read in (open_weights, read_card):
        with pytest.raises(PerpetuumError, match=message):
            read(path)


def test_the_files_of_these_tests_are_sound_before_they_are_broken(place):
    for kind, content in FILES.items():
        card, weights = open_weights(written(place, kind, content))
        assert card.config == "one_drum"
        assert card.imported_from["training_steps"] == 30
        assert len(weights) == 4


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_refused_or_still_whole(kind, place):
    content = FILES[kind]
    for end in range(0, len(content), max(1, len(content) // 150)):
        path = written(place, kind, content[:end])
        try:
            _, weights = open_weights(path)
        except PerpetuumError:
            continue
        # A tar file and a bundle may lose what nobody needs: the padding at their end.
        assert kind in ("tar", "tgz", "mag")
        assert all((value == 1).all() for value in weights.values())


@pytest.mark.parametrize("kind", FILES)
def test_a_file_with_any_one_byte_changed_is_refused_or_gives_the_same_weights(kind, place):
    content = FILES[kind]
    for at in range(0, len(content), max(1, len(content) // 100)):
        path = written(place, kind, content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
        try:
            _, weights = open_weights(path)
        except PerpetuumError:
            continue
        assert all((value == 1).all() for value in weights.values())


@pytest.mark.parametrize("checksums", [True, False])
@settings(max_examples=80)
@given(data=st.data())
def test_nothing_but_a_clear_error_comes_out_of_a_mangled_file(checksums, data, place):
    kind = data.draw(st.sampled_from(list(FILES)))
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        how = data.draw(st.sampled_from(["write", "delete", "repeat", "insert"]))
        if how == "write":
            new = data.draw(st.binary(min_size=1, max_size=10))
            content[at : at + len(new)] = new
        elif how == "delete":
            del content[at : at + data.draw(st.integers(1, 200))]
        elif how == "repeat":
            content[at:at] = content[at : at + data.draw(st.integers(1, 200))]
        else:
            content[at:at] = data.draw(st.sampled_from([b"\xff" * 9, b"\0" * 8, b"\x80" * 11, b"\x0a\xff\xff\xff\x7f"]))
    path = written(place, kind, bytes(content))
    with pytest.MonkeyPatch.context() as patch, memory_at_most(5):
        if not checksums:
            # Past the checksums, which a hostile writer gets right, into the readers behind them.
            for module in (table, tensor_bundle):
                patch.setattr(module, "unmasked", lambda crc: 0)
                patch.setattr(module, "crc32c", lambda *parts: 0)
        with suppress(PerpetuumError):
            open_weights(path)


def test_a_checkpoint_of_magenta_cut_in_its_data_says_so(tmp_path):
    for path in CHECKPOINTS:
        if path.suffix != ".index":
            cut = tmp_path / path.name
            cut.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
            refused(cut, "not a readable checkpoint")


def test_numbers_that_do_not_fit_their_checksum_are_refused(tmp_path):
    path = writing.write_v2(tmp_path, "one_drum.ckpt", WEIGHTS)
    (tmp_path / SHARD).write_bytes(DATA[:-1] + b"\1")
    with pytest.raises(PerpetuumError, match=r"is damaged \(its checksum does not fit\)"):
        open_weights(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_numbers_are_refused(bad, tmp_path):
    path = tmp_path / "one_drum.mag"
    worse = WEIGHTS | {"fully_connected/biases": np.array([0, bad], np.float32)}
    path.write_bytes(writing.bundle("one_drum", writing.v1(worse)))
    with pytest.raises(PerpetuumError, match="fully_connected/biases has numbers that are not finite"):
        open_weights(path)


def _index(*entries: tuple[bytes, bytes], header: bytes = writing.field(1, 1)) -> bytes:
    return writing.table([(b"", header), *entries])


_ONE = np.ones(2, np.float32)
_HUGE = writing.shape_message([1 << 39, 1 << 39])
_NEGATIVE = writing.shape_message([-1, 4])
_NEVER_ENDING = b"".join([writing.varint(200), writing.varint(1), writing.varint(0), b"k"])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            _index((b"a", writing.field(1, 1) + writing.field(2, _HUGE) + writing.field(5, 8))),
            "cannot fit into the file",
        ),
        (_index((b"a", writing.field(1, 1) + writing.field(2, _NEGATIVE) + writing.field(5, 8))), "impossible shape"),
        (_index((b"a", writing.field(1, 1) + writing.field(2, writing.shape_message([1] * 9)))), "too many dimensions"),
        (_index((b"a", writing.bundle_entry(_ONE, 1 << 50))), "beyond the end of its data file"),
        (_index((b"a", writing.bundle_entry(_ONE, -8))), "beyond the end of its data file"),
        (_index((b"a", writing.bundle_entry(_ONE, 0, size=1 << 62))), "beyond the end of its data file"),
        (_index((b"a", writing.bundle_entry(_ONE, 0, size=16))), "takes 8 bytes, but has 16"),
        (_index((b"a", writing.bundle_entry(_ONE, 0, shard=3))), "lies in data file 3, which there is not"),
        (_index((b"a", writing.bundle_entry(_ONE, 0) + writing.field(7, b""))), "stored in partitions"),
        (_index((b"\x1b[2J", writing.bundle_entry(_ONE, 0))), "cannot be printed"),
        (_index((b"\xff\xfe", writing.bundle_entry(_ONE, 0))), "is not text"),
        (_index((b"a" * 5000, writing.bundle_entry(_ONE, 0))), "a key of 5000 bytes"),
        (_index(header=writing.field(1, 1 << 40)), "data files"),
        (_index(header=b"\x0b\x0c"), "a field is of no known kind"),
        (INDEX[:-48] + b"\xff" * 40 + INDEX[-8:], "a number is too long|lies outside the file"),
        (
            INDEX[:-48] + (b"\x00\x08" + b"\xf0\xff\xff\xff\x7f\x10").ljust(40, b"\0") + INDEX[-8:],
            "lies outside the file",
        ),
    ],
)
def test_an_index_that_promises_what_it_does_not_have_is_refused(index, message, place):
    with memory_at_most(5):
        refused(written(place, "index", index), message)


def test_keys_that_grow_out_of_nothing_do_not_fill_the_memory(place):
    # Each entry repeats the key before and adds a byte: a megabyte would unfold to a hundred gigabytes.
    content = b"".join(writing.varint(n) + b"\1\0k" for n in range(200_000)) + b"\0\0\0\0\1\0\0\0"
    whole = content + b"\0" + writing.masked(content + b"\0").to_bytes(4, "little")
    index = writing.block([(b"z", writing.varint(0) + writing.varint(len(content)))])
    begin = len(whole)
    whole += index + b"\0" + writing.masked(index + b"\0").to_bytes(4, "little")
    footer = writing.varint(0) + writing.varint(0) + writing.varint(begin) + writing.varint(len(index))
    whole += footer.ljust(40, b"\0") + writing.MAGIC.to_bytes(8, "little")
    with memory_at_most(10):
        refused(written(place, "index", whole))


def test_a_compressed_block_that_claims_gigabytes_is_refused(place):
    content = writing.varint(1 << 32) + b"\xfe\x01\x00" * 50
    whole = content + b"\1" + writing.masked(content + b"\1").to_bytes(4, "little")
    footer = (b"\0\0" + b"\0" + writing.varint(len(content))).ljust(40, b"\0")
    with memory_at_most(5):
        refused(
            written(place, "index", whole + footer + writing.MAGIC.to_bytes(8, "little")), "claims to hold 4294967296"
        )


def test_a_bundle_of_endlessly_many_fields_is_refused_before_it_costs_minutes(place):
    refused(written(place, "mag", writing.field(9, 1) * 600_000), "more than 500000 fields")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v1: v1.replace(b"fully_connected/biases", b"fully_connected/biaxes", 1), "damaged"),
        (lambda v1: v1[:200], "does not end like"),
    ],
)
def test_a_damaged_checkpoint_in_a_bundle_is_refused(change, message, place):
    refused(written(place, "mag", writing.bundle("one_drum", change(writing.v1(WEIGHTS)))), message)


def test_a_variable_without_its_numbers_is_refused(place):
    entries = [
        (b"", writing.field(1, writing.field(1, writing.field(1, "fully_connected/biases") + writing.field(3, 1))))
    ]
    path = written(place, "v1", writing.table(entries))
    source = open_checkpoint(path).source
    with pytest.raises(ValueError, match="the numbers of variable 'fully_connected/biases' are not in it"):
        source.read(source.variables)


def test_two_variables_that_mean_one_weight_are_refused(place):
    twice = WEIGHTS | {"RNN/MultiRNNCell/Cell0/BasicLSTMCell/Linear/Bias": np.ones(16, np.float32)}
    refused(written(place, "v1", writing.v1(twice)), "are the same weight")


def _with_member(**attributes) -> bytes:
    out = io.BytesIO(writing.tar({"one_drum.ckpt.index": INDEX, SHARD: DATA}))
    with tarfile.open(fileobj=out, mode="a") as archive:
        member = tarfile.TarInfo("evil")
        for name, value in attributes.items():
            setattr(member, name, value)
        archive.addfile(member)
    return out.getvalue()


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": "/etc/passwd"}, "leads out of the archive"),
        ({"name": "../../etc/passwd"}, "leads out of the archive"),
        ({"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "is a link"),
        ({"type": tarfile.LNKTYPE, "linkname": SHARD}, "is a link"),
        ({"type": tarfile.CHRTYPE}, "a device"),
        ({"type": tarfile.FIFOTYPE}, "no plain file"),
        ({"name": "other/one_drum.ckpt.index"}, "two members called"),
        ({"name": "\x1b[2J"}, "cannot be printed"),
        ({"name": "second.index"}, "2 checkpoints"),
    ],
)
def test_a_tar_file_with_a_trick_in_it_is_refused(attributes, message, place):
    refused(written(place, "tar", _with_member(**attributes)), message)
    assert not (place / "evil").exists()


def _tar_header(size: bytes, kind: bytes = b"0") -> bytes:
    header = bytearray(512)
    header[:4], header[100:108], header[124:136], header[156:157] = b"evil", b"0000644\0", size, kind
    header[257:265], header[148:156] = b"ustar\x0000", b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"g", b"S"])
@pytest.mark.parametrize("size", [b"77777777777\0", b"\x80" + b"\x7f" * 11, b"\xff" * 12, b"\xff" * 10 + b"\xfe\0"])
def test_a_tar_file_that_promises_a_huge_member_takes_no_memory(kind, size, place):
    with memory_at_most(5):
        refused(written(place, "tar", _tar_header(size, kind) + b"\0" * 2048))


def test_a_tar_file_of_endless_long_names_is_refused(place):
    link = _tar_header(b"00000000001\0", b"L") + b"a".ljust(512, b"\0")
    with memory_at_most(20):
        refused(written(place, "tar", link * 3000 + b"\0" * 1024), "no readable tar file")


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2"])
def test_a_compressed_file_that_unpacks_to_far_more_is_refused(mode, place):
    bomb = writing.tar({"one_drum.ckpt.index": INDEX, SHARD: bytes(40_000_000)}, mode)
    assert len(bomb) < 60_000
    with memory_at_most(45):
        refused(written(place, "tar", bomb), "which no checkpoint does")


def test_files_that_promise_gigabytes_are_refused_where_there_are_none(tmp_path):
    """In a process whose address space ends 150 MB above what it has; tracemalloc sees only Python's own memory."""
    bomb = {"one_drum.ckpt.index": INDEX, SHARD: bytes(200_000_000)}
    huge = writing.field(1, 1) + writing.field(2, _HUGE) + writing.field(4, 0) + writing.field(5, 1 << 50)
    files = {
        "gzip.tar": gzip.compress(writing.tar(bomb), 1),
        "member.tar": _tar_header(b"\x80" + b"\x7f" * 11) + b"\0" * 1024,
        "long_name.tar": _tar_header(b"77777777777\0", b"L") + b"\0" * 1024,
        "model.ckpt.index": _index((b"a", huge)),
        "model.ckpt.data-00000-of-00001": b"data",
        "field.mag": b"\x12\xff\xff\xff\xff\x7f" + b"\0" * 1000,
        "header.safetensors": (1 << 40).to_bytes(8, "little") + b"{" + b" " * 1000,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from engine.errors import PerpetuumError\n"
        "from engine.networks.checkpoints import open_weights\n"
        "import cramjam, google_crc32c, tarfile\n"
        "now = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 150_000_000,) * 2)\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        open_weights(path)\n"
        "    except PerpetuumError as error:\n"
        "        assert 'enough memory' not in str(error), error\n"
        "        print('refused')\n"
    )
    paths = [str(tmp_path / name) for name in files]
    made = subprocess.run([sys.executable, "-c", program, *paths], capture_output=True, text=True, check=False)
    assert made.stderr == ""
    assert made.stdout.split() == ["refused"] * len(files)


def test_reading_a_checkpoint_imports_neither_tensorflow_nor_pickle():
    names = {"tensorflow", "keras", "google.protobuf", "note_seq"}
    program = (
        "import sys\n"
        "from engine.networks import load_network\n"
        f"load_network({str(FIXTURES / 'drums_rnn__one_drum__small.mag')!r})\n"
        f"print(sorted({names!r} & set(sys.modules)))"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
