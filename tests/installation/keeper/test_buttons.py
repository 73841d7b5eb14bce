"""Buttons for staff and their light, at gpiozero's own mock pins."""

import sys

import pytest

from engine.installation.choices.staff import ButtonPins
from engine.installation.keeper.folder.folder import StateFolder
from engine.installation.keeper.hands.buttons import Buttons, LightSign, sign_of
from engine.installation.keeper.hands.hands import Ask, Hands
from tests.health.making import SOUND, after
from tests.health.prometheus import wait_until

PINS = ButtonPins(louder=5, softer=6, mute=13, quiet=19, light=26)


@pytest.fixture
def hands(tmp_path):
    return Hands(StateFolder(tmp_path), lambda ask, value: None, lambda action: action())


def press(factory, number, hands, done):
    """Close a contact to ground, wait for what it does, and let go."""
    factory.pin(number).drive_low()
    assert wait_until(done, 30)
    factory.pin(number).drive_high()


def test_a_press_moves_the_volume_a_step_and_mute_and_quiet_go_on_and_off(pins, hands):
    asked = []
    hands.ask = lambda ask, who, ours=hands.ask: (ours(ask, who), asked.append((ask, who)))
    buttons = Buttons(PINS, hands)
    told = []
    for pin, ask in ((5, Ask.LOUDER), (6, Ask.SOFTER), (6, Ask.SOFTER), (13, Ask.MUTE), (13, Ask.UNMUTE),
                     (19, Ask.QUIET), (19, Ask.NORMAL)):  # fmt: skip
        told.append((ask, "button"))
        assert wait_until(lambda number=pin: pins.pin(number).state, 30)
        press(pins, pin, hands, lambda: asked == told)
    assert hands.volume.decibels == -2.0  # a tour that ends, by the same button, makes nothing louder
    buttons.close()
    pins.pin(13).drive_low()
    assert asked == told


@pytest.mark.parametrize(
    ("like", "sign"),
    [
        ({}, LightSign.WELL),
        ({"expected": False, "scene": ""}, LightSign.WELL),
        ({"muted": True, "expected": False}, LightSign.ASKED_FOR),
        ({"alarm": True, "expected": False}, LightSign.ASKED_FOR),
        ({"silent": 11.0}, LightSign.WRONG),
        ({"silent": 11.0, "expected": False}, LightSign.WELL),
        ({"lost": "the card is gone"}, LightSign.WRONG),
        ({"late": ("taken",), "muted": True}, LightSign.WRONG),
        ({"mixer": "it is muted"}, LightSign.WRONG),
        ({"mains": "the mains have failed"}, LightSign.WRONG),
    ],
)
def test_the_light_says_how_it_is(like, sign):
    assert sign_of(after(SOUND, 0, **like)) is sign


def test_the_light_is_on_while_all_is_well_blinks_while_it_is_not_and_goes_out_at_the_end(pins, hands):
    buttons = Buttons(PINS, hands)
    buttons.show(SOUND)
    light = pins.pin(26)
    assert light.state
    buttons.show(after(SOUND, 0, lost="the card is gone"))
    for state in (False, True, False):
        assert wait_until(lambda wanted=state: bool(light.state) is wanted, 30)
    buttons.show(SOUND)
    assert wait_until(lambda: light.state, 30)
    buttons.close()
    assert light.function == "input"  # nothing drives it any more


def test_where_no_pin_can_be_used_it_is_said_and_nothing_else_happens(monkeypatch, hands, caplog):
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    buttons = Buttons(PINS, hands)
    buttons.show(SOUND)
    buttons.close()
    assert "GPIO26 of `buttons` cannot be used" in caplog.text


def test_a_light_that_fails_is_told_once_and_ends_nothing(pins, hands, caplog, monkeypatch):
    def fails(light):
        raise OSError("the chip is gone")

    monkeypatch.setattr("gpiozero.LED.on", fails)
    buttons = Buttons(PINS, hands)
    buttons.show(SOUND)
    buttons.show(after(SOUND, 0, lost="the card is gone"))
    assert caplog.text.count("the chip is gone") == 1
    buttons.close()
