"""A support bundle: all that somebody far away needs to see, in one file that can be mailed, without its secrets."""
