"""The script that makes an appliance of a Raspberry Pi: the files that it writes, without any Raspberry Pi.

What it does to a whole system, `python -m tests.proofs.appliance` shows in a root of its own.
"""

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
    here.write_text("name = foyer\nread_only = yes\ncard_path = usb-0:1.3:1.0\nreboot = Mon *-*-* 04:10\n")
    assert install("--files", tmp_path / "root", settings=here).returncode == 0
    made = tree(tmp_path / "root")
    assert "LABEL=perpetuum /var/lib/perpetuum ext4" in made["etc/fstab"]
    assert 'overlayroot="tmpfs:recurse=0"' in made["etc/overlayroot.local.conf"]
    assert 'ATTR{id}="Perpetuum"' in made["etc/udev/rules.d/85-perpetuum.rules"]
    assert "OnCalendar=Mon *-*-* 04:10" in made["etc/systemd/system/perpetuum-reboot.timer"]


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
