"""Sound cards, and the players through which they are reached."""
