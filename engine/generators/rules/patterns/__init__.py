"""What an author has written: notes and grids, as they stand, varied, or in a process."""
