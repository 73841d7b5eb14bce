"""The ear of a running installation: in the recorder, a process of its own, with its reasons in the journal."""

import sqlite3
from contextlib import closing

from engine.journal.schema import NAME
from tests.installation.keeper.test_run import running

STUCK = """
perpetuum: 1
title: Stuck
tempo: 240 qpm
key: C
parts:
  tune: {generator: {kind: bass_line, style: held, chords: C}, phrase: 1 bars, instrument: soft_lead}
sections:
  all: {bars: 8 bars, parts: [tune]}
ear: {one_pitch: 5 s, loop: off}
"""


def test_what_is_stuck_is_answered_and_the_reason_is_in_the_journal_before_the_command(tmp_path):
    with running(tmp_path, "takes.wav", scene=STUCK) as run:
        run.sounds()
        run.until(lambda: b"Commanded" in kept(run.state), 90)
        data = kept(run.state)
        assert b"Heard" in data
        assert data.index(b"Heard") < data.index(b"Commanded")
        assert b"one pitch" in data
        assert b"Reseed" in data
        assert "tune: one pitch" in run.said


def kept(state) -> bytes:
    """All that the journal holds, in the order in which it came."""
    with closing(sqlite3.connect(f"file:{state / NAME}?mode=ro", uri=True)) as journal:
        tables = [name for (name,) in journal.execute("select name from sqlite_master where type = 'table'")]
        return b"".join(
            value if isinstance(value, bytes) else str(value).encode()
            for table in tables
            for row in journal.execute(f"select * from {table} order by rowid")
            for value in row
        )
