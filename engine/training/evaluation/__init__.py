"""What trained networks are worth: held-out figures beside trivial baselines, and what their music is like."""

from engine.training.evaluation.evaluate import evaluate

__all__ = ["evaluate"]
