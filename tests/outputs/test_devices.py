"""Sound devices: listed by names that stay, and taken by them."""

import json
import subprocess

import pytest

from engine.cli import main
from engine.outputs.devices.devices import Device, alsa_devices, devices, misspelt, pipewire_sinks, pulse_sinks
from engine.outputs.opening import OutputChoice, open_outputs
from tests.outputs.test_pulse import SINK, pulse, pytestmark  # noqa: F401

CARDS = """\
null
    Discard all samples (playback) or generate zero samples (capture)
default
sysdefault:CARD=PCH
    HDA Intel PCH, ALC295 Analog
    Default Audio Device
hw:CARD=PCH,DEV=0
    HDA Intel PCH, ALC295 Analog
    Direct hardware device without any conversions
hw:CARD=HDMI,DEV=3
    HDA Intel HDMI, HDMI 0
    Direct hardware device without any conversions
"""
"""What `aplay -L` prints on a notebook (alsa-utils 1.2), shortened."""

NODES = [
    {"id": 30, "type": "PipeWire:Interface:Core"},
    {
        "id": 51,
        "type": "PipeWire:Interface:Node",
        "info": {
            "props": {
                "media.class": "Audio/Sink",
                "node.name": "alsa_output.usb-Focusrite_Scarlett_2i2-00.analog-stereo",
                "node.description": "Scarlett 2i2",
            }
        },
    },
    {"id": 52, "info": {"props": {"media.class": "Audio/Source", "node.name": "microphone"}}},
]
"""Of the kind that `pw-dump` prints."""


def test_cards_are_listed_by_their_names_and_plug_ins_of_alsa_are_left_out():
    assert alsa_devices(CARDS) == [
        Device("sysdefault:CARD=PCH", "ALSA", "HDA Intel PCH, ALC295 Analog, Default Audio Device"),
        Device(
            "hw:CARD=PCH,DEV=0", "ALSA", "HDA Intel PCH, ALC295 Analog, Direct hardware device without any conversions"
        ),
        Device("hw:CARD=HDMI,DEV=3", "ALSA", "HDA Intel HDMI, HDMI 0, Direct hardware device without any conversions"),
    ]
    assert alsa_devices("") == alsa_devices("aplay: device_list:274: no soundcards found...") == []


def test_sinks_of_pipewire_are_found_among_its_objects():
    (sink,) = pipewire_sinks(json.dumps(NODES))
    assert (sink.name, sink.description) == ("alsa_output.usb-Focusrite_Scarlett_2i2-00.analog-stereo", "Scarlett 2i2")
    for strange in ("", "no JSON", "{}", "[1, null]", '[{"info": 1}, {"name": ""}]'):
        assert pipewire_sinks(strange) == pulse_sinks(strange, "") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hw:CARD=PCH,DEV=0", ""),
        ("hw:CARD=PHC,DEV=0", "did you mean hw:CARD=PCH,DEV=0?"),
        ("plughw:CARD=Nothing,DEV=7", "`perpetuum outputs` lists those that are"),
        ("hw:1", ""),
    ],
)
def test_a_name_that_no_device_has_is_told_and_not_refused_as_it_may_be_plugged_in_later(name, said):
    told = misspelt(name, alsa_devices(CARDS))
    assert said in told
    assert bool(told) == bool(said)


def test_the_sinks_of_a_server_are_listed_with_the_default_one_and_taken_by_name(pulse, capsys, caplog):  # noqa: F811
    """Real sinks of a real server; their names, unlike their numbers, outlast what is loaded before them."""
    subprocess.run(["pactl", "load-module", "module-null-sink", "sink_name=hall"], check=True, capture_output=True)
    here = devices()
    assert {(one.name, one.default) for one in here if one.system == "PulseAudio"} == {(SINK, True), ("hall", False)}
    with pytest.raises(SystemExit):
        main(["outputs", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in told["devices"]} >= {SINK, "hall"}
    assert told["auto"]["takes"] == "pacat to PulseAudio, default device"
    assert {"auto", "device", "null", "wav"} <= {one["name"] for one in told["outputs"]}
    with open_outputs([OutputChoice("device", "hall")]) as output:
        assert output.description == "pacat to PulseAudio, hall"
        output.write(bytes(48_000 * 8 // 10))
    assert "no device" not in caplog.text
    with open_outputs([OutputChoice("device", "gallary")]):
        assert f"did you mean {SINK}?" in caplog.text


def test_where_there_is_nothing_the_list_says_so_and_what_auto_does(monkeypatch, tmp_path, capsys):
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PIPEWIRE_REMOTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("engine.outputs.devices.players._has_card", lambda: False)
    with pytest.raises(SystemExit) as ended:
        main(["outputs"])
    assert not ended.value.code
    out = capsys.readouterr().out
    assert "No device is here now." in out
    assert "auto takes nothing, in real time: no sound card" in out
