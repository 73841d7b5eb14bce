"""A running performance: the stage, which sounds, and the mind, which decides, held together by messages alone."""
