"""The curator: of the phrases that a network makes for one request it takes one, by what the request says."""
