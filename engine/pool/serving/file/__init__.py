"""The file of a pool: its values, how it is read and checked, and its schema for editors."""
