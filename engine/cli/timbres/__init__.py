"""Verbs that make sounds: instruments, and neural audio."""
