"""Standard MIDI Files: read into pieces of music, and written back as they were."""
