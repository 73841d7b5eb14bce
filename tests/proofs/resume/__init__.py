"""Kills a real `perpetuum run`, or cuts its power, and starts it again: `python -m tests.proofs.resume [--power]`."""
