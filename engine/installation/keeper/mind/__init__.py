"""What the keeper has of a mind: its place, what it has decided, and the last bars of that."""
