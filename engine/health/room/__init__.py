# pyright: strict
"""Whether the room hears what is sent: a microphone is held against the sound that left."""
