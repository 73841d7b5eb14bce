"""What tests of NSynth share."""

import pytest

from engine.networks.threads import one_thread


@pytest.fixture(autouse=True)
def _one_thread():
    """Products run on one thread, as where notes are played: tests run beside other tests."""
    with one_thread():
        yield
