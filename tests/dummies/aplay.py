"""A stand-in for aplay on a machine whose cards are the folders of FAKE_ASOUND: `cardN/id`, as in /proc/asound.

It takes raw sound at the pace of real time for the card that `-D hw:CARD=ID,DEV=0` names, whatever its number is, and
appends it to `heard.N`. It ends when that card is gone, as aplay does.
"""

import os
import sys
import time
from pathlib import Path

SECOND = 48_000 * 8
ROOT = Path(os.environ["FAKE_ASOUND"])


def number_of(name: str) -> str | None:
    for card in ROOT.glob("card*"):
        if (card / "id").read_text().strip() == name:
            return card.name.removeprefix("card")
    return None


def main() -> None:
    device = sys.argv[sys.argv.index("-D") + 1]
    name = device.partition("CARD=")[2].partition(",")[0]
    number = number_of(name)
    if number is None:
        print(f"aplay: main:831: audio open error: No such device: {name}", file=sys.stderr)
        sys.exit(1)
    began, taken = time.monotonic(), 0
    with open(ROOT / f"heard.{number}", "ab", buffering=0) as file:
        while data := os.read(0, 8192):
            if number_of(name) != number:
                print("aplay: pcm_write:2127: write error: No such device", file=sys.stderr)
                sys.exit(1)
            file.write(data)
            taken += len(data)
            time.sleep(max(0.0, began + taken / SECOND - 0.2 - time.monotonic()))


if __name__ == "__main__":
    main()
