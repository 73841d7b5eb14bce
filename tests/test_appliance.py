"""The script that makes an appliance of a Raspberry Pi: the files that it writes, without any Raspberry Pi.

What it does to a whole system, `python -m tests.proofs.appliance` shows in a root of its own.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "deploy" / "raspberry-pi"
SCRIPT = FOLDER / "install.sh"


def install(*words, settings=FOLDER / "settings.conf"):
    return subprocess.run([str(SCRIPT), *map(str, words), str(settings)], capture_output=True, text=True, timeout=120)


def tree(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_it_writes_its_files_once_and_leaves_what_others_wrote(tmp_path):
    config = tmp_path / "boot/firmware/config.txt"
    config.parent.mkdir(parents=True)
    config.write_text("# mine\ndtparam=i2c_arm=on\n")
    first = install("--files", tmp_path)
    assert first.returncode == 0, first.stderr
    made = tree(tmp_path)
    again = install("--files", tmp_path)
    assert (again.stdout, tree(tmp_path)) == ("", made)
    assert made["boot/firmware/config.txt"].startswith("# mine\ndtparam=i2c_arm=on\n")
    assert "\ndtoverlay=hifiberry-dacplus\n" in made["boot/firmware/config.txt"]
    assert "RuntimeWatchdogSec=15s" in made["etc/systemd/system.conf.d/perpetuum.conf"]
    assert "Storage=volatile" in made["etc/systemd/journald.conf.d/perpetuum.conf"]
    unit = (FOLDER.parent / "systemd/perpetuum@.service").read_text()
    assert made["etc/systemd/system/perpetuum@.service"] == unit


def test_a_changed_setting_changes_its_own_line_alone(tmp_path):
    here = tmp_path / "settings.conf"
    here.write_text((FOLDER / "settings.conf").read_text())
    root = tmp_path / "root"
    install("--files", root, settings=here)
    before = tree(root)
    here.write_text(here.read_text().replace("hifiberry-dacplus", "iqaudio-dacplus"))
    said = install("--files", root, settings=here)
    assert said.stdout == "+ write /boot/firmware/config.txt\n"
    after = tree(root)
    assert [name for name in after if after[name] != before[name]] == ["boot/firmware/config.txt"]
    assert after["boot/firmware/config.txt"].count("perpetuum: begin") == 1


def test_a_read_only_root_a_card_and_a_restart_are_written_where_they_are_asked_for(tmp_path):
    here = tmp_path / "settings.conf"
    here.write_text("name = foyer\nread_only = yes\ncard_path = usb-0:1.3:1.0\nreboot = Mon *-*-* 04:10\nups = yes\n")
    assert install("--files", tmp_path / "root", settings=here).returncode == 0
    made = tree(tmp_path / "root")
    assert "LABEL=perpetuum /var/lib/perpetuum ext4" in made["etc/fstab"]
    assert 'overlayroot="tmpfs:recurse=0"' in made["etc/overlayroot.local.conf"]
    assert 'ATTR{id}="Perpetuum"' in made["etc/udev/rules.d/85-perpetuum.rules"]
    assert 'subject.user === "perpetuum"' in made["etc/polkit-1/rules.d/50-perpetuum.rules"]
    assert "(`ups` of its file)" in made["etc/polkit-1/rules.d/50-perpetuum.rules"]
    assert "OnCalendar=Mon *-*-* 04:10" in made["etc/systemd/system/perpetuum-reboot.timer"]


def test_what_is_switched_off_again_is_taken_back_and_what_others_wrote_stays(tmp_path):
    here, root = tmp_path / "settings.conf", tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/fstab").write_text("LABEL=rootfs / ext4 defaults 0 1\n")
    here.write_text("name = foyer\n")
    assert install("--files", root, settings=here).returncode == 0
    before = tree(root)
    here.write_text("name = foyer\nread_only = yes\ncard_path = usb-0:1.3:1.0\nreboot = Mon *-*-* 04:10\n")
    assert install("--files", root, settings=here).returncode == 0
    assert len(tree(root)) > len(before)
    here.write_text("name = foyer\n")
    said = install("--files", root, settings=here)
    assert "+ remove /etc/udev/rules.d/85-perpetuum.rules" in said.stdout
    assert tree(root) == before
    here.write_text("name = foyer\nwatchdog = no\n")
    install("--files", root, settings=here)
    assert before.keys() - tree(root).keys() == {"etc/systemd/system.conf.d/perpetuum.conf"}


def test_an_installation_file_that_was_edited_here_stays_and_one_that_was_not_is_replaced(tmp_path):
    here, root, stick = tmp_path / "settings.conf", tmp_path / "root", tmp_path / "stick.yaml"
    here.write_text(f"name = foyer\ninstallation = {stick}\n")
    file = root / "etc/perpetuum/foyer.yaml"
    for text in ("perpetuum: 1\n", "perpetuum: 1\ntitle: Newer\n"):
        stick.write_text(text)
        install("--files", root, settings=here)
        assert file.read_text() == text
    file.write_text("perpetuum: 1\ntitle: By hand\n")
    stick.write_text("perpetuum: 1\ntitle: Newest\n")
    for _ in range(2):
        said = install("--files", root, settings=here)
        assert "foyer.yaml was edited here and stays" in said.stdout
        assert file.read_text() == "perpetuum: 1\ntitle: By hand\n"
        assert (root / "etc/perpetuum/foyer.yaml.new").read_text() == stick.read_text()
    file.write_text(stick.read_text())
    assert "stays" not in install("--files", root, settings=here).stdout
    assert not (root / "etc/perpetuum/foyer.yaml.new").exists()


def test_another_installation_that_is_enabled_for_the_same_card_is_said(tmp_path):
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    for name in ("gallery", "foyer"):
        (wants / f"perpetuum@{name}.service").touch()
    said = install("--files", tmp_path).stdout
    assert "! perpetuum@foyer is enabled, too" in said
    assert "perpetuum@gallery is enabled" not in said


DEBIAN = Path("/etc/os-release").exists() and 'VERSION_ID="1' in Path("/etc/os-release").read_text()


@pytest.mark.skipif(not DEBIAN, reason="what the machine is asked, Debian is asked")
@pytest.mark.parametrize(
    ("line", "partition", "why"),
    [
        ("time_zone = Europe/Berln", "", "there is no Europe/Berln"),
        ("read_only = yes", "", "there is no ext4 partition with the label perpetuum"),
        ("read_only = yes", "vfat", "there is no ext4 partition with the label perpetuum"),
        ("read_only = yes\ntime_zone = Europe/Berlin", "ext4", ""),
    ],
)
def test_what_only_the_machine_knows_is_asked_before_anything_is_done(tmp_path, monkeypatch, line, partition, why):
    blkid = tmp_path / "blkid"
    blkid.write_text(f'#!/bin/sh\ncase "$*" in -L*) echo /dev/mmcblk0p3 ;; *) echo {partition} ;; esac\n')
    blkid.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    here = tmp_path / "settings.conf"
    here.write_text(f"{line}\n")
    said = install("--dry-run", settings=here)
    assert (said.returncode, why in said.stderr, "+" in said.stdout) == (bool(why), True, not why), said.stderr


@pytest.mark.skipif(not DEBIAN, reason="what the machine is asked, Debian is asked")
def test_with_wheels_nothing_is_loaded_or_built_and_without_them_all_are_kept(tmp_path):
    here, wheels = tmp_path / "settings.conf", tmp_path / "wheels"
    here.write_text(f"wheels = {wheels}\n")
    wheels.mkdir()
    (wheels / "perpetuum-0.1.0-py3-none-any.whl").touch()
    pip = [one for one in install("--dry-run", settings=here).stdout.splitlines() if "bin/pip" in one]
    assert pip
    assert all(" install " in one and " --no-index " in one for one in pip)
    here.write_text("")
    pip = [one for one in install("--dry-run", settings=here).stdout.splitlines() if "bin/pip" in one]
    assert " wheel -q --no-cache-dir --no-binary pyo --config-settings=--build-option=--use-double pyo " in pip[0]
    assert pip[0].endswith(f" {FOLDER.parents[1]}"), "on an index, the name is whoever's took it"
    assert all(" --no-index " in one for one in pip[1:])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nmae = x", "there is no setting `nmae`"),
        ("name", "a setting is `key = value`"),
        ("name = ../../etc", "`name` is"),
        ("name = $(touch x)", "`name` is"),
        ("shutdown_pin = 28", "`shutdown_pin` is 0 to 27"),
        ('card_path = x", RUN+="/bin/sh', "`card_path` is"),
        ("sound_overlay = a;b", "`sound_overlay` is"),
        ("time_zone = Europe/Berlin; rm", "`time_zone` is"),
        ("read_only = perhaps", "`read_only` is yes or no"),
        ("installation = /nowhere.yaml", "there is no file /nowhere.yaml"),
        ("package = ./nowhere.whl", "there is no file ./nowhere.whl"),
        ("package = perpetuum", "there is no file perpetuum"),
        ("wheels = /nowhere", "no wheel lies in /nowhere"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_reason_before_anything_is_done(tmp_path, line, why):
    here = tmp_path / "settings.conf"
    here.write_text(f"# mine\n{line}\n")
    said = install("--files", tmp_path / "root", settings=here)
    assert said.returncode == 1
    assert why in said.stderr
    assert not (tmp_path / "root").exists()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing():
    assert subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True).stdout == ""
