"""`python -m engine` is `perpetuum`."""

from engine.cli import main

main()
