"""One broker and one player for all tests of the fleet."""

import pytest

from tests.fleet.mosquitto import INSTALLED, WHY_NOT, Mosquitto
from tests.fleet.player import Player


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    if not INSTALLED:
        pytest.skip(WHY_NOT)
    found = Mosquitto(tmp_path_factory.mktemp("broker"))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def player(broker, tmp_path_factory):
    found = Player(tmp_path_factory.mktemp("foyer"), broker)
    yield found
    found.close()
