"""A player whose keeper is a test, and whose steering is the real process."""

import threading
import time
from dataclasses import replace

from engine.errors import PerpetuumError
from engine.installation.choices.secret import Secret
from engine.installation.choices.steering import SteeringChoice, SteeringRight
from engine.installation.keeper.steering.place import SteeringPlace
from tests.fleet.mosquitto import PASSWORDS, PATIENCE
from tests.health.making import SOUND
from tests.health.prometheus import wait_until
from tests.installation.making import SMALL, entry, installation, programme

RIGHTS = (SteeringRight.MUTE, SteeringRight.SECTION, SteeringRight.PUSH_SCENES, SteeringRight.PUSH_INSTALLATION)


class Player:
    """The keeper's side of a player, told how it is four times a second; the process beside it is the real one."""

    def __init__(self, folder, broker, name="foyer"):
        self.folder, self.like, self.asked, self.on_ask = folder, {}, [], lambda line: None
        (folder / "password").write_text(PASSWORDS[name])
        (folder / "tides.yaml").write_text(SMALL)
        secret = Secret(file=str(folder / "password"))
        choice = SteeringChoice("localhost", broker.port, name, "perpetuum", name, secret, True, str(broker.ca), RIGHTS)
        self.installation = installation(
            path=folder / "here.yaml",
            state=folder,
            programme=programme(entry("tides"), replace(entry("drift"), file=folder / "tides.yaml")),
            steering=choice,
        )
        self.start()

    def start(self):
        self.place = SteeringPlace(self.folder, self._answer)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _answer(self, line, who):
        self.asked.append((line, who))
        self.on_ask(line)
        if line.startswith("section"):
            raise PerpetuumError("there is no such section", "one of calm, storm")
        return f"{line}: done"

    def _run(self):
        self.place.take(self.installation)
        while not self._over.wait(0.25):
            self.place.look()
            now = replace(SOUND, at=time.time(), monotonic=time.monotonic(), saved=time.time(), **self.like)
            self.place.show(now)

    def close(self):
        self._over.set()
        self._thread.join()
        self.place.close(PATIENCE)


_NUMBERS = iter(range(10_000))


def command(**more):
    return {"version": 1, "id": f"test-{next(_NUMBERS):06d}", **more}


def until_state(broker, true, name="foyer"):
    """The first retained state of which something is so."""

    def look():
        found = broker.retained(f"perpetuum/{name}/state")
        return found if true(found) else None

    found = wait_until(look, PATIENCE)
    assert found, broker.retained(f"perpetuum/{name}/state")
    return found
