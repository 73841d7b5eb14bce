"""Who makes phrases: the contract, and the ladder from the best maker down to a floor that never fails."""
