"""The power of the amplifier: on before the music, off after the end; at mock pins, and by real commands."""

import pytest

from engine.installation.choices.amplifier import AmplifierChoice
from engine.installation.keeper.power.amplifier import Amplifier
from tests.health.prometheus import wait_until


def state(pins, number=27):
    return bool(pins.pin(number).state)


@pytest.mark.parametrize("high", [True, False])
def test_a_relay_is_on_before_the_music_and_goes_off_some_time_after_the_end(pins, high):
    pins.pin(27).drive_high() if not high else pins.pin(27).drive_low()
    amplifier = Amplifier(AmplifierChoice(27, high, before=5.0, after=60.0))
    amplifier.want(True, 100.0)
    assert amplifier.ready_at == 105.0
    assert wait_until(lambda: state(pins) is high, 10)
    amplifier.want(True, 200.0)
    assert amplifier.ready_at == 105.0
    amplifier.want(False, 300.0)
    amplifier.want(False, 359.0)
    assert state(pins) is high
    amplifier.want(True, 359.5)  # it opens again: nobody heard it go off
    amplifier.want(False, 400.0)
    amplifier.want(False, 461.0)
    assert wait_until(lambda: state(pins) is not high, 10)
    amplifier.close()


def test_a_relay_that_is_on_already_is_not_waited_for(pins):
    """A keeper that was killed left it on; the one after it plays at once."""
    pins.pin(27).function = "output"
    pins.pin(27).state = True
    amplifier = Amplifier(AmplifierChoice(27))
    amplifier.want(True, 100.0)
    assert amplifier.ready_at == 0.0
    assert state(pins)
    amplifier.close(off=False)
    assert state(pins)


def test_the_end_of_an_installation_switches_it_off(pins):
    amplifier = Amplifier(AmplifierChoice(27))
    amplifier.want(True, 0.0)
    amplifier.close()
    assert not state(pins)


def test_commands_are_run_with_their_words_and_no_shell(tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "amp"
    script.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {log}\n')
    script.chmod(0o755)
    amplifier = Amplifier(AmplifierChoice(None, True, (str(script), "on", "a b; c"), (str(script), "off"), after=0.0))
    amplifier.want(True, 0.0)
    amplifier.want(False, 1.0)
    amplifier.want(True, 2.0)
    amplifier.close()
    assert wait_until(lambda: log.exists() and log.read_text() == "on|a b; c|off|on|a b; c|off|", 10)


@pytest.mark.parametrize("command", ["/nonexistent/amp", "false"])
def test_what_cannot_be_switched_is_tried_again_and_holds_nobody_up(command, caplog, tmp_path):
    amplifier = Amplifier(AmplifierChoice(None, True, (command,), (command,)), retry=0.05)
    amplifier.want(True, 0.0)
    assert wait_until(lambda: caplog.text.count("could not be switched on") >= 2, 10)
    assert "the music plays all the same" in caplog.text
    amplifier.close()


def test_a_pin_that_nobody_can_open_says_what_is_missing(monkeypatch, caplog):
    from gpiozero import Device

    monkeypatch.setattr(Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "no such thing")
    amplifier = Amplifier(AmplifierChoice(27), retry=60.0)
    amplifier.want(True, 0.0)
    assert wait_until(lambda: "needs gpiozero and lgpio" in caplog.text, 10)
    amplifier.close()


def test_without_one_nothing_is_waited_for():
    amplifier = Amplifier(None)
    amplifier.want(True, 5.0)
    assert (amplifier.ready_at, amplifier.lead) == (0.0, 0.0)
    amplifier.close()
