"""The state folder, and what lies in it."""
