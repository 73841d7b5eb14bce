"""The page of one glance: the first words are what a caretaker needs."""

import http.server
import json
import threading
from dataclasses import replace
from html.parser import HTMLParser

import msgspec
import pytest

from engine import assets
from engine.cli import main
from engine.events.snapshot import FallbackLevel, HealthSnapshot
from engine.health.metrics import Metrics
from engine.health.page import for_caretaker, page
from engine.health.serving import Endpoints, application
from engine.installation.choices.access import Address, Listening
from engine.installation.choices.secret import Secret
from engine.installation.loading import read_installation
from engine.installation.sheet import sheet
from tests.health.making import SOUND, after


@pytest.mark.parametrize(
    ("like", "first"),
    [
        ({}, "MUSIC PLAYS: still water"),
        ({"level": FallbackLevel.LAST_BARS}, "MUSIC PLAYS"),
        ({"expected": False}, "IT RESTS"),
        ({"expected": False, "muted": True}, "MUTED"),
        ({"expected": False, "scene": "", "stations": ()}, "CLOSED"),
        ({"expected": False, "stations": (("taken", 0),)}, "IT IS ABOUT TO BEGIN"),
        ({"expected": False, "alarm": True}, "SILENT: the fire alarm"),
        ({"silent": 40.0}, "SILENT, though there should be music: for 40 s"),
        ({"lost": "the card is gone"}, "SILENT, though"),
        ({"late": ("taken",)}, "IT DOES NOT WORK"),
        ({"mains": "it runs on battery"}, "THE POWER IS OUT"),
        ({"room": "the amplifier is off"}, "NOTHING IS HEARD IN THE ROOM"),
        ({"room": "the amplifier is off", "expected": False}, "IT RESTS"),
        ({"mixer": "the mixer Master is muted"}, "SOMEBODY TURNED THE SOUND DOWN: the mixer Master is muted"),
    ],
)
def test_the_first_line_says_what_is_so(like, first):
    now = after(SOUND, 0, **like)
    lines = for_caretaker(now, now.monotonic)
    assert lines[0].startswith(first)
    asks = ("SILENT, though", "IT DOES NOT", "NOTHING", "SOMEBODY", "THE POWER")
    assert ("1." in " ".join(lines)) == first.startswith(asks)


def test_what_does_not_answer_does_not_work():
    assert for_caretaker(None, 5.0)[0].startswith("IT DOES NOT WORK")
    assert for_caretaker(SOUND, SOUND.monotonic + 60)[0].startswith("IT DOES NOT WORK")


def test_the_technician_is_told_the_rest():
    text = page("Foyer", SOUND, SOUND.monotonic + 1)
    for words in ("8.0 s decided", "taken 96000", "written 10 s ago", "ok  heartbeat"):
        assert words in text


def test_the_technician_is_told_how_loud_it_is_to_be_in_the_room_and_what_staff_have_done():
    now = after(SOUND, 0, wanted=-23.0, wanted_dba=61.04, volume=-2.0, low_cut=80.0)
    words = "loudness  -23.0 LUFS (61.0 dBA) wanted, staff -2 dB until the next opening, nothing below 80 Hz"
    assert words in page("Foyer", now, now.monotonic)


def test_a_snapshot_travels_as_json():
    assert msgspec.convert(json.loads(msgspec.json.encode(SOUND)), HealthSnapshot) == SOUND


def status(*words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["status", *words])
    return ended.value.code or 0, capsys.readouterr()


def test_an_installation_elsewhere_is_asked_by_its_address(capsys):
    """Its clock is another one than ours: the age of what it tells travels along."""
    now = [SOUND.monotonic]
    app = application(Metrics("1").registry, lambda: SOUND, "Foyer", lambda: now[0])
    endpoints = Endpoints(app, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{endpoints.port}/"
    code, said = status(address, capsys=capsys)
    assert (code, said.out.splitlines()[0]) == (0, "Foyer")
    assert "MUSIC PLAYS" in said.out
    now[0] += 60
    code, said = status(address, capsys=capsys)
    assert (code, "IT DOES NOT WORK" in said.out) == (1, True)
    endpoints.close()
    code, said = status(address, capsys=capsys)
    assert (code, "IT DOES NOT WORK" in said.out, "does not answer" in said.err) == (2, True, True)


def test_what_is_no_installation_is_said(capsys):

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.do_GET = lambda self: (
        self.send_response(200),
        self.end_headers(),
        self.wfile.write(b"hi"),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code, said = status(f"http://127.0.0.1:{server.server_port}", capsys=capsys)
    server.shutdown()
    server.server_close()
    assert code == 2
    assert "not as an installation does" in said.err


class Text(HTMLParser):
    """The words of a page; tags must close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_sheet_says_what_the_file_says(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["sheet", "every_setting", "-o", str(tmp_path / "sheet.html"), "--contact", "Ada <030> & co"])
    assert not ended.value.code
    parser = Text()
    parser.feed((tmp_path / "sheet.html").read_text())
    assert parser.open == []
    words = " ".join(parser.words)
    for said in (
        "The foyer of a museum",
        "from 3 pieces: still water, slow groove, tides",
        "At 12:00 to 12:10 and 15:00 to 15:05 on Wednesday, Saturday, Sunday: noon",
        "At 13:00 to 14:00",
        "10:00 to 18:00 and 19:30 to 01:00",
        "12-25 of every year to 12-26 of every year",
        "Outside the hours: evensong, softly.",
        "It blinks quickly: something is wrong",
        "Buttons: louder, softer, mute, quiet mode.",
        "plays on from its battery for 2 minutes, and then switches itself off",
        "dB(A) where the meter stood",
        "In the network of the house: http://192.168.1.20:8470/staff. It asks once for the password of staff.",
        "Ada <030> & co",
        "perpetuum control every_setting unmute",
    ):
        assert said in words, said


SECRET = Secret(env="SOMEWHERE")


@pytest.mark.parametrize(
    ("listening", "words"),
    [
        (Listening(), ""),
        (
            Listening((Address("10.0.0.9", 80, False),), SECRET),
            "//10.0.0.9:80/staff. It asks once for the t",
        ),
        (
            Listening((Address("::", 80, False),), SECRET, (), SECRET),
            "____:80/staff. It asks once for the p",
        ),
    ],
)
def test_the_sheet_names_the_page_for_staff_where_a_telephone_reaches_it(listening, words):
    read, _ = read_installation(assets.installation("every_setting"))
    text = sheet(replace(read, listening=listening), "here")
    assert ("/staff" in text) == bool(words)
    assert words in text
