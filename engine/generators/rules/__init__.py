"""Generators by rules: what always can play."""
