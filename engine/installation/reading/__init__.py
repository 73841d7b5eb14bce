"""Reading installation files."""
