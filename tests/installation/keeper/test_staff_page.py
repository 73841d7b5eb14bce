"""The page for staff: what is shown and done, for whom, and what other sites cannot have done. The server is real."""

import http.client
import json
import time
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from urllib.parse import urlencode

import msgspec
import pytest

from engine.errors import PerpetuumError
from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.installation.choices.access import Address, Listening
from engine.installation.choices.secret import Secret
from engine.installation.keeper.hands.http import HttpControl
from engine.installation.keeper.hands.staff_page import FIRST_WAIT, LONGEST_WAIT, MOST_WRONG, StaffPage, Visit
from tests.installation.keeper.test_http import free_port, pause

TITLE = "Foyer <b>& Café</b>"


class Keeper:
    """Answers as `Telling` does: it remembers what hands want."""

    def __init__(self):
        self.asked = []
        self.muted = self.quiet = False
        self.volume = 0.0

    def __call__(self, line, who):
        if line != "status":
            self.asked.append((line, who))
        match line.split():
            case ["mute" | "unmute"]:
                self.muted = line == "mute"
            case ["quiet" | "normal"]:
                self.quiet = line == "quiet"
            case ["softer"]:
                self.volume -= 2
            case ["volume", text]:
                self.volume = float(text)
            case ["louder"]:
                raise PerpetuumError("it is <as> loud as it may be")
        now = time.monotonic()  # the snapshot is of before what was asked, as it is for up to a second
        stations = (("sealed", 3), ("rendered", 2), ("taken", 1))
        snapshot = HealthSnapshot(
            time.time(), now, True, False, False, "still_water", FallbackLevel.NONE, stations, (), 6.0, 0.0, 0.1,
            "", time.time(), (),
        )  # fmt: skip
        told = {"title": TITLE, "snapshot": msgspec.to_builtins(snapshot), "muted": self.muted, "quiet": self.quiet}
        return json.dumps({**told, "volume": self.volume}) if line == "status" else "done"


class Forms(HTMLParser):
    """What a page shows: its words, and its forms as {action: {name: value}}."""

    def __init__(self, text):
        super().__init__()
        self.words, self.forms, self.within = "", {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "form":
            assert named["method"] == "post"
            self.forms[named["action"]] = {}
            self.within.append(named["action"])
        if tag == "input":
            self.forms[self.within[-1]][named["name"]] = named.get("value", "")
        assert tag not in ("script", "img", "link", "iframe"), "nothing is loaded, nothing runs"

    def handle_data(self, data):
        self.words += f" {data.strip()}"


class Browser:
    """Keeps a cookie, sends what browsers send, and goes where it is led."""

    def __init__(self, port):
        self.port, self.cookie = port, ""
        self.origin = f"http://127.0.0.1:{port}"

    def ask(self, method, path, form=None, **headers):
        given = {"Host": f"127.0.0.1:{self.port}", **({"Cookie": self.cookie} if self.cookie else {})}
        if form is not None:
            given |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
            given |= {"Sec-Fetch-Site": "same-origin"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if value}
        for _ in range(200):
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            with suppress(ConnectionRefusedError):
                client.request(method, path, urlencode(form) if form is not None else None, given)
                break
            pause()
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
        if (kept := answer.getheader("Set-Cookie")) is not None:
            assert {"HttpOnly", "SameSite=Strict", "Path=/staff"} <= {one.strip() for one in kept.split(";")}
            self.cookie = kept.partition(";")[0] if "Max-Age=0" not in kept else ""
        return answer.status, text, dict(answer.getheaders())

    def page(self):
        code, text, _ = self.ask("GET", "/staff")
        return code, Forms(text)

    def press(self, action, **headers):
        """Send a form as it stands on the page now."""
        return self.ask("POST", action, self.page()[1].forms[action], **headers)[0]


@contextmanager
def serving(secret=None, loopback=True, password=None):
    keeper, port = Keeper(), free_port()
    listening = Listening((Address("127.0.0.1", port, loopback),), secret, staff_password=password)
    control = HttpControl(listening, True, keeper, retry=0.05)
    control.start()
    try:
        yield keeper, Browser(port)
    finally:
        control.close()


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "token").write_text("s3cret Ä\n")
    return Secret(file=str(tmp_path / "token"))


