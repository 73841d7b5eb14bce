"""Child processes: started, listened to, ended, and the pipe that the sound comes through. Knows nothing of music."""
