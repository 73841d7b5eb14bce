"""An installed wheel finds its scenes, instruments and weights, far from any checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel, unpack it elsewhere, and give a way to run its command there."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)

    def run(*arguments: str) -> subprocess.CompletedProcess:
        # -P and PYTHONPATH: the unpacked wheel comes before the editable install of the checkout.
        command = [sys.executable, "-P", "-m", "engine", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    run.site = site
    return run


def test_a_wheel_lists_the_shipped_scenes(installed):
    listed = installed("scenes")
    shipped = sorted(path.stem for path in (ROOT / "scenes").glob("*.yaml"))
    assert shipped
    for name in shipped:
        assert name in listed.stdout


def test_a_wheel_checks_its_scenes_and_installations_as_playable(installed):
    """Instruments, samples and weights are all found inside the wheel, or the scenes would not be valid."""
    data = installed.site / "engine" / "data"
    files = [path for kind in ("scenes", "installations") for path in sorted((data / kind).glob("*.yaml"))]
    assert {path.name for path in files} >= {"slow_groove.yaml", "gallery.yaml", "every_setting.yaml"}
    checked = installed("check", *map(str, files))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_wheel_renders(installed):
    rendered = installed("render", "slow_groove", "--bars", "2", "--seed", "1", "-o", "out.wav")
    assert rendered.returncode == 0, rendered.stdout + rendered.stderr
    assert (installed.site.parent / "out.wav").stat().st_size > 100_000
