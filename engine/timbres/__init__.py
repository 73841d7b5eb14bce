"""Neural audio: networks that make the sound itself, a note at a time, and what turns their sound into instruments."""
