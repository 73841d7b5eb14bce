"""A support bundle: whatever state an installation is in, and without a byte of its secrets."""

import base64
import io
import json
import os
import re
import subprocess
import time
import zipfile
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli import cli
from engine.events import HandAsked
from engine.installation.keeper.hands.control import ControlSocket
from engine.installation.recorder.keeping import Keeping
from engine.installation.support.bundle import packed
from engine.installation.support.gathering import parts_of, support_case
from engine.installation.support.masking import MASK, Masker
from engine.installation.support.secrets import known_secrets, named_secrets
from engine.journal.entries import ENTRIES, HAPPENINGS, Happened, Noted
from engine.scenes.loading import read_tree
from tests.installation.making import HEAD, SMALL

PASSWORD = 'p@ss/w&rd "<ä+='
TOKEN = "Zm9vYmFyYmF6cXV4c2VjcmV0"
WEBHOOK = "https://user:log%20in@hooks.example.org/services/T0000/B0000?key=verysecretkey&x=1"
PING = "https://ping.example.org/5e0a4c1e-0000-4000-8000-abcdefabcdef"
STAFF = "st4ff-c0de"
SECRETS = (PASSWORD, TOKEN, WEBHOOK, PING, STAFF)
PARTS = ("verysecretkey", "services/T0000/B0000", "log%20in", "5e0a4c1e-0000-4000-8000-abcdefabcdef")

TEXT = """
output: "null"
state: state
listen: {control: [], health: [], token: {file: token}, staff_password: {env: DOOR}}
notices:
  mail: {to: a@example.org, sender: b@example.org, server: "mail.example.org:587", user: u, password: {env: MAIL_PW}}
  webhook: {env: HOOK}
  ping: {env: SIGN}
"""


