"""Debian's real nginx with `deploy/gpu-host/nginx.conf` in front of a pool, and a certificate made on the spot."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.health.prometheus import free_port, wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "gpu-host" / "nginx.conf"
PROGRAM = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
INSTALLED = bool(PROGRAM and shutil.which("openssl"))
WHY_NOT = "nginx is not installed (Debian: apt install nginx-light openssl)"

PATIENCE = 60
"""Seconds that a witness waits, on a machine that is busy."""


def certificate(folder: Path, name: str) -> Path:
    """A certificate of 127.0.0.1 that is its own authority: NAME.crt, with NAME.key beside it."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    whose = ["-subj", "/CN=pool", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    subprocess.run(["openssl", "req", "-x509", *key, *whose, *made], cwd=folder, check=True, capture_output=True)
    return folder / f"{name}.crt"


class Nginx:
    """The proxy of a pool, until it is closed.

    Args:
        folder: for all that is its own; it has the certificate `pool.crt` and its key.
        port: of the pool.
        told: what else is other than in the shipped file: times that a test cannot wait for.
    """

    def __init__(self, folder: Path, port: int, told: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.log = folder / "error.log"
        text = SHIPPED.read_text()
        for there, here in {
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "/etc/ssl/certs/": f"{folder}/",
            "/etc/ssl/private/": f"{folder}/",
            "127.0.0.1:8480": f"127.0.0.1:{port}",
            **(told or {}),
        }.items():
            assert there in text, f"{SHIPPED} has no {there!r}"
            text = text.replace(there, here)
        # What Debian's nginx.conf has around it, in this folder.
        kept = "".join(
            f"{what}_temp_path {folder}/{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""  # another one may not look into this folder
        (folder / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {self.log} info;\n"
            f"events {{ worker_connections 768; }}\nhttp {{\naccess_log off;\n{kept}{text}}}\n"
        )
        assert PROGRAM is not None
        command = [PROGRAM, "-p", str(folder), "-e", str(self.log), "-c", str(folder / "nginx.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started = wait_until(lambda: self.log.exists() and "start worker process" in self.log.read_text(), PATIENCE)
        if not started:
            self.close()
        assert started, self.log.read_text() if self.log.exists() else "nginx says nothing"

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE)
