"""The pool: other machines make phrases for players, over plain HTTP.

`wire` is what passes between them, `asking` is the player's side (the top rung of its ladder), `serving` the pool's,
which alone imports ray. A player imports neither ray nor TensorFlow.
"""
