"""Kinds of music that are taken out of a score."""
