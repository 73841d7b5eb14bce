"""What the doctor finds, on machines in folders of the test's own, and on a real sound server."""

import json
import shlex
import socket
import subprocess
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.cli import main
from engine.health.doctor import machine, sound
from engine.health.doctor.diagnosis import Grade
from engine.installation.keeper.hands.control import ControlSocket
from engine.outputs.devices.devices import Device
from tests.outputs.test_pulse import MISSING, SINK, pulse  # noqa: F401 - a fixture

CARD = Device("hw:CARD=PCH,DEV=0", "ALSA", "Built-in")

AMIXER = """Simple mixer control 'Master',0
  Capabilities: pvolume pswitch pswitch-joined
  Playback channels: Front Left - Front Right
  Limits: Playback 0 - 87
  Mono:
  Front Left: Playback 65 [75%] [-16.50dB] [{switch}]
  Front Right: Playback 61 [70%] [-19.50dB] [{switch}]
Simple mixer control 'Capture',0
  Capabilities: cvolume cswitch
  Front Left: Capture 0 [0%] [-17.25dB] [off]
Simple mixer control 'IEC958',0
  Capabilities: pswitch pswitch-joined
  Playback channels: Mono
  Mono: Playback [on]
Simple mixer control 'PCM',0
  Capabilities: pvolume
  Limits: Playback 0 - 255
  Front Left: Playback {pcm} [{pcm}%] [0.00dB]
  Front Right: Playback {pcm} [{pcm}%] [0.00dB]
"""


def doctor(*words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *words])
    return ended.value.code or 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("folders", "double", "grade"),
    [([], None, Grade.BAD), ([Path("/x")], False, Grade.DOUBTFUL), ([Path("/x")], True, Grade.GOOD)],
)
def test_a_pyo_that_is_not_here_or_coarse_is_told_with_how_to_build_it(folders, double, grade):
    found = sound.library(folders, double)
    assert found.grade is grade
    assert found.remedy.startswith("pip install") == (grade is not Grade.GOOD)


@pytest.mark.parametrize(
    ("year", "said", "grade"),
    [(1970, "yes", Grade.BAD), (2026, "yes", Grade.GOOD), (2026, "no\n", Grade.DOUBTFUL), (2026, "", Grade.UNKNOWN)],
)
def test_a_clock_that_nobody_set_is_told(year, said, grade):
    found = machine.clock(year, said)
    assert found.grade is grade
    assert bool(found.remedy) == (grade in (Grade.BAD, Grade.DOUBTFUL))


def test_a_weak_power_supply_of_a_raspberry_pi_is_told_with_what_to_do(tmp_path):
    firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    for word, grade in (("0", Grade.GOOD), ("50005", Grade.BAD), ("10000", Grade.DOUBTFUL)):
        (firmware / "get_throttled").write_text(word)
        (found,) = [one for one in machine.board(tmp_path) if one.subject == "power supply"]
        assert found.grade is grade
        assert ("cable" in found.remedy) == (grade is not Grade.GOOD)


def test_a_hot_board_and_one_that_was_slowed_down_are_told_with_what_to_do(tmp_path):
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal")
    for degrees, grade in (("51000", Grade.GOOD), ("79000", Grade.DOUBTFUL)):
        (zone / "temp").write_text(degrees)
        (found,) = [one for one in machine.board(tmp_path) if one.subject == "temperature"]
        assert (found.grade, "heat sink" in found.remedy) == (grade, grade is not Grade.GOOD)


