"""The pool's HTTP server under everything that its own OpenAPI document allows and forbids.

    python -m tests.proofs.pool.api [--examples N]

Needs schemathesis (pip install schemathesis). What is valid by the schema alone may be refused: no schema says that a
key is the digest of a job.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.pool.servers import PoolServer


def main() -> int:
    """Attack it; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=25)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        PoolServer(Path(folder) / "weights", {"foyer": lambda: "let-me-in"}) as server,
    ):
        command = [
            shutil.which("schemathesis") or str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.url}/v1/openapi.json",
            "--header=Authorization: Bearer let-me-in",
            f"--max-examples={options.examples}",
            "--phases=examples,coverage,fuzzing",
            "--exclude-checks=positive_data_acceptance",
            "--seed=1",
        ]
        status = subprocess.run(command, check=False).returncode
        print(f"{server.makers.made} of these requests reached a maker")
        return status


if __name__ == "__main__":
    sys.exit(main())
