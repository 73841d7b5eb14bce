"""The page for staff in a real browser: `python -m tests.proofs.staff_page [--picture FILE]`.

A real `perpetuum run` with a token, and Chromium with JavaScript switched off, driven by its own driver over WebDriver
(`apt install chromium-driver`): logging in, softer, mute, quiet, and back, each looked up in what the installation says
of itself. Then a page of another origin, with JavaScript, sends the form for a mute: nothing is to come of it.
"""

from __future__ import annotations

import argparse
import base64
import http.server
import json
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from engine.installation.keeper.hands.control import ask
from tests.health.prometheus import wait_until
from tests.installation.keeper.test_run import Run

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""How WebDriver calls an element."""

EVIL = """<!doctype html><title>evil</title><form method="post" action="ACTION"><input name="form" value="x"></form>
<script>document.forms[0].submit()</script>"""


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Driver:
    """A browser of the size of a telephone.

    Args:
        at: URL of the driver.
        scripts: whether pages may run some.
    """

    def __init__(self, at: str, scripts: bool) -> None:
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=412,915"]
        settings = {"profile.managed_default_content_settings.javascript": 1 if scripts else 2}
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments, "prefs": settings}}
        self._at = at
        told = self.tell("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._at = f"{at}/session/{told['sessionId']}"

    def tell(self, method: str, path: str, body: object = None) -> Any:
        """Ask the driver for something."""
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self._at + path, data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    def go(self, url: str) -> None:
        """Show a page."""
        self.tell("POST", "/url", {"url": url})

    def find(self, css: str) -> str:
        """An element."""
        return self.tell("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def words(self) -> str:
        """What is read on the page."""
        return self.tell("GET", f"/element/{self.find('body')}/text")

    def press(self, action: str) -> None:
        """Press the button of a form."""
        self.tell("POST", f"/element/{self.find(f'form[action$={action}] button')}/click")

    def type(self, css: str, text: str) -> None:
        """Fill something in."""
        self.tell("POST", f"/element/{self.find(css)}/value", {"text": text})

    def heights(self) -> list[float]:
        """Of all buttons, in CSS pixels."""
        found = self.tell("POST", "/elements", {"using": "css selector", "value": "button"})
        return [self.tell("GET", f"/element/{one[ELEMENT]}/rect")["height"] for one in found]

    def close(self) -> None:
        """End the browser."""
        self.tell("DELETE", "")


def visited(run: Run, at: str, picture: Path | None) -> None:
    """All that staff may do, with JavaScript off."""

    def says(name: str) -> object:
        return json.loads(ask(run.state, "status"))[name]

    page, browser = f"http://127.0.0.1:{run.port}/staff", Driver(at, scripts=False)
    browser.go(page)
    assert "drone" not in browser.words()
    browser.type("#password", "s3cret")
    browser.press("login")
    assert "MUSIC PLAYS: drone. Nothing needs to be done." in browser.words(), browser.words()
    for action, name, value in (
        ("softer", "volume", -2.0),
        ("usual", "volume", 0.0),
        ("mute", "muted", True),
        ("unmute", "muted", False),
        ("quiet", "quiet", True),
        ("normal", "quiet", False),
        ("softer", "volume", -2.0),
    ):
        browser.press(action)  # which may return before a busy machine has sent the form
        assert wait_until(lambda name=name, value=value: says(name) == value, 20), (action, says(name))
        muted = action == "mute"
        assert wait_until(lambda muted=muted: ("MUTED" in browser.words()) == muted, 20), browser.words()
        print(f"{action:<8}{name} is {value}; the page: {' / '.join(browser.words().splitlines()[1:4])}")
    print(f"smallest button: {min(browser.heights()):.0f} CSS pixels high")
    if picture is not None:
        picture.write_bytes(base64.b64decode(browser.tell("GET", "/screenshot")))
    browser.close()


def attacked(run: Run, at: str, evil: str) -> None:
    """A page of another origin sends a form, in a browser that is logged in."""
    page, browser = f"http://127.0.0.1:{run.port}/staff", Driver(at, scripts=True)
    browser.go(page)
    browser.type("#password", "s3cret")
    browser.press("login")
    browser.go(evil)
    end = time.monotonic() + 10
    while "Nothing was done" not in browser.words() and time.monotonic() < end:
        time.sleep(0.1)
    muted = json.loads(ask(run.state, "status"))["muted"]
    print(f"a page of another origin: {browser.words().splitlines()[1]!r}; muted: {muted}")
    assert "Nothing was done" in browser.words()
    assert not muted
    browser.close()


def serve_evil(folder: Path, action: str) -> str:
    """URL of a page that sends a form to `action` by itself."""
    (folder / "index.html").write_text(EVIL.replace("ACTION", action))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}/"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path, help="of the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="perpetuum-staff-") as place:
        folder, port = Path(place), free_port()
        (folder / "token").write_text("s3cret\n")
        (folder / "evil").mkdir()
        run = Run(folder, "take.wav", token=str(folder / "token"))
        driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        try:
            run.sounds()
            at = f"http://127.0.0.1:{port}"
            while True:
                try:
                    urllib.request.urlopen(f"{at}/status", timeout=5).close()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.2)
            visited(run, at, options.picture)
            attacked(run, at, serve_evil(folder / "evil", f"http://127.0.0.1:{run.port}/staff/mute"))
        finally:
            driver.terminate()
            driver.wait(10)
            run.process.terminate()
            run.process.wait(20)


if __name__ == "__main__":
    main()
