"""The command `perpetuum`, which `python -m engine` is, too: nothing is imported before Ctrl-C can be answered."""

import os
import signal


def run() -> None:
    """Run the command line; Ctrl-C before it is there, and while the interpreter ends, ends it without a word."""
    answer_interrupts()
    from engine.cli import main

    main()


def answer_interrupts() -> None:
    """Let Ctrl-C end the process at once, with the status that shells expect."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: os._exit(128 + number))


if __name__ == "__main__":
    run()
