"""From a lost audio process to another one at the same frame: a spare, the memory of messages, the candidates."""
