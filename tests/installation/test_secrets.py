"""Secrets lie elsewhere, and what lies in the file by mistake is shown by nothing."""

import os

import pytest

from engine.cli import main
from engine.errors import PerpetuumError
from engine.installation.choices.secret import Secret
from engine.installation.loading import read_installation
from tests.installation.making import SMALL

SECRET = "hunter2-S3CRET"
HEAD = "perpetuum: 1\ntitle: Here\nscenes: {small: }\n"

LEAKS = [
    f"listen: {{token: {SECRET}}}\n",
    f"listen: {{contrl: 1, token: {SECRET}}}\n",
    f"listen:\n  token:\n    {SECRET}\n",
    f"listen:\n  token: [{SECRET}]\n",
    f"listen: {{tokn: {SECRET}}}\n",
    f"listen: {SECRET}\n",
    f"listen: {{staff_password: {SECRET}}}\n",
    f"listen: {{staff_pasword: {SECRET}}}\n",
    f"token: {SECRET}\n",
    f"tokne: {SECRET}\n",
    f"password: {SECRET}\n",
    f"listn: {{token: {SECRET}}}\n",
    f"listen: {{token: {{env: {SECRET}}}}}\n",
    f"listen: {{token: {{{SECRET}: }}}}\n",
    f"listen: {{token: {{value: {SECRET}}}}}\n",
    f"listen: {{token: {{env: [{SECRET}]}}}}\n",
    f"listen: {{token: !!int {SECRET}}}\n",
    f"listen: {{token: '{SECRET}\n",
    f"listen: {{token: {SECRET}, token: {SECRET}}}\n",
    f"listen:\n  token: &t {SECRET}\nhours: *t\n",
    f"listen: {{token: {SECRET}}}\nhours: [\n",
    f"listen:\n  token: |\n    {SECRET}\n  control: nowhere\n",
]


@pytest.mark.parametrize("text", LEAKS)
def test_no_message_and_no_quoted_line_shows_a_secret_that_stands_in_the_file(text, tmp_path, capsys):
    (tmp_path / "small.yaml").write_text(SMALL)
    path = tmp_path / "here.yaml"
    path.write_text(HEAD + text)
    for arguments in (["check", str(path)], ["check", "--format", "json", str(path)], ["plan", str(path)]):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        said = capsys.readouterr()
        assert end.value.code == 1
        assert f"{path}:" in said.out + said.err or '"line"' in said.out
        for part in (SECRET, "S3CRET"):
            assert part not in said.out + said.err


def test_the_value_is_in_no_repr_and_in_no_message(tmp_path, monkeypatch):
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "token").write_text(SECRET + "\n")
    monkeypatch.setenv("PERPETUUM_TOKEN", SECRET)
    for place in ("{file: token}", "{env: PERPETUUM_TOKEN}"):
        (tmp_path / "here.yaml").write_text(HEAD + f"listen: {{control: '0.0.0.0:80', token: {place}}}\n")
        found, diagnostics = read_installation(tmp_path / "here.yaml")
        assert diagnostics == []
        assert found.listening.token.reveal() == SECRET
        assert SECRET not in repr(found) + str(found.listening.token)


def test_a_secret_is_read_anew_each_time(tmp_path):
    path = tmp_path / "token"
    path.write_text("first")
    secret = Secret(file=str(path))
    assert secret.reveal() == "first"
    path.write_text("second\n")
    assert secret.reveal() == "second"


def test_what_is_no_secret_is_said_without_a_word_of_it(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long").write_text(SECRET * 1000)
    (tmp_path / "lines").write_text(f"{SECRET}\n{SECRET}\n")
    (tmp_path / "bytes").write_bytes(SECRET.encode() + b"\xff")
    (tmp_path / "empty").write_text(" \n")
    monkeypatch.delenv("NO_TOKEN", raising=False)
    names = ("pipe", "long", "lines", "bytes", "empty", "absent", ".")
    for secret in (Secret(env="NO_TOKEN"), *(Secret(file=str(tmp_path / name)) for name in names)):
        with pytest.raises(PerpetuumError, match="the secret in") as refused:
            secret.reveal()
        assert SECRET not in str(refused.value)


def test_a_secret_lies_in_one_place():
    for places in ({}, {"env": "A", "file": "/b"}):
        with pytest.raises(ValueError, match="in a variable of the environment or in a file"):
            Secret(**places)
