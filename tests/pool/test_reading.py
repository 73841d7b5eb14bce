"""The file of a pool is checked like a scene."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace

import jsonschema
import pytest
from ruamel.yaml import YAML

from engine.cli import main
from engine.errors import PerpetuumError
from engine.installation.choices.access import Address
from engine.installation.choices.secret import Secret
from engine.pool.serving.file.config import Deployment, PoolConfig
from engine.pool.serving.file.reading import read_pool_file
from engine.pool.serving.file.schema import pool_schema
from engine.pool.serving.run import listeners, named

FILE = """\
perpetuum: 1
listen: ["0.0.0.0:8480", "[::1]:8480"]
tokens:
  foyer: {env: FOYER_TOKEN}
  attic: {env: ATTIC_TOKEN}
deployments:
  heavy: {kinds: [music_vae], replicas: 1, models: 4 GB, memory: 8 GB, gpus: 0.5, batch: 8}
  light: {replicas: 4, memory: 900 MB}
weights: weights
limit: 20 GB
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setenv("FOYER_TOKEN", "one")
    monkeypatch.setenv("ATTIC_TOKEN", "two")

    def reading(text: str):
        file = tmp_path / "pool.yaml"
        file.write_text(text)
        config, found = read_pool_file(file)
        return config, "\n".join(one.text(colour=False) for one in found)

    return reading


def test_a_file_says_what_is_served(read, tmp_path):
    config, words = read(FILE)
    assert not words
    assert isinstance(config, PoolConfig)
    assert [str(one) for one in config.listen] == ["0.0.0.0:8480", "[::1]:8480"]
    assert {name: secret.reveal() for name, secret in config.tokens.items()} == {"foyer": "one", "attic": "two"}
    assert config.deployment_of("music_vae") == Deployment("heavy", ("music_vae",), 1, 4 * 10**9, 8 * 10**9, 0.5, 8)
    assert config.deployment_of("drums_rnn").name == "light"
    assert config.weights == tmp_path / "weights"


def test_heavy_weights_are_made_apart_by_whoever_is_nearest(read):
    config, words = read(
        "perpetuum: 1\nheavy: 100 MB\ndeployments:\n  vae: {kinds: music_vae}\n  rest: {}\n"
        "  big: {heavy: true, compute: numpy}\n  trio: {kinds: music_vae, heavy: true}\n"
    )
    assert config is not None, words
    assert config.heavy == 100 * 10**6
    asked = [("music_vae", False), ("drums_rnn", False), ("drums_rnn", True), ("music_vae", True), ("", True)]
    assert [config.deployment_of(*one).name for one in asked] == ["vae", "rest", "big", "trio", "big"]
    assert [one.compute for one in config.deployments] == ["auto", "auto", "numpy", "auto"]


def test_who_names_no_deployments_has_one_for_heavy_weights(read):
    config, _ = read("perpetuum: 1\n")
    assert config is not None
    assert [config.deployment_of("music_vae", heavy).name for heavy in (False, True)] == ["all", "heavy"]
    config, _ = read("perpetuum: 1\ndeployments: {big: {heavy: true}}\n")
    assert config is not None
    assert config.deployment_of("music_vae").name == "others"
    config, _ = read("perpetuum: 1\ndeployments: {one: {}}\n")
    assert config is not None
    assert config.deployment_of("music_vae", True).name == "one", "nobody else is there"


def test_it_is_said_where_tensorflow_is_asked_for_and_is_not_there(read, monkeypatch):
    text = "perpetuum: 1\ndeployments: {a: {compute: tensorflow}}\n"
    monkeypatch.setattr("engine.pool.serving.file.reading.find_spec", lambda name: None)
    config, words = read(text)
    assert config is not None
    assert "pool.yaml:2:19: warning: TensorFlow is not installed here: numpy plays" in words


