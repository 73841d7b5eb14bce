"""Who waits at a link goes on, whatever signals come meanwhile."""

import signal
import threading
import time

from engine.runtime.performance.links import pair_of_links
from engine.sound.messages import Release


def test_a_signal_whose_handler_outlasts_the_wait_does_not_make_it_endless():
    """As SIGUSR1 on a busy machine, which prints stacks; a mind that is stopped then says nothing."""
    here, there = pair_of_links()
    rescue = threading.Timer(10.0, lambda: here.send(Release(1)))
    rescue.start()
    before = signal.signal(signal.SIGALRM, lambda number, frame: time.sleep(0.6))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert there.receive(0.5) == []
    finally:
        signal.signal(signal.SIGALRM, before)
        rescue.cancel()
