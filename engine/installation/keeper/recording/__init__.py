"""What the keeper has of the recorder: its place, and what it has not kept yet."""
