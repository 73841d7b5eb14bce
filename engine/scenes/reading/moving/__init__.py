"""Settings that move within sections and through the day: their targets, curves and points."""
