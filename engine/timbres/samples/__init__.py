"""Instruments from sound: recordings and made notes, judged, trimmed, tuned, looped, and written as an instrument."""
