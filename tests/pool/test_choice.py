"""Where a player's pool is named: in the installation file, and on the command line."""

from __future__ import annotations

import pytest

from engine.installation.choices.access import PoolChoice
from engine.installation.choices.secret import Secret
from engine.installation.keeper.mind.messages import TO_MIND, Play
from engine.installation.loading import read_installation

HEAD = "perpetuum: 1\ntitle: Foyer\nscenes:\n  slow_groove:\n"


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setenv("POOL_TOKEN", "a-token")

    def reading(text: str):
        file = tmp_path / "foyer.yaml"
        file.write_text(HEAD + text)
        return read_installation(file)

    return reading


def test_hosts_and_where_the_token_lies_reach_the_mind(read):
    installation, found = read(
        "pool:\n  hosts: [https://gpu.example.org/, 'http://127.0.0.1:8480']\n  token: {env: POOL_TOKEN}\n"
    )
    assert not found
    assert installation.pool == PoolChoice(
        ("https://gpu.example.org", "http://127.0.0.1:8480"), Secret(env="POOL_TOKEN")
    )
    play = Play("a.yaml", 1, 2, pool=installation.pool)
    assert TO_MIND.decode(TO_MIND.encode(play)) == play
    assert b"a-token" not in TO_MIND.encode(play)
    assert read("")[0].pool is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pool: http://a:1\n", "`pool` must be a mapping"),
        ("pool: {}\n", "has no `hosts`"),
        ("pool: {hosts: []}\n", "0 addresses"),
        ("pool: {hosts: ftp://a}\n", "no address of a pool"),
        ("pool: {hosts: 'http://a:99999'}\n", "no address"),
        ("pool: {hosts: [http://a, http://a/]}\n", "twice"),
        ("pool: {hosts: http://a?x=1}\n", "no address of a pool"),
        ("pool: {host: http://a}\n", "did you mean `hosts`"),
        ("pool: {hosts: http://a, token: hunter2}\n", "must say where the secret lies"),
        ("pool: {hosts: 'http://me:hunter2@a'}\n", "holds no name and password"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_secrets(read, text, said):
    installation, found = read(text)
    assert installation is None
    words = "\n".join(one.text(colour=False) for one in found)
    assert said in words
    assert "hunter2" not in words
    assert all(one.line >= 5 for one in found)


def test_a_token_that_can_be_read_on_its_way_is_warned_of(read):
    installation, found = read("pool: {hosts: 'http://10.0.0.5:8480', token: {env: POOL_TOKEN}}\n")
    assert installation is not None
    assert "can be read on its way" in found[0].text(colour=False)
