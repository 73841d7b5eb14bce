"""Ideas that music keeps and comes back to: what they are, how they are remembered, chosen, varied and compared."""
