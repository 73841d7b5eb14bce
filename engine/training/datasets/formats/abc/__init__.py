"""ABC notation, read by the standard 2.1 (https://abcnotation.com/wiki/abc:standard:v2.1).

Bytes are split into tunes and lines (`text`), lines into fields (`fields`) and symbols (`symbols`, after `macros`);
`tune` turns those into voices (`voices`), and `read_abc` those into a score. Where the standard leaves something open,
abc2midi 4.84 (of abcmidi, run as a program) was asked, and docs/datasets.md says what is done.
"""

from engine.training.datasets.formats.abc.reading import read_abc
from engine.training.datasets.formats.abc.text import split_tunes

__all__ = ["read_abc", "split_tunes"]
