"""From the nodes of a scene file to drafts of parts, sections, moves and mix, and to the scene that they make."""
