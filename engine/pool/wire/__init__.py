"""What passes between a player and a pool: versioned JSON, bounded and checked both ways, never a pickle."""
