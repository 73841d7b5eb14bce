"""A running performance: the stage, which sounds, and the mind, which decides, held together by messages alone.

The half of the stage imports neither scenes nor pydantic, so that a process that only sounds stays small; therefore
nothing is imported here.
"""
