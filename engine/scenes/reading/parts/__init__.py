"""One part of a scene file: generators and transforms, links to other parts, the instrument."""
