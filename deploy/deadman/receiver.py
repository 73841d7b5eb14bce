#!/usr/bin/env python3
"""Notices that an installation gives no sign of life any more. Standard library; runs on any machine that is always on.

    receiver.py --port 8480 --after 240 -- mail -s "No sign of {name}" technician@example.org

Each installation asks for /NAME once a minute. When one has not for `--after` seconds, the command is run once, with
{name} put in; and once more, with the word "again" on its standard input instead of "gone", when it is back. A command
that fails is run again until it succeeds. One that is named by `--expect NAME` is missed though it never asked.
"""

import argparse
import http.server
import re
import subprocess
import sys
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port", type=int, default=8480)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--after", type=float, default=240.0)
parser.add_argument("--expect", action="append", default=[], metavar="NAME")
parser.add_argument("command", nargs="+")
options = parser.parse_args()
seen: dict[str, float] = dict.fromkeys(options.expect, time.monotonic())
gone: set[str] = set()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes signs of life."""

    timeout = 10

    def do_GET(self) -> None:
        """Take one."""
        name = self.path.strip("/")
        known = bool(re.fullmatch(r"[\w.-]{1,40}", name)) and (name in seen or len(seen) < 1000)
        if known:
            seen[name] = time.monotonic()
        self.send_response(200 if known else 404)
        self.end_headers()

    def do_POST(self) -> None:
        """Take one of an Alertmanager, whatever else it says."""
        length = self.headers.get("Content-Length", "")
        self.rfile.read(min(int(length), 1 << 20) if length.isascii() and length.isdigit() else 0)
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def told(name: str, word: str) -> bool:
    """Run the command; whether it succeeded."""
    command = [argument.replace("{name}", name) for argument in options.command]
    try:
        subprocess.run(command, input=f"{name} {word}\n", text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:  # whoever watches must not end with whom it tells
        print(f"{name} {word}: {error}; it is tried again", file=sys.stderr, flush=True)
        return False
    return True


server = http.server.ThreadingHTTPServer((options.host, options.port), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    time.sleep(min(1.0, options.after / 4))
    for name, at in list(seen.items()):
        late = time.monotonic() - at > options.after
        if late != (name in gone) and told(name, "gone" if late else "again"):
            (gone.add if late else gone.discard)(name)