def test_a_user_without_rights_is_told_of_each_with_what_to_do(monkeypatch):
    group = SimpleNamespace(gr_mem=["ada"], gr_gid=29)
    monkeypatch.setattr(machine.grp, "getgrnam", lambda name: group)
    monkeypatch.setattr(
        machine.pwd, "getpwnam", lambda name: SimpleNamespace(pw_gid=29 if name == "audio-player" else 1000)
    )
    monkeypatch.setattr(machine.resource, "getrlimit", lambda what: (0, 0))
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(machine, "may_lock_memory", lambda: False)
    found = {one.subject: one for one in machine.limits("bob")}
    assert {name: one.grade for name, one in found.items()} == {
        "real-time priority": Grade.DOUBTFUL,
        "open files": Grade.BAD,
        "locked memory": Grade.DOUBTFUL,
        "group audio": Grade.DOUBTFUL,
    }
    words = ("rtprio 95", "nofile", "memlock unlimited", "usermod -aG audio bob")
    assert all(word in one.remedy for word, one in zip(words, found.values(), strict=True))
    for name in ("ada", "audio-player", "root"):
        assert {one.subject: one for one in machine.limits(name)}["group audio"].grade is Grade.GOOD


def test_memory_is_what_can_be_had_and_not_what_is_free(tmp_path):
    path = tmp_path / "meminfo"
    path.write_text("MemTotal: 900000 kB\nMemFree: 20000 kB\nMemAvailable: 600000 kB\n")
    assert machine.memory(path).grade is Grade.GOOD
    path.write_text("MemTotal: 900000 kB\nMemAvailable: 100000 kB\n")
    assert machine.memory(path).grade is Grade.BAD
    assert machine.memory(tmp_path / "nothing").grade is Grade.UNKNOWN


def test_a_state_folder_that_cannot_be_written_is_told_and_nothing_is_left_in_one_that_can(tmp_path):
    assert machine.worst(machine.state_folder(tmp_path / "not" / "yet")) is not Grade.BAD
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    (found,) = machine.state_folder(tmp_path / "file" / "state")
    assert found.grade is Grade.BAD
    assert "install -d" in found.remedy


def test_a_disk_that_is_nearly_full_is_told(tmp_path, monkeypatch):
    usage = namedtuple("Usage", "total used free")
    for free, grade in ((5e6, Grade.BAD), (5e8, Grade.DOUBTFUL), (5e9, Grade.GOOD)):
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda path, free=free: usage(6e9, 6e9 - free, free))
        assert machine.state_folder(tmp_path)[-1].grade is grade


@pytest.mark.parametrize(
    ("argument", "grade", "words"),
    [
        ("hw:CARD=PCH,DEV=0", Grade.GOOD, ""),
        ("hw:CARD=USB,DEV=0", Grade.BAD, "plug it in"),
        ("hw:1", Grade.BAD, "numbers change"),
    ],
)
def test_a_device_is_looked_for_by_its_name(argument, grade, words):
    found = sound.device("device", argument, [CARD])
    assert found.grade is grade
    assert words in found.remedy


def test_an_output_without_a_card_needs_none():
    assert sound.device("null", None, []).grade is Grade.GOOD
    assert sound.mixer("wav", "takes/") == []


@pytest.mark.parametrize(
    ("switch", "pcm", "grade", "which"),
    [
        ("on", 80, Grade.GOOD, ""),
        ("off", 80, Grade.BAD, "Master"),
        ("on", 0, Grade.BAD, "PCM"),
        ("on", 9, Grade.DOUBTFUL, "PCM"),
    ],
)
def test_a_control_of_a_card_that_lets_nothing_through_is_named(switch, pcm, grade, which):
    printed = AMIXER.format(switch=switch, pcm=pcm)
    found = sound.mixer(
        "device", "hw:CARD=PCH,DEV=0", lambda *words: printed if words == ("amixer", "-c", "PCH") else None
    )
    assert machine.worst(found) is grade
    wrong = [one for one in found if one.grade is not Grade.GOOD]
    assert [which in one.text for one in wrong] == [True] * bool(which)


@pytest.mark.parametrize(
    "printed", ["", "no mixer", "Simple mixer control", "[]", '{"mute": 1}', '[{"volume": {"l": {}}}]']
)
def test_what_a_strange_mixer_prints_is_no_traceback(printed):
    assert sound.mixer("auto", None, lambda *words: printed)


