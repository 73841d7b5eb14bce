"""Verbs of a pool."""
