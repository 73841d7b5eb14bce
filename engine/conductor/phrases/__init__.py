"""Phrases ahead of need: what is asked for, what is known, and what is to be asked for next."""
