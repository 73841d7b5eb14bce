"""Perpetuum: an autonomous generative-music installation engine.

Importing this package imports none of tensorflow, pyo and note_seq; see docs/architecture.md for the rooms.
"""

__version__ = "0.1.0"
