"""The audio processes seen from the conductor: told what to play, watched, and replaced behind the pipe when they fail.

The pipe holds more sound than a new process needs to start, so nobody hears the change: two candidates (a spare that
waited for it, and a new one) play the last two seconds again, which are thrown away; the first that comes to the very
frame where the old one stopped goes on from there.

Who does what: `audio.py` is what others use. `supervisor.py` is the thread that watches. `primary.py` has one process
play, and another when it is lost. `change.py` goes from scene to scene. In `failover/`, `takeover.py` are the
candidates for a lost one's place, `memory.py` is what they are told, `poison.py` finds the notes that kill them,
`spare.py` keeps one in waiting.
"""

from engine.runtime.audio.audio import Audio
from engine.runtime.audio.inbox import Refused
from engine.runtime.audio.states import AudioState

__all__ = ["Audio", "AudioState", "Refused"]
