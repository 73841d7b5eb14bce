"""What deploy/gpu-host holds is right: the pool's file, and the units for systemd."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from engine.pool.serving.file.reading import read_pool_file

DEPLOY = Path(__file__).parents[2] / "deploy" / "gpu-host"


def test_the_file_is_valid_and_names_the_port_of_the_socket(monkeypatch):
    monkeypatch.setenv("FOYER_TOKEN", "x" * 20)
    config, found = read_pool_file(DEPLOY / "pool.yaml")
    assert not found
    assert config is not None
    assert f"ListenStream={config.listen[0].port}\n" in (DEPLOY / "perpetuum-pool.socket").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path):
    for name in ("perpetuum-pool.socket", "perpetuum-pool.service"):
        text = (DEPLOY / name).read_text().replace("/opt/perpetuum/bin/perpetuum", shutil.which("true") or "/bin/true")
        (tmp_path / name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
