"""The built-in kinds of instruments, their voices and their recordings."""
