"""What may stand in a scene file: its own keys as models, nodes read through them, and what editors and pages say."""
