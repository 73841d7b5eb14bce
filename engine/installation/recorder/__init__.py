"""The recorder in a process of its own: keeps the journal, and hosts whoever listens to what is played."""
