"""The keeper: the process that sounds, and supervises whatever thinks.

It imports the standard library, numpy and msgspec, and nothing that could take it down.
"""
