"""A stand-in for a player: takes raw sound at the pace of real time from its standard input and appends it to a file.

Usage: player.py FILE [--dies-after BYTES] [--refuses-floats] [--talks BYTES]
"""

import os
import sys
import time

SECOND = 48_000 * 8


def main() -> None:
    path, *options = sys.argv[1:]
    dies_after = int(options[options.index("--dies-after") + 1]) if "--dies-after" in options else None
    if "--refuses-floats" in options:
        print("player: set_params: Sample format non available", file=sys.stderr)
        sys.exit(1)
    talks = int(options[options.index("--talks") + 1]) if "--talks" in options else 0
    began, taken = time.monotonic(), 0
    with open(path, "ab", buffering=0) as file:
        while data := os.read(0, 8192):
            file.write(data)
            taken += len(data)
            os.write(2, (b"underrun!!! " * (talks // 12))[:talks])
            if dies_after is not None and taken >= dies_after:
                print("player: the card is gone", file=sys.stderr)
                os._exit(1)
            time.sleep(max(0.0, began + taken / SECOND - 0.2 - time.monotonic()))  # 0.2 s of buffer


if __name__ == "__main__":
    main()
