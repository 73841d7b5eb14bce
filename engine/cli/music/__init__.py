"""Verbs that make MIDI files with a network."""
