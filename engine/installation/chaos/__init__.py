"""Chaos: a real installation runs, its parts are broken one after the other, and what is heard is measured.

The audio server and the recorder are not ours: PulseAudio with a null sink, and `parec` on its monitor. Faults stand in
`faults/`, one small class each; `run.py` provokes them, `measuring.py` measures, `report.py` writes it down.
"""
