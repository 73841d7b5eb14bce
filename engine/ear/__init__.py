"""The ear: what is played, and how it sounds, judged while it goes on.

`notes.py` and `signal.py` measure, `faults.py` judges, `answers.py` chooses what is done about it, `ear.py` puts them
together. All of it is pure and bounded: events and blocks of sound in, values out. `hand.py` alone talks to a
performance.
"""
