"""Held-out figures of each family, beside trivial baselines."""
