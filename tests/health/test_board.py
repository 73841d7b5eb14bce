"""Boards as the kernel shows them, in a folder of the test's own."""

from engine.health.board import BoardCollector


def board(tmp_path, word=None, temperatures=()):
    for number, text in enumerate(temperatures):
        zone = tmp_path / f"sys/class/thermal/thermal_zone{number}"
        zone.mkdir(parents=True)
        (zone / "temp").write_text(text)
    if word is not None:
        firmware = tmp_path / "sys/devices/platform/soc/soc:firmware"
        firmware.mkdir(parents=True)
        (firmware / "get_throttled").write_text(word)
    return {
        family.name.removeprefix("perpetuum_board_"): family.samples[0].value
        for family in BoardCollector(tmp_path).collect()
    }


def test_a_machine_that_says_nothing_has_no_series(tmp_path):
    assert board(tmp_path) == {}


def test_the_hottest_zone_counts_and_a_broken_one_does_not(tmp_path):
    assert board(tmp_path, temperatures=("48312\n", "61000\n", "nonsense\n")) == {"temperature_celsius": 61.0}


def test_undervoltage_now_and_throttling_in_the_past_are_told_apart(tmp_path):
    """The word as the firmware's documentation has it: bit 0 undervoltage, 2 throttled; 16 and 18 since the start."""
    found = board(tmp_path, word="50001\n")
    assert found == {"throttled": 0.0, "throttled_ever": 1.0, "undervoltage": 1.0, "undervoltage_ever": 1.0}
    assert set(board(tmp_path / "other", word="0\n").values()) == {0.0}
