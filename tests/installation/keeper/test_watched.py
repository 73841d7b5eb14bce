"""A real installation, watched by a real Prometheus and Alertmanager, and steered by a real MQTT broker, while its
sound is killed and mended."""

import json
import math
import subprocess
import sys
import time
import urllib.request

import pytest

from engine.installation.keeper.hands.control import ask
from tests.fleet import mosquitto
from tests.health.prometheus import INSTALLED, Running, free_port, wait_until
from tests.installation.keeper.test_run import SCENE
from tests.outputs.test_pulse import MISSING, SINK, pulse, start_server  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(
    not INSTALLED or bool(MISSING) or not mosquitto.INSTALLED,
    reason="Prometheus, Alertmanager, PulseAudio and mosquitto are not all installed",
)

INSTALLATION = """
perpetuum: 1
title: Test
scenes: {drone: {file: scene.yaml, length: 20 min}}
output: device
state: state
fallback_bank: 0 s
listen: {control: [], health: "127.0.0.1:PORT"}
mqtt: {broker: "localhost:BROKER", name: foyer, password: {file: password}, ca: CA, allow: [mute, section]}
"""


def test_killing_the_sound_raises_one_alert_mending_clears_it_and_mute_raises_none(pulse, tmp_path):  # noqa: F811
    port = free_port()
    (tmp_path / "scene.yaml").write_text(SCENE)
    (tmp_path / "broker").mkdir()
    broker = mosquitto.Mosquitto(tmp_path / "broker")
    text = INSTALLATION.replace("PORT", str(port)).replace("BROKER", str(broker.port)).replace("CA", str(broker.ca))
    (tmp_path / "here.yaml").write_text(text)
    (tmp_path / "password").write_text(mosquitto.PASSWORDS["foyer"])
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-P", "-m", "engine", "run", str(tmp_path / "here.yaml")]
        run = subprocess.Popen(command, stdout=log, stderr=log)
    watch = Running(tmp_path, [("foyer", port)])
    said = (tmp_path / "log").read_text
    try:

        def value(name):
            found = watch.query(f"perpetuum_{name}")
            return found[0][1] if found else None

        assert wait_until(lambda: value("sound_expected") == 1.0, 90), said()
        assert wait_until(lambda: value("process_memory_bytes") is not None, 10)

        def components():
            return {labels["component"] for labels, _ in watch.query("perpetuum_process_memory_bytes")}

        known = {"keeper", "recorder", "steering", "mind", "audio", "spare", "player"}
        assert wait_until(lambda: known <= components(), 60), components()
        assert wait_until(lambda: -70 < (value("loudness_lufs") or 0.0) < 0, 60), value("loudness_lufs")
        assert 0 < value("output_peak_ratio") <= 1
        assert watch.firing("page") == []

        ask(tmp_path / "state", "mute")
        assert wait_until(lambda: value("muted") == 1.0, 20)
        time.sleep(8)  # longer than the shortened rules wait
        assert watch.firing("page") == []
        assert wait_until(lambda: math.isnan(value("loudness_lufs") or 0.0), 30), value("loudness_lufs")
        state = broker.retained("perpetuum/foyer/state")
        assert (state["scene"], state["section"], state["muted"], state["ok"]) == ("drone", "all", True, True)
        answer = broker.ask("foyer", {"version": 1, "id": "unmute-it", "ask": "unmute"})
        assert (answer["outcome"], answer["text"].partition(" to ")[0]) == ("done", "Test: drone")
        assert wait_until(lambda: value("sound_expected") == 1.0, 20)
        refused = broker.ask("foyer", {"version": 1, "id": "section-it", "ask": "section none"})
        assert (refused["outcome"], "drone has no section 'none'" in refused["text"]) == ("refused", True)

        pulse.kill()
        pulse.wait()
        assert wait_until(lambda: watch.firing("page") == [("DeviceGone", "foyer")], 60), (watch.firing("page"), said())
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
        checks = json.load(refused.value)["checks"]
        assert not checks["output"]["ok"]
        assert checks["heartbeat"]["ok"]  # it lives, unheard: nothing would be better for a restart

        server = start_server(tmp_path)
        try:
            assert wait_until(lambda: not watch.firing("page"), 60), (watch.firing("page"), said())
            assert wait_until(lambda: value("device_up") == 1.0, 30)
        finally:
            server.terminate()
            server.wait()
    finally:
        run.terminate()
        watch.close()
        broker.stop()
        assert run.wait(20) == 0, said()
