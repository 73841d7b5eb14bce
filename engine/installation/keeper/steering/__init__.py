"""What the keeper has of the steering from afar: the place of its process."""
