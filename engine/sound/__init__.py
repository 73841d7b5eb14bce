"""The sound: instruments, voices, mixer and master, in an audio process of its own.

Light, for everybody: `messages` (what goes to and from the audio process), `contract` and `settings` (instruments as
their files describe them). The rest belongs to the audio process, the only one that imports pyo.
"""
