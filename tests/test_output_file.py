"""Files are written whole or not at all, and nothing but a regular file is ever replaced."""

import ast
import os
import re
import shutil
import stat
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.errors import PerpetuumError
from engine.output_file import OutputFile, check_folder, output_folder, write_bytes, write_text
from engine.outputs.files.sound_file import ENDINGS, SoundFileOutput

ENGINE = Path(__file__).parents[1] / "engine"


def node(path: Path, kind: int, major: int, minor: int) -> Path:
    """A device of our own; never one of the machine's."""
    try:
        os.mknod(path, 0o666 | kind, os.makedev(major, minor))
        if kind == stat.S_IFCHR:
            os.close(os.open(path, os.O_WRONLY))
    except OSError:
        pytest.skip("devices cannot be made here")
    return path


def test_a_device_is_written_to_and_stays_a_device(tmp_path):
    null, full = node(tmp_path / "null", stat.S_IFCHR, 1, 3), node(tmp_path / "full", stat.S_IFCHR, 1, 7)
    write_text(null, "gone", (".json",))
    with pytest.raises(PerpetuumError, match="No space left on device"):
        write_bytes(full, b"too much")
    with SoundFileOutput(null) as output:
        output.write(np.zeros((100, 2), np.float32))
    assert stat.S_ISCHR(null.stat().st_mode)
    assert stat.S_ISCHR(full.stat().st_mode)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_disk_a_folder_and_a_fifo_that_nobody_reads_are_refused_and_stay_what_they_are(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "fifo.wav")
    before = {path: path.lstat().st_mode for path in tmp_path.iterdir()}
    for path in before:
        with pytest.raises(PerpetuumError, match="cannot write"):
            write_bytes(path, b"x")
    assert {path: path.lstat().st_mode for path in tmp_path.iterdir()} == before
    disk = node(tmp_path / "disk", stat.S_IFBLK, 7, 200)
    with pytest.raises(PerpetuumError, match="it is a disk"):
        write_bytes(disk, b"x")


def test_a_fifo_that_is_read_gets_the_whole(tmp_path):
    fifo, heard = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    thread = threading.Thread(target=lambda: heard.extend(iter(lambda: os.read(reader, 4096), b"")))
    with OutputFile(fifo) as output:
        thread.start()
        output.file.write(bytes(200_000))
    thread.join(10)
    os.close(reader)
    assert sum(map(len, heard)) == 200_000


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "deep").mkdir()
    real, link = tmp_path / "deep" / "real.txt", tmp_path / "link.txt"
    link.symlink_to("deep/real.txt")
    write_text(link, "first")
    write_text(link, "second")
    assert link.is_symlink()
    assert real.read_text() == "second"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(PerpetuumError):
        write_text(tmp_path / "loop", "x")


