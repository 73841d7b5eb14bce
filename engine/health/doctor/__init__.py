# pyright: strict
"""What is looked at on a machine that is to run an installation, and what to do where something is not right."""
