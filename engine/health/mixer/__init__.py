# pyright: strict
"""Mixers between the output and the loudspeaker: read, held where they should be, and watched."""