@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_a_muted_sound_server_is_found_and_the_remedy_that_is_printed_mends_it(pulse, capsys):  # noqa: F811
    code, out = doctor(capsys=capsys)
    assert f"ok  mixer               {SINK} is at 100 %" in out
    subprocess.run(["pactl", "set-sink-mute", SINK, "1"], check=True)
    code, out = doctor(capsys=capsys)
    assert code == 1
    assert f"{SINK} is muted" in out
    (remedy,) = [line.partition("open it: ")[2] for line in out.splitlines() if "open it: " in line]
    for command in remedy.split("; "):
        subprocess.run(shlex.split(command), check=True)
    assert f"{SINK} is at 80 %" in doctor(capsys=capsys)[1]


def test_what_an_installation_asks_for_is_looked_at(tmp_path, capsys, monkeypatch):
    token = tmp_path / "token"
    token.write_text("x" * 20)
    token.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, health = taken.getsockname()[1], other.getsockname()[1]
        text = "perpetuum: 1\ntitle: Here\nscenes: {glass_pulse: {}}\noutput: {kind: 'null'}\n"
        text += f"state: {tmp_path}/state\n"
        text += f"listen: {{control: ['127.0.0.1:{port}'], health: ['127.0.0.1:{health}'], token: {{file: {token}}}}}\n"
        (tmp_path / "here.yaml").write_text(text)
        code, out = doctor(str(tmp_path / "here.yaml"), "--format", "json", capsys=capsys)
        (tmp_path / "state").mkdir()
        with ControlSocket(tmp_path / "state", lambda line: "{}"):  # now it is the installation itself that has them
            running, _ = doctor(str(tmp_path / "here.yaml"), "--format", "json", capsys=capsys)
    found = {one["subject"]: one for one in json.loads(out)}
    ports = {
        one["text"].split()[0]: (one["grade"], bool(one["remedy"]))
        for one in json.loads(out)
        if one["subject"] == "ports"
    }
    assert ports == {f"127.0.0.1:{number}": ("bad", True) for number in (port, health)}
    assert running == 0
    assert found["secrets"]["remedy"] == f"chmod 600 {token}"
    assert found["state folder"]["grade"] == found["files"]["grade"] == "good"
    assert code == 1
    assert token.read_text() not in out
    assert not list((tmp_path / "state").iterdir())


def test_a_broken_installation_is_told_with_its_place(tmp_path, capsys):
    (tmp_path / "here.yaml").write_text("perpetuum: 1\ntitle: Here\nscenes: {nowhere: {}}\n")
    code, out = doctor(str(tmp_path / "here.yaml"), capsys=capsys)
    assert code == 1
    assert "here.yaml:3:" in out
    assert f"perpetuum check {Path(tmp_path / 'here.yaml')}" in out


def test_weights_that_are_not_here_are_told_with_their_place(tmp_path, capsys):
    scene = "perpetuum: 1\ntitle: S\ntempo: 90 qpm\nkey: C\nparts:\n"
    scene += "  drums: {generator: {kind: drums_rnn, weights: gone.safetensors}, instrument: kit}\n"
    (tmp_path / "small.yaml").write_text(scene + "sections:\n  all: {bars: 8 bars, parts: [drums]}\n")
    (tmp_path / "here.yaml").write_text("perpetuum: 1\ntitle: Here\nscenes: {small: {}}\noutput: {kind: 'null'}\n")
    code, out = doctor(str(tmp_path / "here.yaml"), "--format", "json", capsys=capsys)
    found = [one for one in json.loads(out) if one["subject"] == "files"]
    assert (code, {one["grade"] for one in found}) == (1, {"bad"})
    assert any("small.yaml:6:49: error: no weights `gone.safetensors`" in one["text"] for one in found)
    assert all(one["remedy"].startswith("perpetuum check ") for one in found)
