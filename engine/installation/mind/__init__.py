"""The mind in a process of its own: started by the keeper, and again whenever it is lost."""
