"""Music as values: time, keys, chords, drum classes and phrases. Needs numpy only."""
