# pyright: strict
"""What the board says of itself, where it does: temperature, and on a Raspberry Pi throttling and undervoltage."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric

from engine.health.names import PREFIX

UNDERVOLTAGE, CAPPED, THROTTLED, HOT = 0, 1, 2, 3
"""Bits of the firmware's word for what counts now; 16 higher: what has counted since the start."""


class BoardCollector:
    """Reads the kernel's files when somebody asks; a board that has none says nothing.

    Args:
        root: of the file system; another one in tests.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._zones = root / "sys/class/thermal"
        self._firmware = root / "sys/devices/platform/soc"

    def collect(self) -> Iterable[Metric]:
        """What Prometheus asks for."""
        temperature = self.temperature()
        if temperature is not None:
            family = GaugeMetricFamily(f"{PREFIX}_board_temperature_celsius", "Hottest zone of the board.")
            family.add_metric([], temperature)
            yield family
        word = self._word()
        if word is None:
            return
        for name, text, bits in (
            (
                "throttled",
                "1 while the processor is slowed down for heat or want of power.",
                (CAPPED, THROTTLED, HOT),
            ),
            ("undervoltage", "1 while the power supply gives too little.", (UNDERVOLTAGE,)),
        ):
            for suffix, shift, when in (("", 0, text), ("_ever", 16, f"{text[:-1]}, or has been since the start.")):
                family = GaugeMetricFamily(f"{PREFIX}_board_{name}{suffix}", when)
                family.add_metric([], float(any(word >> (bit + shift) & 1 for bit in bits)))
                yield family

    def temperature(self) -> float | None:
        """Degrees Celsius of the hottest zone; None where there is none."""
        found: list[float] = []
        for path in sorted(self._zones.glob("thermal_zone*/temp")):
            value = _number(path, 10)
            if value is not None:
                found.append(value / 1000.0)  # the kernel counts thousandths of a degree
        return max(found, default=None)

    def _word(self) -> int | None:
        for path in sorted(self._firmware.glob("*firmware/get_throttled")):
            value = _number(path, 16)
            if value is not None:
                return value
        return None


def _number(path: Path, base: int) -> int | None:
    try:
        return int(path.read_text("ascii").strip(), base)
    except (OSError, ValueError):
        return None
