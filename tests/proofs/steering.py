"""Proof that a player that is cut off plays on, and that all is true again: `python -m tests.proofs.steering`.

A real installation runs in a network namespace of its own and calls out to a real mosquitto by a pair of virtual
cables. It is cut off in several ways, for `--cut` seconds each; meanwhile a hand on the player asks for something, and
somebody commands it from afar. Witnesses are mosquitto's own clients, the journal, and a recording of what left.
Needs root, `ip` and mosquitto. Printed: for each way, how long after the return the state was true, how often what was
commanded meanwhile was done, and for how long nothing sounded.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.events import HandAsked
from engine.installation.keeper.hands.control import ask
from engine.journal.reader import Journal
from engine.journal.schema import NAME
from tests.fleet.mosquitto import PASSWORDS, Mosquitto
from tests.health.prometheus import wait_until
from tests.installation.keeper.test_run import Run

PLAYER, THERE, HERE = "perpetuum-proof", "10.77.61.2", "10.77.61.1"
CABLE, END = "pp-here", "pp-there"

MQTT = """
mqtt: {broker: "HERE:PORT", name: foyer, password: {file: PASSWORD}, ca: CA, allow: [quiet, volume]}
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Cable:
    """Two ends, one of them in the namespace of the player."""

    def __enter__(self):
        ip("netns", "add", PLAYER)
        ip("link", "add", CABLE, "type", "veth", "peer", "name", END)
        ip("link", "set", END, "netns", PLAYER)
        ip("addr", "add", f"{HERE}/30", "dev", CABLE)
        ip("link", "set", CABLE, "up")
        for words in (
            ("addr", "add", f"{THERE}/30", "dev", END),
            ("link", "set", END, "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("netns", "exec", PLAYER, "ip", *words)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", CABLE], check=False)
        subprocess.run(["ip", "netns", "del", PLAYER], check=False)

    def cut(self):
        """Nothing passes, and nobody is told."""
        ip("link", "set", CABLE, "down")

    def mend(self):
        ip("link", "set", CABLE, "up")


def asked_of(state):
    """What hands asked, by the journal: pairs of what and who."""
    with Journal(state / NAME) as journal:
        found = journal.happenings(kinds=[HandAsked.__name__])
        return [(one.value.ask, one.value.who) for one in found]


def until_volume(broker, volume, seconds):
    """Seconds until the retained state says a volume; None if it does not."""
    began = time.monotonic()
    so = wait_until(lambda: broker.retained("perpetuum/foyer/state")["volume"] == volume, seconds)
    return time.monotonic() - began if so else None


class Proof:
    """A broker, a cable, a player, and the ways of cutting it off."""

    def __init__(self, folder, cable):
        (folder / "broker").mkdir()
        (folder / "password").write_text(PASSWORDS["foyer"])
        self.cable, self.broker = cable, Mosquitto(folder / "broker", HERE)
        more = MQTT.replace("PORT", str(self.broker.port)).replace("CA", str(self.broker.ca))
        more = more.replace("HERE", HERE).replace("PASSWORD", str(folder / "password"))
        self.run = Run(folder, "take.wav", more=more, within=("ip", "netns", "exec", PLAYER))
        self.run.sounds()
        assert self.volume_after(0.0) is not None, self.run.said

    def steering(self, number):
        processes = dict(json.loads(ask(self.run.state, "status"))["snapshot"]["processes"])
        os.kill(processes["steering"], number)

    def kill_broker(self):
        self.broker.process.kill()
        self.broker.process.wait()

    def ways(self):
        return {
            "the broker is stopped": (self.broker.stop, self.broker.start),
            "the cable is cut": (self.cable.cut, self.cable.mend),
            "the broker is killed": (self.kill_broker, self.broker.start),
            "the steering is killed": (lambda: self.steering(signal.SIGKILL), lambda: None),
            "the steering is stopped": (lambda: self.steering(signal.SIGSTOP), lambda: None),
        }

    def volume_after(self, volume):
        """Seconds until the retained state says a volume; None if it does not."""
        began = time.monotonic()
        told = wait_until(lambda: self.broker.retained("perpetuum/foyer/state")["volume"] == volume, 120)
        return time.monotonic() - began if told else None

    def cut_off(self, number, cut, mend, seconds):
        """(frames in which it was, seconds until the state was true, times that what was commanded was done)."""
        before, began = len(asked_of(self.run.state)), self.run.status["taken"]
        cut()
        ask(self.run.state, f"volume -{number}")  # a hand on the player
        commanded = {"version": 1, "id": f"proof-{number:06d}", "ask": "quiet"}
        reached = self.broker.process.poll() is None
        if reached:
            assert self.broker.publish("perpetuum/foyer/command", commanded) == ""
        time.sleep(seconds)
        mend()
        after = self.volume_after(-float(number))
        if not reached:
            assert self.broker.publish("perpetuum/foyer/command", commanded) == ""
        self.run.until(lambda: ("quiet", "mqtt") in asked_of(self.run.state)[before:])
        assert self.broker.ask("foyer", commanded)["outcome"] == "done"  # which is done no more
        normal = {**commanded, "id": f"proof-{number:06d}-b", "ask": "normal"}
        assert self.broker.ask("foyer", normal)["outcome"] == "done"
        self.run.until(lambda: ("normal", "mqtt") in asked_of(self.run.state)[before:])
        done = asked_of(self.run.state)[before:].count(("quiet", "mqtt"))
        return (began, self.run.status["taken"]), after, done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cut", type=float, default=40.0, help="seconds of each cut")
    parser.add_argument("--way", default="", help="only the ways in whose names this stands, such as `cable`")
    options = parser.parse_args()
    with Cable() as cable:
        proof = Proof(Path(tempfile.mkdtemp(prefix="steering-")), cable)
        try:
            found = {}
            ways = {way: how for way, how in proof.ways().items() if options.way in way}
            for number, (way, (cut, mend)) in enumerate(ways.items(), 1):
                found[way] = proof.cut_off(number, cut, mend, options.cut)
                print(way, found[way], file=sys.stderr, flush=True)
            proof.run.process.terminate()
            proof.run.process.wait(30)
            level = proof.run.heard()
        finally:
            proof.run.close()
            proof.broker.stop()
    print(f"| for {options.cut:g} s | the state is true again after | commanded meanwhile, done | silence |")
    print("|---|---|---|---|")
    for way, ((began, ended), after, done) in found.items():
        there = level[began // 480 : ended // 480]
        told = f"{after:.1f} s" if after is not None else "never"
        silent = (there < 1e-4).sum() / 100
        print(f"| {way} | {told} | {done} time{'s' * (done != 1)} | {silent:.2f} s of {len(there) / 100:.0f} s |")


if __name__ == "__main__":
    sys.exit(main())
