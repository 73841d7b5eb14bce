# pyright: strict
"""Health that tells the truth: metrics from events and snapshots, endpoints for whoever asks."""
