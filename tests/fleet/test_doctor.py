"""What the doctor finds of a broker: a real one, with TLS and passwords."""

from dataclasses import replace

import pytest

from engine.cli.installation.doctor import _broker, broker_remedy
from engine.health.doctor.diagnosis import Grade
from engine.installation.choices.secret import Secret
from engine.installation.choices.steering import SteeringChoice
from tests.fleet.mosquitto import PASSWORDS
from tests.health.prometheus import free_port
from tests.installation.making import installation


@pytest.fixture
def choice(broker, tmp_path):
    (tmp_path / "password").write_text(PASSWORDS["foyer"])
    secret = Secret(file=str(tmp_path / "password"))
    return SteeringChoice("localhost", broker.port, "foyer", "perpetuum", "foyer", secret, True, str(broker.ca))


def found(choice):
    (one,) = _broker(installation(steering=choice))
    return one


def test_a_broker_that_lets_the_player_in_is_good(choice):
    assert (found(choice).grade, found(choice).subject) == (Grade.GOOD, "mqtt")
    assert _broker(installation()) == []


@pytest.mark.parametrize(
    ("spoil", "why", "remedy"),
    [
        (lambda choice, folder: replace(choice, port=free_port()), "cannot be reached", "is it on"),
        (lambda choice, folder: replace(choice, user="tower"), "Not authorized", "`user` and `password`"),
        (lambda choice, folder: replace(choice, ca=""), "CERTIFICATE_VERIFY_FAILED", "`ca` of `mqtt`"),
        (lambda choice, folder: replace(choice, ca=str(folder / "none")), "cannot be read", "`ca` of `mqtt`"),
        (lambda choice, folder: replace(choice, password=Secret(file=str(folder / "none"))), "the secret in", "see"),
    ],
)
def test_what_keeps_the_player_out_is_told_with_what_to_do(choice, tmp_path, monkeypatch, spoil, why, remedy):
    monkeypatch.setattr("engine.cli.installation.doctor.BROKER_PATIENCE", 2.0)
    one = found(spoil(choice, tmp_path))
    assert one.grade is Grade.BAD
    assert why in one.text
    assert one.remedy.startswith(remedy)


def test_a_clock_that_is_wrong_is_named_where_tls_suffers_from_it():
    assert broker_remedy("certificate verify failed: certificate is not yet valid").startswith("set the clock")
