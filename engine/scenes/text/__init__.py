"""The text of a file: read with limits, as a tree in which all knows its place, and what is said about places in it."""
