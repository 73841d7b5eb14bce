"""Instrument files, as far as `check` looks into them."""
