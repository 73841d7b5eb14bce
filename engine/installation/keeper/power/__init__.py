"""Power: that of an amplifier, which is switched, and that of the mains, which may fail."""
