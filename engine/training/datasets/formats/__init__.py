"""Formats of files that data sets are read from."""
