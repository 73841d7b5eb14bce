"""Under low limits a command works, or says in a line why it cannot; the whole table is `tests/proofs/limits.py`."""

import os
import resource

import pytest

from tests.proofs.limits import VERBS, run

ROWS = [
    ("play", resource.RLIMIT_NOFILE, 8, "ulimit -n"),
    ("check", resource.RLIMIT_NOFILE, 6, ""),
    ("play", resource.RLIMIT_AS, 150 << 20, ""),
    ("render", resource.RLIMIT_FSIZE, 0, "cannot write"),
    pytest.param(
        "play",
        resource.RLIMIT_NPROC,
        4,
        "ulimit -u",
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed who has no processes"),
    ),
]


@pytest.mark.parametrize(("verb", "which", "most", "said"), ROWS)
def test_a_low_limit_is_said_in_a_line_and_nothing_is_left_behind(tmp_path, verb, which, most, said):
    tmp_path.chmod(0o777)
    user = 65534 if which == resource.RLIMIT_NPROC else None
    arguments = [one.format(folder=tmp_path) for one in VERBS[verb]]
    outcome = run(arguments, {which: most}, user, HOME=str(tmp_path))
    assert outcome.right, outcome
    assert said in outcome.said
