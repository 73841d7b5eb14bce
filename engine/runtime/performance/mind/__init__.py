"""What decides: the mind, from bar to bar and from scene to scene."""
