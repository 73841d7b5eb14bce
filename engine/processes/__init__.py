"""Child processes: started, listened to, supervised, ended; and the pipe that the sound comes through.

Knows nothing of music.
"""
