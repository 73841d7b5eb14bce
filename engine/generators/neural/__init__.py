"""Generators and a transform that wrap neural networks; what these make is judged and fitted to its place."""
