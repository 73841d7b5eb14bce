"""Verbs of installations."""
