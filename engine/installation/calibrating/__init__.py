"""A reading of a meter in the room: pink noise to read it by, and the line that keeps it."""
