"""A soak: days of music in virtual time, and whether anything grows meanwhile."""