def in_all_ways(secret: str) -> list[str]:
    """A secret as logs, URLs and headers write it."""
    coded = [base64.b64encode(before + secret.encode() + b" and so on").decode() for before in (b"", b"u:", b"user:")]
    return [secret, quote(secret), quote(secret, safe=""), json.dumps(secret), repr(secret), *coded]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An installation with every kind of secret, and with all of them in its logs."""
    monkeypatch.setenv("MAIL_PW", PASSWORD)
    monkeypatch.setenv("HOOK", WEBHOOK)
    monkeypatch.setenv("SIGN", PING)
    monkeypatch.setenv("DOOR", STAFF)
    (tmp_path / "token").write_text(TOKEN + "\n")
    log = tmp_path / "state" / "log"
    log.mkdir(parents=True)
    told = "\n".join(word for secret in SECRETS for word in in_all_ways(secret))
    (log / "perpetuum.log").write_text(f"{told}\nAuthorization: Bearer sometoken1\nhttp://me:pw@host/x?api_key=abc\n")
    path = tmp_path / "here.yaml"
    (tmp_path / "small.yaml").write_text(SMALL)
    path.write_text(HEAD + "scenes: {small: {}}\n" + TEXT + f"# {TOKEN} was the old one\n")
    return path


def bundle(path: Path, hours: float = 24.0) -> dict[str, str]:
    """What a bundle holds, by names; without what the doctor finds of this machine."""
    case = support_case(path)
    known = known_secrets(case.secrets, case.pid)
    masker = Masker(known.values, known.unread)
    return unpacked(packed(parts_of(case, lambda: "[]", hours), masker))


def unpacked(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def leaks(text: str, secret: str) -> bool:
    """Whether a secret can be had from a text: as it is, out of a URL, JSON or base64, wherever that begins."""
    tries = [text, unquote(text), text.encode().decode("unicode_escape", "replace")]
    for word in re.findall(r"[\w+/-]{8,}=*", text):
        for start in range(4):
            piece = word[start:].rstrip("=").replace("-", "+").replace("_", "/")
            tries.append(base64.b64decode(piece[: len(piece) // 4 * 4]).decode("utf-8", "replace"))
    return any(secret in one or secret in unquote(one) for one in tries)


def test_no_secret_is_in_it_whatever_way_it_was_written_in(here):
    found = bundle(here)
    assert "log/perpetuum.log" in found
    for name, text in found.items():
        for secret in (*SECRETS, *PARTS, "sometoken1", "me:pw", "api_key=abc"):
            assert not leaks(name + "\n" + text, secret), (name, secret)
    assert MASK in found["log/perpetuum.log"]
    assert "password: {env: MAIL_PW}" in found["files/here.yaml"]  # where it lies is no secret
    assert "Secrets are masked" in found["CONTENTS.txt"]


def test_the_test_of_leaks_sees_them(here):
    text = (here.parent / "state/log/perpetuum.log").read_text()
    assert all(leaks(text, secret) for secret in (*SECRETS, *PARTS))


TYPED = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"])


@given(st.text(TYPED, min_size=8, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_secret_in_any_spelling_is_masked(secret):
    masker = Masker([secret])
    for word in in_all_ways(secret):
        assert secret not in masker(f"before {word} after")
        assert secret not in unquote(masker(f"GET /x?y={quote(secret, safe='')}&z=1"))


def test_masking_a_long_line_takes_no_time_that_grows_with_its_square():
    masker = Masker(SECRETS)
    for piece in ("a", "token", "token ", "https://", "a.", "passw=", "bearer "):
        assert masker(piece * (100_000 // len(piece)))


def test_what_a_running_one_says_is_in_it_and_what_cannot_be_had_is_named(here):
    with ControlSocket(here.parent / "state", lambda line: json.dumps({"asked": line, "said": WEBHOOK})):
        done = CliRunner().invoke(cli, ["bundle", str(here), "-o", "-"])
    assert done.exit_code == 0, done.output
    found = unpacked(done.stdout_bytes)
    assert json.loads(found["status.json"])["asked"] == "status"
    assert "verysecretkey" not in found["status.json"]
    assert "missing  journal.jsonl: there is no journal" in found["CONTENTS.txt"]
    assert json.loads(found["versions.json"])["packages"]["numpy"]
    assert {one["subject"] for one in json.loads(found["doctor.json"])} >= {"files", "clock", "memory"}
    assert "perpetuum.log" in found["state.txt"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("scenes:", "scens:"),
        lambda text: text[: len(text) // 2] + "{",
        lambda text: text + "\ntoken: hunter22hunter\n",
        lambda text: text + "\x00\x01",
    ],
)
def test_of_a_broken_file_there_is_a_bundle_too_and_its_secrets_are_known(here, spoil):
    here.write_text(spoil(here.read_text()) + f"\n# {WEBHOOK} {{env: HOOK}} {{env: MAIL_PW}} {{file: token}}\n")
    found = bundle(here)
    for name, text in found.items():
        for secret in (TOKEN, "verysecretkey", "hunter22hunter"):
            assert not leaks(text, secret), (name, secret)
    assert "here.yaml" in found["problems.txt"]


def test_a_secret_that_only_the_process_that_runs_knows_is_masked_too(here, monkeypatch):
    monkeypatch.delenv("HOOK")
    environment = {**os.environ, "HOOK": WEBHOOK}
    with subprocess.Popen(["sleep", "60"], env=environment) as process:
        try:
            (here.parent / "state" / "lock").write_text(f"{process.pid}\n")
            found = bundle(here)
        finally:
            process.kill()
    assert "verysecretkey" not in "".join(found.values())


def test_a_secret_that_cannot_be_read_is_said_and_what_systemd_prints_of_the_environment_is_left_out(here, monkeypatch):
    monkeypatch.delenv("HOOK")
    (here.parent / "token").unlink()
    shown = f"User=perpetuum\nEnvironment=HOOK={WEBHOOK}\nEnvironmentFiles=/etc/default/perpetuum\n"
    monkeypatch.setattr("engine.installation.support.gathering.output_of", lambda *command: shown)
    found = bundle(here)
    said = found["CONTENTS.txt"]
    assert "The secret in $HOOK could not be read here" in said
    assert f"The secret in {here.parent / 'token'} could not be read here" in said
    assert "MAIL_PW could not" not in said
    assert found["unit.txt"] == "User=perpetuum\nEnvironmentFiles=/etc/default/perpetuum\n"


@pytest.mark.parametrize("hostile", ["fifo", "loop", "device", "folder", "large"])
def test_whatever_lies_in_the_state_folder_it_ends_and_is_small(here, hostile):
    for name in ("log/other.log", "journal.sqlite3", "lock"):
        place = here.parent / "state" / name
        place.unlink(missing_ok=True)
        match hostile:
            case "fifo":
                os.mkfifo(place)
            case "loop":
                place.symlink_to(place)
            case "device":
                place.symlink_to("/dev/zero")
            case "folder":
                place.mkdir()
            case _:
                with place.open("wb") as file:
                    file.truncate(1 << 32)
    found = bundle(here)
    assert sum(map(len, found.values())) < 16 << 20
    assert "journal.jsonl" in found["CONTENTS.txt"]


def test_parts_are_bounded_keep_their_end_and_one_that_fails_costs_no_other():
    def fails() -> str:
        raise ValueError(f"no {TOKEN}")

    parts = [("a", lambda: "x" * 50 + "end"), ("b", fails), ("c", lambda: "y" * 500), ("d", lambda: "z" * 500)]
    found = unpacked(packed(parts, Masker([TOKEN]), 100, 150))
    assert found["a"] == "x" * 50 + "end"
    assert [len(found[name]) for name in "cd"] == [97, 0]
    assert f"missing  b: no {MASK}" in found["CONTENTS.txt"]


def test_a_disk_that_is_full_is_said_with_another_place_and_nothing_is_left_behind(here, monkeypatch):
    def full(path, data, endings=()):
        from engine.output_file import cannot_write

        raise cannot_write(path, OSError(28, "No space left on device"))

    monkeypatch.setattr("engine.output_file.write_bytes", full)
    done = CliRunner().invoke(cli, ["bundle", str(here), "-o", str(here.parent / "x.zip")])
    assert done.exit_code != 0
    assert "standard output" in done.exception.hint
    assert not list(here.parent.glob("*.zip*"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"asttokens": "3.0", "b": 1}', f'{{"asttokens": "{MASK}", "b": 1}}'),
        ("  password: abc, def  # x", f"  password: {MASK}"),
        ('token: "half', f"token: {MASK}"),
        ("token: {env: NAME}", "token: {env: NAME}"),
        ("GET /x?api_key=abc&y=1", f"GET /x?api_key={MASK}&y=1"),
        ("smtp://me:you@host", f"smtp://{MASK}@host"),
        ("Authorization: Basic dTpw", f"Authorization: Basic {MASK}"),
    ],
)
def test_what_only_looks_like_a_secret_is_masked_and_json_stays_json(text, masked):
    assert Masker([])(text) == masked


def test_where_secrets_lie_is_seen_by_shape_and_files_of_scenes_are_none(here):
    source, node = read_tree(here)
    named = named_secrets(source.text, node, here.parent)
    assert sorted(map(str, named)) == ["$DOOR", "$HOOK", "$MAIL_PW", "$SIGN", str(here.parent / "token")]
    assert named_secrets(source.text, None, here.parent) >= named
    text = HEAD + "scenes: {tides: {file: daylight}}\nlog: {file: true}\n"
    here.write_text(text)
    assert named_secrets(text, read_tree(here)[1], here.parent) == set()
    assert {TOKEN, WEBHOOK} <= known_secrets(named, None).values


def test_what_happened_is_told_line_by_line_and_what_is_older_is_not(here):
    now = time.time()
    keeping = Keeping(here.parent / "state", 0, 1e9)
    told = [(now - 7200, "mute"), (now - 60, "unmute"), (now - 30, "softer")]
    keeping.take(
        [
            Noted(number, wall, 0, ENTRIES.encode(Happened(HAPPENINGS.encode(HandAsked(ask, f"token={TOKEN}")))))
            for number, (wall, ask) in enumerate(told, 1)
        ]
    )
    keeping.close()
    lines = [json.loads(line) for line in bundle(here, 1.0)["journal.jsonl"].splitlines()]
    assert [(line["what"], line["ask"]) for line in lines] == [("HandAsked", "unmute"), ("HandAsked", "softer")]
    assert TOKEN not in str(lines)
