"""How the command line ends when something is wrong."""

import pytest

from engine.cli import cli, main
from engine.errors import PerpetuumError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PerpetuumError("no such thing", "take another"), "perpetuum: no such thing"),
        (MemoryError("68 GiB"), "perpetuum: there is not enough memory for this"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_status_2(monkeypatch, capsys, error, said):
    def fail(**_):
        raise error

    monkeypatch.setattr(cli, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(said)


def test_ctrl_c_where_nothing_fades_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.scenes.scenes.command.callback", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["scenes"])
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip().splitlines()[-1] == "perpetuum: stopped"
