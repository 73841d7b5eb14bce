"""The player's side of the pool: a rung that asks other machines for phrases, and never makes anybody wait for them."""
