"""Pins of a board that is not there."""

import pytest


@pytest.fixture
def pins(monkeypatch):
    """gpiozero's mock pins."""
    from gpiozero import Device
    from gpiozero.pins.mock import MockFactory

    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.reset()
