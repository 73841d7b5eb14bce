"""Chords by rules: which follow one another, how they are voiced, in which rhythms they are played."""
