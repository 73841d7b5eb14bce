"""The steering's process: tells a broker how a player is, and takes what is asked of it."""
