"""The sound of a keeper: its performance, levels, and the rungs it stands on."""
