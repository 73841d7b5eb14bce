"""A scene in time: the scene as values, and the plan that lays it out bar by bar. Free of files and YAML."""
