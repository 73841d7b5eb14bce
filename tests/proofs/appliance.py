# pyright: strict
"""The appliance of deploy/raspberry-pi in a Debian root of its own, as root on a Debian machine.

`python -m tests.proofs.appliance [--arch arm64] [--release bookworm] [--folder DIR] [--wheel FILE] [--wheels DIR]
[--networks]`

It makes a root with debootstrap (one of another architecture runs by qemu-user-static, which is registered for as long
as this runs), lets `install.sh` do all of it there, and again, looks whether pyo is in double precision, whether
`check` passes, whether ten seconds of a scene by rules are the same notes as here, and with `--networks` how many
phrases of networks are. `--wheels` are wheels of that architecture, as `pip download --platform` gives them; without
it they are loaded there.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parents[2]
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
MAGIC = r":NAME:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:" + (
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:/usr/bin/qemu-aarch64-static:F"
)
NAME = "perpetuum-proof"

SCENE = """perpetuum: 1
title: Small
tempo: 90 qpm
key: C major
parts:
  pad: {generator: chord_walk, instrument: warm_pad}
  bass: {generator: bass_line, instrument: round_bass}
sections: {all: {bars: 8 bars, parts: [pad, bass]}}
"""

IDEMPOTENT = ("+ groupadd", "+ usermod", "+ install -d", "+ chgrp")
"""What the script does each time, without changing anything."""

NETWORKS = (("one_drum", 32), ("lookback_rnn", 64), ("drum_kit", 32), ("cat-mel_2bar_small", 32))
"""Models, and the steps of a phrase."""

PHRASES = 16

EMULATED = """
Only emulated, or not there: the board (its firmware, config.txt, GPIO, watchdog, heat, power), the sound card and
its driver, systemd as the first process (units are written and not started), overlayroot at boot, the clock, realtime
limits, and, where the architecture is another one, the processor and so every figure of speed.
"""


@contextmanager
def emulation(arch: str) -> Generator[None]:
    """Programs of an architecture run here."""
    if MACHINES[arch] == platform.machine():
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "binfmt_misc", "none", folder], check=True)
        try:
            if not any(Path(folder).glob("*aarch64*")):
                (Path(folder) / "register").write_text(MAGIC.replace("NAME", NAME))
            yield
        finally:
            mine = Path(folder) / NAME
            if mine.exists():
                mine.write_text("-1")
            subprocess.run(["umount", folder], check=False)


class Root:
    """A Debian system in a folder.

    Args:
        place: of the folder.
    """

    def __init__(self, place: Path) -> None:
        self.place = place

    def make(self, arch: str, release: str) -> None:
        """Install the least of Debian, unless it is there."""
        if not (self.place / "etc/os-release").exists():
            sources = "include=ca-certificates"
            subprocess.run(
                ["debootstrap", f"--arch={arch}", "--variant=minbase", f"--{sources}", release, str(self.place)],
                check=True,
                stdout=sys.stderr,
            )
        shutil.copy("/etc/resolv.conf", self.place / "etc/resolv.conf")
        # Whom this machine trusts, that root does: registries may be behind a proxy.
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", self.place / "etc/ssl/certs/ca-certificates.crt")

    def run(self, *command: str, check: bool = True) -> str:
        """What a command prints there, its mounts gone with it."""
        place = self.place
        script = f'mount -t proc proc {place}/proc; mount --bind /dev {place}/dev; exec chroot {place} "$@"'
        words = [
            "env",
            "PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
            "unshare",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            *command,
        ]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        sys.stderr.write(done.stderr[-2000:])
        if check and done.returncode:
            raise SystemExit(f"{' '.join(command)} ends with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout


def fill(root: Root, wheel: Path, wheels: Path | None) -> None:
    """Put there what a stick would hold."""
    stick = root.place / "root/stick"
    shutil.rmtree(stick, ignore_errors=True)
    shutil.copytree(HERE / "deploy", stick / "deploy")
    shutil.copy(wheel, stick)
    (stick / "small.yaml").write_text(SCENE)
    (stick / "foyer.yaml").write_text(
        'perpetuum: 1\ntitle: Foyer\nscenes: {small: {file: /root/stick/small.yaml}}\noutput: "null"\n'
    )
    settings = f"name = foyer\ninstallation = /root/stick/foyer.yaml\npackage = /root/stick/{wheel.name}\n"
    if wheels is not None:
        shutil.copytree(wheels, stick / "wheels")
        settings += "wheels = /root/stick/wheels\n"
    (stick / "settings.conf").write_text(settings + "sound_overlay = hifiberry-dacplus\n")
    (root.place / "boot/firmware").mkdir(parents=True, exist_ok=True)
    (root.place / "boot/firmware/config.txt").touch()


def built(folder: Path) -> Path:
    """A wheel of this checkout."""
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(HERE)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return next(folder.glob("perpetuum-*.whl"))


def proof(root: Root) -> list[tuple[str, str]]:
    """Rows of the table: what was done, and what came of it."""
    rows: list[tuple[str, str]] = []

    def step(what: str, *command: str, check: bool = True) -> str:
        began = time.monotonic()
        printed = root.run(*command, check=check)
        rows.append((what, f"{time.monotonic() - began:.0f} s"))
        return printed

    script = ("/root/stick/deploy/raspberry-pi/install.sh", "/root/stick/settings.conf")
    rows.append(("system", root.run("sh", "-c", ". /etc/os-release; echo $PRETTY_NAME, $(uname -m)").strip()))
    step("install.sh --dry-run", script[0], "--dry-run", script[1])
    step("install.sh", *script)
    again = step("install.sh again", *script)
    touched = [line for line in again.splitlines() if line.startswith("+") and not line.startswith(IDEMPOTENT)]
    rows.append(("changed by the second run", ", ".join(touched) or "nothing"))
    python, perpetuum = "/opt/perpetuum/bin/python", "/opt/perpetuum/bin/perpetuum"
    precision = "import pyo64; print(pyo64.getPrecision())"
    rows.append(("precision of pyo, bits", root.run(python, "-c", precision).strip().splitlines()[-1]))
    rows.append(("check", root.run(perpetuum, "check", "/etc/perpetuum/foyer.yaml").strip().splitlines()[-1]))
    step("doctor", perpetuum, "doctor", "/etc/perpetuum/foyer.yaml", check=False)
    render = ("render", "/root/stick/small.yaml", "--minutes", "0.17", "--seed", "5")
    step("render of ten seconds", perpetuum, *render, "-o", "/root/a.wav", "--midi", "/root/a.mid")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "small.yaml").write_text(SCENE)
        words = [*render[:1], str(place / "small.yaml"), *render[2:], "-o", str(place / "a.wav")]
        subprocess.run(
            [sys.executable, "-m", "engine", *words, "--midi", str(place / "a.mid")], check=True, capture_output=True
        )
        same = (place / "a.mid").read_bytes() == (root.place / "root/a.mid").read_bytes()
    rows.append(("its notes as here", "the same" if same else "OTHERS"))
    return rows


def phrases(root: Root) -> list[tuple[str, str]]:
    """Rows: of how many phrases of a network each note is as here."""
    rows: list[tuple[str, str]] = []
    for model, steps in NETWORKS:
        words = ("generate", model, "-n", str(PHRASES), "--num-steps", str(steps), "--seed", "5", "-o")
        began = time.monotonic()
        root.run("/opt/perpetuum/bin/perpetuum", *words, f"/root/{model}")
        passed = time.monotonic() - began
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "engine", *words, folder], check=True, capture_output=True)
            here = {one.name: one.read_bytes() for one in Path(folder).glob("*.mid")}
        same = sum((root.place / "root" / model / name).read_bytes() == data for name, data in here.items())
        rows.append((f"phrases of {model} as here", f"{same} of {len(here)}, {passed:.0f} s"))
    return rows


def main() -> int:
    """Print the table; gives the exit code."""
    parser = argparse.ArgumentParser(description="The appliance in a Debian root of its own.")
    parser.add_argument("--arch", choices=list(MACHINES), default="arm64")
    parser.add_argument("--release", choices=["bookworm", "trixie"], default="bookworm")
    parser.add_argument("--folder", type=Path, help="A root that is there, or is made there and stays.")
    parser.add_argument("--wheel", type=Path, help="Of Perpetuum; built without it.")
    parser.add_argument("--networks", action="store_true", help="Compare phrases of networks, too.")
    parser.add_argument("--wheels", type=Path, help="Of what it needs, for that architecture.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, emulation(options.arch):
        root = Root(options.folder or Path(folder) / "root")
        root.make(options.arch, options.release)
        fill(root, options.wheel or built(Path(folder)), options.wheels)
        rows = proof(root)
        rows += phrases(root) if options.networks else []
    print("| | |\n|---|---|")
    for what, came in rows:
        print(f"| {what} | {came} |")
    print(EMULATED)
    wrong = dict(rows)["its notes as here"] != "the same" or dict(rows)["changed by the second run"] != "nothing"
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
