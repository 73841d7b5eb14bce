"""What an installation file chooses, as values: who may reach it, who is told, how loud, what is watched."""
