"""What an installation played: an account, a report of a day, the place of a moment, scenes that begin there."""
