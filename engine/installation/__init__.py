"""An installation: scenes, hours, loudness and outputs of one place, and what keeps them sounding."""