def test_it_says_how_it_is_and_does_what_staff_may():
    with serving() as (keeper, browser):
        code, page = browser.page()
        assert code == 200
        assert "MUSIC PLAYS: still water. Nothing needs to be done." in page.words
        assert TITLE in page.words
        assert "/staff/usual" not in page.forms
        for action, words in (
            ("softer", "2 dB softer than usual, until the next opening"),
            ("usual", "As usual."),
            ("mute", "MUTED by hand"),
            ("unmute", "Not muted"),
            ("quiet", "Quiet mode is on"),
            ("normal", "Quiet mode is off"),
        ):
            assert browser.press(f"/staff/{action}") == 303, "and not shown at once: loading again does nothing again"
            assert words in browser.page()[1].words
        assert [line for line, _ in keeper.asked] == ["softer", "volume 0", "mute", "unmute", "quiet", "normal"]
        assert {who for _, who in keeper.asked} == {"staff page"}
        form = browser.page()[1].forms["/staff/louder"]
        code, text, headers = browser.ask("POST", "/staff/louder", form)
        assert (code, "it is <as> loud as it may be" in Forms(text).words) == (409, True)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


def test_what_another_site_sends_does_nothing():
    with serving() as (keeper, browser):
        evil = "http://evil.example"
        assert browser.press("/staff/mute", Origin=evil) == 403
        assert browser.press("/staff/mute", Origin="null") == 403
        assert browser.press("/staff/mute", Origin="http://[") == 403
        assert browser.press("/staff/mute", Sec_Fetch_Site="cross-site") == 403
        assert browser.press("/staff/mute", Sec_Fetch_Site="same-site") == 403
        assert browser.press("/staff/mute", Host="evil.example") == 403, "another name for this machine"
        old = {"Origin": "", "Sec_Fetch_Site": ""}  # of a browser that says neither
        for form in ({}, {"form": "0" * 64}, {"form": "Ä"}):
            assert browser.ask("POST", "/staff/mute", form, **old)[0] == 403
        assert browser.ask("POST", "/staff/mute")[0] == 403, "without any form"
        assert browser.ask("GET", "/staff/mute")[0] == 303
        for what in ("alarm", "reload", "scene/x", "volume/6", "..%2falarm", "<b>"):
            assert browser.ask("POST", f"/staff/{what}", browser.page()[1].forms["/staff/mute"])[0] == 404
        assert browser.ask("POST", "/staff/mute", {"form": "x" * 5000})[0] == 413
        assert keeper.asked == []
        assert browser.press("/staff/mute", **old) == 303
        assert browser.ask("POST", "/mute", {}, Sec_Fetch_Site="same-origin")[0] == 403, "commands are as they were"


def test_with_a_token_nobody_sees_or_does_anything_before_it_was_shown(secret, tmp_path):
    with serving(secret, loopback=False) as (keeper, browser):
        code, page = browser.page()
        assert (code, list(page.forms)) == (200, ["/staff/login"])
        assert TITLE not in page.words
        assert "still water" not in page.words
        assert browser.ask("POST", "/staff/mute", {"form": "x"})[0] == 401
        for wrong in ("", "wrong", "s3cret"):
            assert browser.ask("POST", "/staff/login", {"password": wrong})[0] == 401
        assert browser.cookie == ""
        assert browser.ask("POST", "/staff/login", {"password": "s3cret Ä"}, Origin="http://evil.example")[0] == 403
        assert browser.ask("POST", "/staff/login", {"password": "s3cret Ä"})[0] == 303
        assert "s3cret" not in browser.cookie
        assert browser.press("/staff/mute") == 303
        assert "MUTED" in browser.page()[1].words
        assert browser.ask("POST", "/alarm", {}, Origin="", Sec_Fetch_Site="")[0] == 401, "it opens this page alone"
        stranger = Browser(browser.port)
        for cookie in ("perpetuum_staff=" + "0" * 64, "perpetuum_staff=", "=;;x", "perpetuum_staff=Ä"):
            stranger.cookie = cookie
            assert list(stranger.page()[1].forms) == ["/staff/login"]
        kept = browser.cookie
        browser.cookie = f'of_another_port={{"a": [1, "@"]}}; {kept}; b'
        assert "Muted" in browser.page()[1].words
        browser.cookie = kept
        assert browser.press("/staff/logout") == 303
        assert browser.cookie == ""
        browser.cookie = kept
        (tmp_path / "token").write_text("another")
        assert list(browser.page()[1].forms) == ["/staff/login"], "another token ends it"
        (tmp_path / "token").unlink()
        assert browser.ask("GET", "/staff")[0] == 403
        assert keeper.asked == [("mute", "staff page")]


