"""Keys, chords, numerals and progressions."""
