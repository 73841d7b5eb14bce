"""The journal: what was played, and why, in a SQLite file in the state folder of an installation.

`Journal` (`reader.py`) reads it, also while an installation writes. It gives frozen values of `records.py`:

    sittings    `Sitting`: a run of the sound from start to stop. Frames and bars count from its beginning, or go on
                from another's (`continues`), so that a `HeardPlace` is (sitting, frame). Several may lie in an evening,
                and a frame may lie in two of them: the bar at which a power cut came sounds in both.
    marks       `Mark`: which frame was heard at which moment of UTC, at least once a bar; `place_at` finds a moment.
    bars        `JournalBar`: bars that were sealed, and every note and ramp of theirs as the sound was told.
    phrases     `JournalPhrase`: what was decided, when it was (raw and played, seed, rung, reason, digest of weights).
    happenings  `Happening`: all else with its moment and frame: events (SectionBegan, SteppedDown, ProcessDied, ...),
                what the sound was told outside bars (Setup, Forget, Begin, Fade), what hands asked (SetGain, Mute,
                Alarm, Stop), turns (TurnBegan), the end of a sitting, and what could not be kept (RecordsLost).
    told        `Happening`: what each graph was told after it began, from which its sound can be made again.
    states      `JournalState`: state of the mind after a bar, from which a conductor goes on; all of the last minutes,
                of older ones those where a pass of a section begins.
    contents    `Content`: installation and scene files, and instruments that they name, by digest.

A place in the order of all records is their `number`: of two records the one with the larger number was told later.
What cannot be read (a flipped bit, another version's value) is left out and counted in `Journal.unreadable`.
"""