def test_beyond_this_machine_there_is_no_page_without_a_token():
    with serving(loopback=False) as (keeper, browser):
        assert browser.ask("GET", "/staff")[0] == 403
        assert browser.ask("POST", "/staff/mute", {"form": ""})[0] == 403
        assert keeper.asked == []


@pytest.fixture
def password(tmp_path):
    (tmp_path / "password").write_text("482913\n")
    return Secret(file=str(tmp_path / "password"))


def test_the_password_of_staff_opens_the_page_and_nothing_else(secret, password, tmp_path):
    with serving(secret, loopback=False, password=password) as (keeper, browser):
        assert browser.ask("POST", "/staff/login", {"password": "482914"})[0] == 401
        assert browser.ask("POST", "/staff/login", {"password": "482913"})[0] == 303
        assert browser.press("/staff/mute") == 303
        plain = {"Origin": "", "Sec_Fetch_Site": "", "Authorization": "Bearer 482913"}
        for line in ("/mute", "/alarm", "/scene/still_water", "/reload"):
            assert browser.ask("POST", line, **plain)[0] == 401
        assert browser.ask("GET", "/status", **plain)[0] == 401
        kept = browser.cookie
        for place, value in (("token", "another"), ("password", "555555")):
            browser.cookie = kept
            old = (tmp_path / place).read_text()
            (tmp_path / place).write_text(value)
            assert list(browser.page()[1].forms) == ["/staff/login"], "another one of either ends it"
            (tmp_path / place).write_text(old)
        assert "Muted" in browser.page()[1].words
        technician = Browser(browser.port)
        assert technician.ask("POST", "/staff/login", {"password": "s3cret Ä"})[0] == 303
        assert "Muted" in technician.page()[1].words
        for wrong in ("12345", ""):
            (tmp_path / "password").write_text(wrong)
            assert browser.ask("POST", "/staff/login", {"password": wrong})[0] == 401, "too short, or not there"
        assert keeper.asked == [("mute", "staff page")]


def test_where_there_is_no_token_the_password_of_staff_is_asked_for_all_the_same(password, tmp_path):
    with serving(password=password) as (_, browser):
        assert list(browser.page()[1].forms) == ["/staff/login"]
        assert browser.ask("POST", "/staff/login", {"password": "482913"})[0] == 303
        assert browser.press("/staff/mute") == 303
        (tmp_path / "password").unlink()
        assert browser.ask("GET", "/staff")[0] == 403


def login(page, given, token="the token"):
    visit = Visit("POST", "/staff/login", "here", form={"password": given})
    return page.visit(visit, token, "482913").code


def test_whoever_tries_passwords_waits_longer_each_time_and_the_token_opens_meanwhile():
    second = 0.0
    page = StaffPage(lambda line: "{}", lambda: second)
    assert [login(page, f"{number:06}") for number in range(MOST_WRONG)] == [401] * MOST_WRONG
    tried = MOST_WRONG
    for _ in range(10):
        assert login(page, "482913") == 429, "the right one, too, or waiting would mean nothing"
        second += LONGEST_WAIT
        assert login(page, "999999") == 401
        tried += 1
    assert login(page, "482913") == 429
    second += LONGEST_WAIT - 1
    assert login(page, "482913") == 429, "by now it is an hour"
    assert login(page, "the token") == 303, "and who has it begins anew"
    assert login(page, "000000") == 401
    assert login(page, "482913") == 303


def test_the_first_wait_is_short_for_those_who_mistype():
    second = 0.0
    page = StaffPage(lambda line: "{}", lambda: second)
    for _ in range(MOST_WRONG):
        login(page, "482931")
    second += FIRST_WAIT
    assert login(page, "482913") == 303


def test_nobody_makes_a_cookie_of_the_password_alone():
    pages = [StaffPage(lambda line: "{}") for _ in range(2)]
    visit = Visit("POST", "/staff/login", "here", form={"password": "482913"})
    cookies = {dict(page.visit(visit, token, "482913").more)["Set-Cookie"] for page in pages for token in (None, "t")}
    assert len(cookies) == 3, "by the token, or by what only this process knows"
