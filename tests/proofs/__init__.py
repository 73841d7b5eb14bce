"""Longer proofs: commands that anyone can run; their last results stand in docs/."""
