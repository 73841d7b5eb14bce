"""Verbs about scenes and what they are made of: play, render, check, plan, and what is here."""