@pytest.mark.parametrize("name", ["nowhere/x.wav", "x.xyz", "x", "file/x.wav", "n" * 300 + ".wav", "nul\0.wav"])
def test_what_can_never_be_written_is_refused_before_anything_is_made(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(PerpetuumError, match="cannot write"):
        OutputFile(tmp_path / name, (".wav",))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("before")

    def fail_half_way() -> None:
        with OutputFile(path) as output:
            output.file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_the_file_that_is_replaced_or_of_any_new_file(tmp_path):
    old, new, plain = tmp_path / "old", tmp_path / "new", tmp_path / "plain"
    old.touch()
    old.chmod(0o640)
    plain.touch()
    write_text(old, "x")
    write_text(new, "x")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == plain.stat().st_mode


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "x"
    with OutputFile(path) as first, OutputFile(path) as second:
        first.file.write(b"1" * 1000)
        second.file.write(b"2" * 10)
    assert path.read_bytes() == b"1" * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_made_but_not_the_way_to_it(tmp_path):
    assert output_folder(tmp_path / "a").is_dir()
    (tmp_path / "file").touch()
    for bad in (tmp_path / "b" / "c", tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(PerpetuumError):
            check_folder(bad)
        with pytest.raises(PerpetuumError):
            output_folder(bad)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_sound_file_is_of_the_kind_that_its_name_says(tmp_path, ending):
    """Compared by the first bytes that the formats' standards ask for, and as a tone that comes back in time."""
    tone = np.sin(np.arange(96_000) ** 2 * 1e-6)[:, None] * np.array([0.5, 0.25])
    path = tmp_path / f"x{ending.upper()}"
    with SoundFileOutput(path) as output:
        for start in range(0, len(tone), 5000):
            output.write(tone[start : start + 5000].astype(np.float32))
    begin = path.read_bytes()[:64]
    marks = {".wav": b"RIFF", ".flac": b"fLaC", ".ogg": b"OggS", ".opus": b"OggS"}
    assert begin.startswith(marks[ending]) if ending in marks else begin[0] == 0xFF or begin.startswith(b"ID3")
    assert (b"OpusHead" in begin) == (ending == ".opus")
    heard, rate = soundfile.read(path)
    assert (rate, heard.shape) == (48_000, tone.shape)
    assert np.sqrt(np.mean((heard - tone)[2000:90_000] ** 2)) < 0.02


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="not installed: ffmpeg")
@pytest.mark.parametrize("ending", ENDINGS)
def test_another_decoder_hears_the_same(tmp_path, ending):
    """ffmpeg shares no code with the library that writes, apart from that of MP3 and Opus being standards."""
    tone = np.sin(np.arange(96_000) ** 2 * 1e-6)[:, None] * np.array([0.5, 0.25])
    path = tmp_path / f"x{ending}"
    with SoundFileOutput(path) as output:
        output.write(tone.astype(np.float32))
    decode = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-ar", "48000", "-"]
    heard = np.frombuffer(subprocess.run(decode, capture_output=True, check=True).stdout, np.float32).reshape(-1, 2)
    assert len(heard) == pytest.approx(len(tone), abs=0 if ending in (".wav", ".flac") else 2400)
    length = min(len(heard), 90_000)
    # A decoder may leave in what the encoder put before the first sample.
    late = max(range(-1300, 1300), key=lambda by: float(heard[3000 + by : 13000 + by, 0] @ tone[3000:13000, 0]))
    assert abs(late) <= (0 if ending in (".wav", ".flac") else 1200)
    assert np.sqrt(np.mean((heard[3000 + late : length - 2000 + late] - tone[3000 : length - 2000]) ** 2)) < 0.04


def test_a_render_that_is_too_long_for_wav_is_rf64(tmp_path):
    with SoundFileOutput(tmp_path / "x.wav", frames=2**32 // 6) as output:
        output.write(np.zeros((10, 2), np.float32))
    assert (tmp_path / "x.wav").read_bytes()[:4] == b"RF64"
    assert soundfile.info(tmp_path / "x.wav").frames == 10


def test_files_are_written_in_one_place():
    """No other module of the engine opens a file for writing, gives it its name, or makes a folder."""
    # sound/process.py maps the counter that the supervisor reads; chaos breaks files on purpose, in copies of its own.
    # The cache is ours, and the folder of a soak is made with all that it lies in; so are a pool's store of
    # weights and the token of its processes. /proc is no disk. A log grows at its end.
    own = {"output_file.py", "new_folder.py", "sound/process.py", "installation/keeper/folder/folder.py"}
    own |= {"timbres/bank_cache.py", "installation/soak/run.py", "processes/child.py", "logs/sinks.py"}
    own |= {"pool/serving/store.py", "pool/serving/making/replicas.py"}
    found = []
    for path in ENGINE.rglob("*.py"):
        name = str(path.relative_to(ENGINE))
        if name in own or name.startswith("installation/chaos/"):
            continue
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            modes = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            opens = name == "open" and any(set(mode) & set("wa+") and len(mode) < 4 for mode in modes)
            makes = isinstance(call.func, ast.Attribute) and name in ("write_text", "write_bytes", "mkdir")
            if opens or makes:
                found.append(f"{path.relative_to(ENGINE)}:{call.lineno} {name}")
    assert found == []


def test_no_hint_has_a_stranger_s_package_installed():
    """Perpetuum is on no index: whoever takes its name there could have anything installed."""
    named = [path for path in ENGINE.rglob("*.py") if re.search(r"perpetuum\[\w", path.read_text("utf-8"))]
    assert named == []
