"""Verbs of what was played."""