def test_what_makes_nothing_of_its_own_leaves_the_rest_to_others(read):
    config, _ = read("perpetuum: 1\ndeployments: {heavy: {kinds: music_vae}}\n")
    assert config is not None
    assert config.deployment_of("melody_rnn").name == "others"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("perpetuum: 1\nlisten: 0.0.0.0:8480\n", "there are no `tokens`"),
        ("perpetuum: 1\nlisten: gpu:8480\n", "is no numeric address"),
        ("perpetuum: 1\nlisten: []\n", "listens nowhere"),
        ("perpetuum: 1\nlitsen: 127.0.0.1:1\n", "did you mean `listen`"),
        ("perpetuum: 1\ntokens: {foyer: hunter2}\n", "must say where the secret lies"),
        ("perpetuum: 1\ntokens: hunter2\n", "mapping"),
        ("perpetuum: 1\nlimit: 20\n", "has no unit"),
        ("perpetuum: 1\nlimit: 20 gib\n", "did you mean"),
        ("perpetuum: 1\ndeployments: {a: {kinds: melody_rn}}\n", "did you mean `melody_rnn`"),
        ("perpetuum: 1\ndeployments: {a: {kinds: melody_rules}}\n", "no kind with a network"),
        ("perpetuum: 1\ndeployments: {a: {}, b: {}}\n", "makes all that no other makes already"),
        ("perpetuum: 1\ndeployments: {a: {kinds: [music_vae, music_vae]}}\n", "makes music_vae already"),
        ("perpetuum: 1\ndeployments: {a: {heavy: true}, b: {heavy: true}}\n", "makes all heavy that no other"),
        ("perpetuum: 1\ndeployments: {a: {heavy: 20 MB}}\n", "`true` or `false`"),
        ("perpetuum: 1\ndeployments: {a: {compute: gpu}}\n", "tensorflow"),
        ("perpetuum: 1\ndeployments: {a: {gpus: 1.5}}\n", "pool.yaml:2:19: error: more than one GPU is shared"),
        ("perpetuum: 1\ndeployments: {a: {gpus: .nan}}\n", "gpus"),
        ("perpetuum: 1\ndeployments: {a: {compute: [tensorflow]}}\n", "compute"),
        ("perpetuum: 1\ndeployments: {a: {compute: }}\n", "compute"),
        ("perpetuum: 1\nheavy: 0 MB\n", "heavy"),
        ("perpetuum: 1\nheavy: -5 GB\n", "heavy"),
        ("perpetuum: 1\nheavy: true\n", "heavy"),
        ("perpetuum: 1\ndeployments: {a: {replicas: 0}}\n", "out of range"),
        ("perpetuum: 1\ndeployments: {a: {kinds: []}}\n", "pool.yaml:2:19: error: `kinds` is empty"),
        ("perpetuum: 1\ndeployments: {others: {kinds: music_vae}}\n", "pool.yaml:2:15: error: `others` is the name"),
        ("perpetuum: 2\n", "`perpetuum`"),
        ("[]\n", "must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(read, text, said):
    config, words = read(text)
    assert config is None
    assert said in words, words
    assert "hunter2" not in words
    assert "pool.yaml:" in words


def test_editors_take_the_same_files(read):
    jsonschema.validate(YAML(typ="safe").load(FILE), pool_schema())
    for wrong in ({}, {"perpetuum": 1, "litsen": 1}, {"perpetuum": 1, "deployments": {"a": {"replicas": 0}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, pool_schema())


def test_the_command_checks_and_says_where_ray_is_missing_or_a_port_is_taken(tmp_path, capsys):
    file = tmp_path / "pool.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(f"perpetuum: 1\nlisten: 127.0.0.1:{port}\nweights: {tmp_path}/weights\n")
        for words, status, said in ((["check"], 0, "valid"), (["serve", "--config"], 2, "cannot listen on")):
            with pytest.raises(SystemExit) as end:
                main(["pool", *words, str(file)])
            printed = capsys.readouterr()
            assert end.value.code in (status, None)
            assert said in printed.out + printed.err
    with pytest.raises(SystemExit):
        main(["pool", "schema"])
    assert json.loads(capsys.readouterr().out)["properties"]["listen"]


def test_sockets_of_systemd_are_taken_before_the_addresses_of_the_file(monkeypatch, tmp_path):
    config = PoolConfig(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as handed:
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setattr("engine.pool.serving.run._FIRST_HANDED", os.dup(handed.fileno()))
        (taken,) = listeners(config)
        with taken:
            assert taken.getsockname() == handed.getsockname()
    monkeypatch.setenv("LISTEN_PID", "1")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken_already = replace(config, listen=(Address("127.0.0.1", other.getsockname()[1], True),))
        with pytest.raises(PerpetuumError, match="cannot listen"):
            listeners(taken_already)


@pytest.mark.parametrize(("host", "asks"), [("0.0.0.0", True), ("::", True), ("127.0.0.1", False), ("path", False)])
def test_a_socket_of_systemd_that_others_can_reach_needs_tokens_like_any_other(monkeypatch, tmp_path, host, asks):
    family = socket.AF_UNIX if host == "path" else socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as handed:
        handed.bind(str(tmp_path / "socket") if host == "path" else (host, 0))
        handed.listen()
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        for tokens in ({"foyer": Secret(env="FOYER_TOKEN")}, {}):
            monkeypatch.setattr("engine.pool.serving.run._FIRST_HANDED", os.dup(handed.fileno()))
            if asks and not tokens:
                with pytest.raises(PerpetuumError, match=r"no `tokens`"):
                    listeners(PoolConfig(tmp_path, tokens=tokens))
            else:
                for one in listeners(PoolConfig(tmp_path, tokens=tokens)):
                    assert named(one)
                    one.close()


@pytest.mark.parametrize("number", ["", "no number", "0", "-1", "99999999999"])
def test_sockets_of_systemd_that_are_none_are_refused(monkeypatch, tmp_path, number):
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", number)
    with pytest.raises(PerpetuumError, match="LISTEN_FDS"):
        listeners(PoolConfig(tmp_path))
