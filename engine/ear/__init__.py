"""The ear: what is played, and how it sounds, judged while it goes on.

`notes.py` and `sound.py` remember, `faults.py` judges, `answers.py` chooses what is done about it, `leveling.py` is the
slow hand on the gain, `ear.py` puts them together. All of it is pure and bounded: events in, values out. `hand.py`
alone talks to a performance. What the sound measures is found where it leaves: `engine/outputs/measuring/`.
"""
