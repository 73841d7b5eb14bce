"""Generator workers: the process that loads networks, and how the conductor's process keeps and asks them."""
