"""What is to play when: the agenda, the turn that is on the air, and how one follows another."""
