"""Transforms: phrase in, phrase out."""
