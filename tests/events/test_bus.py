"""Subscribers are told everything in order, and whatever they do costs only themselves."""

import threading
import time

import pytest

from engine.events import Bus, Event, NotesLate, SectionBegan, SoundStarved


@pytest.fixture
def bus():
    with Bus() as made:
        yield made


def test_a_subscriber_is_told_the_types_that_it_asked_for_in_their_order(bus):
    late: list[Event] = []
    both: list[Event] = []
    bus.subscribe(NotesLate, late.append)
    bus.subscribe((NotesLate, SoundStarved), both.append)
    events = [NotesLate(1), SoundStarved(256), NotesLate(2), SectionBegan(0, "dawn", 0, 8, 60.0, "C major")]
    for event in events:
        bus.publish(event)
    assert bus.flush()
    assert (late, both) == ([events[0], events[2]], events[:3])


def test_one_that_raises_is_told_the_next_event_and_counted(bus):
    told: list[int] = []

    def picky(event: NotesLate) -> None:
        if event.count == 1:
            raise ValueError("not this one")
        told.append(event.count)

    subscription = bus.subscribe(NotesLate, picky)
    for count in range(4):
        bus.publish(NotesLate(count))
    assert bus.flush()
    assert (told, subscription.failures) == ([0, 2, 3], 1)


def test_one_that_blocks_holds_up_neither_the_publisher_nor_the_others(bus):
    free, told = threading.Event(), []
    slow = bus.subscribe(NotesLate, lambda event: free.wait(10), size=4)
    bus.subscribe(NotesLate, told.append)
    began = time.monotonic()
    for count in range(100):
        bus.publish(NotesLate(count))
        bus._subscriptions[1].flush(5)
    assert time.monotonic() - began < 5
    assert len(told) == 100
    assert slow.dropped >= 95  # one in hand, four waiting
    assert bus.dropped == slow.dropped
    free.set()


def test_a_lossless_one_makes_the_publisher_wait_and_loses_nothing(bus):
    told: list[Event] = []
    subscription = bus.subscribe(NotesLate, lambda event: (time.sleep(0.001), told.append(event)), 2, lossless=True)
    for count in range(50):
        bus.publish(NotesLate(count))
    assert bus.flush()
    assert ([event.count for event in told], subscription.dropped) == (list(range(50)), 0)


def test_who_has_unsubscribed_is_told_nothing_more(bus):
    told: list[Event] = []
    subscription = bus.subscribe(NotesLate, told.append)
    bus.publish(NotesLate(1))
    bus.unsubscribe(subscription)
    bus.publish(NotesLate(2))
    assert told == [NotesLate(1)]


def test_closing_waits_a_second_at_most_for_one_that_hangs():
    bus, free = Bus(), threading.Event()
    bus.subscribe(NotesLate, lambda event: free.wait(30))
    bus.publish(NotesLate(1))
    began = time.monotonic()
    bus.close()
    assert time.monotonic() - began < 5
    free.set()


def test_a_subscriber_may_publish_and_unsubscribe_itself(bus):
    told: list[Event] = []
    bus.subscribe(SoundStarved, told.append)

    def once(event: NotesLate) -> None:
        bus.publish(SoundStarved(event.count))
        bus.unsubscribe(subscription)

    subscription = bus.subscribe(NotesLate, once)
    bus.publish(NotesLate(7))
    bus.publish(NotesLate(8))
    subscription._thread.join(5)
    assert bus.flush()
    assert told[0] == SoundStarved(7)
