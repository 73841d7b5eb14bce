# pyright: strict
"""Where the sound goes: the contract of outputs, sound cards through players, recordings, and none at all."""
