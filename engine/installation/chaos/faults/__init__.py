"""What can go wrong, each a class that provokes it and takes it back."""
