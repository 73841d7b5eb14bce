"""What a pool does for players, and when everything around it breaks."""
