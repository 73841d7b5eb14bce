"""Messages come out of the codec as they went in, and whatever is no message is refused in words."""

import datetime
import pickle
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from engine import assets
from engine.codec import Codec, CodecError, model_name
from engine.conductor.clocks import FastClock
from engine.conductor.conductor import Conductor
from engine.conductor.makers.contract import Job, Reply, SlowRung
from engine.events import BarSealed, NetworksLoaded, NotesLate, PartBar, PhraseDecided
from engine.form.plan import Plan
from engine.generators.rules.arpeggio import ArpeggioSettings
from engine.runtime.codecs import EVENTS
from engine.runtime.ending import networks_of, setup_of
from engine.runtime.rules import ladder_over
from engine.runtime.workers.messages import FROM_WORKER, TO_WORKER, Load
from engine.scenes import load
from engine.score.harmony.chords import Chord
from engine.score.harmony.keys import Key
from engine.score.phrase import ChordSpan, Origin, Phrase, Provenance
from engine.sound.messages import FROM_SOUND, NOTE_EVENT, TO_SOUND, Control, LevelReading, Notes, Quit, Ramp, Ramps

SCENES = sorted(assets.names("scenes"))
PHRASE = Phrase.of(
    [(0.1, 1 / 3, 60, 80), (2.0, 9.5, 127, 1)], 8.0, Provenance("melody_rnn", Origin.NETWORK, 2**62 + 1),
    [ChordSpan(0.0, 4.0, Chord(2, "m7b5", 5), True)],
)  # fmt: skip


def same(one: Phrase | None, other: Phrase | None) -> bool:
    if one is None or other is None:
        return one is other
    left, right = ((p.length, p.provenance, p.chords, p.notes.dtype, p.notes.tobytes()) for p in (one, other))
    return left == right


class Wire(SlowRung):
    """Makers of phrases at the other end of a wire: every job and what was sent goes through the codec."""

    name = "wire"

    def __init__(self) -> None:
        self.jobs = 0
        self._replies: list[Reply] = []

    def submit(self, job: Job) -> None:
        arrived = TO_WORKER.decode(TO_WORKER.encode(job))
        assert isinstance(arrived, Job)
        self.jobs += 1
        one, other = job.request, arrived.request
        for name in ("part", "role", "bars", "meter", "qpm", "key", "seed", "place", "theme", "settings", "transforms"):
            assert getattr(one, name) == getattr(other, name), name
            assert type(getattr(one, name)) is type(getattr(other, name)), name
        assert type(one.settings) is type(other.settings)
        assert same(one.history, other.history)
        assert same(one.primer, other.primer)
        assert one.sources.keys() == other.sources.keys()
        assert all(same(phrase, other.sources[link]) for link, phrase in one.sources.items())
        self._replies.append(Reply(job.ticket, None, None, "nobody is here"))

    def poll(self, timeout: float) -> list[Reply]:
        replies, self._replies = self._replies, []
        return replies

    def cancel(self, tickets: object) -> None:
        pass


def through_the_wire(message: object) -> None:
    arrived = TO_SOUND.decode(TO_SOUND.encode(message))  # pyright: ignore[reportArgumentType]
    if isinstance(message, Notes):
        assert isinstance(arrived, Notes)
        assert (arrived.part, arrived.notes.dtype) == (message.part, message.notes.dtype)
        np.testing.assert_array_equal(arrived.notes, message.notes)
    else:
        assert arrived == message


@pytest.mark.parametrize("name", SCENES)
def test_all_that_a_scene_asks_and_sends_arrives_as_it_was(name):
    scene, _ = load(assets.scene(name))
    assert scene is not None
    through_the_wire(setup_of(scene, 1, live=True))
    wanted = Load(tuple(networks_of(scene)))
    assert TO_WORKER.decode(TO_WORKER.encode(wanted)) == wanted
    makers = Wire()
    Conductor(Plan(scene, 5), ladder_over(makers), through_the_wire, FastClock()).run(64)
    assert makers.jobs


def test_replies_and_events_keep_every_note_to_the_last_bit():
    reply = FROM_WORKER.decode(FROM_WORKER.encode(Reply(7, PHRASE, PHRASE, "", 0.25)))
    assert isinstance(reply, Reply)
    assert (reply.ticket, reply.problem, reply.seconds) == (7, "", 0.25)
    assert same(reply.phrase, PHRASE)
    decided = PhraseDecided("lead", 3, 8, 2, 2**62, "melody_rnn", "", 0.1, PHRASE, PHRASE, Key(2, "dorian"))
    sealed = BarSealed(8, 256, 512, 71.3, 3, "dawn", (PartBar("lead", PHRASE, True, True),))
    for event in (decided, sealed, NetworksLoaded(1.5, (("melody_rnn", "no file"),)), NotesLate(2)):
        arrived = EVENTS.decode(EVENTS.encode(event))
        assert type(arrived) is type(event)
        if isinstance(event, PhraseDecided):
            assert isinstance(arrived, PhraseDecided)
            assert same(arrived.raw, event.raw)
        elif isinstance(event, BarSealed):
            assert isinstance(arrived, BarSealed)
            assert arrived.parts[0].part == "lead"
            assert same(arrived.parts[0].phrase, PHRASE)
        else:
            assert arrived == event


def test_silence_in_decibels_and_whole_seeds_survive():
    ramps = Ramps((Ramp("pad", Control.REVERB, float("-inf"), 0, 2**40),))
    assert TO_SOUND.decode(TO_SOUND.encode(ramps)) == ramps


def test_a_message_of_another_union_is_not_written():
    with pytest.raises(CodecError, match="LevelReading is no message of this union"):
        TO_SOUND.encode(LevelReading(0, 0.0, 0.0, 0, 0))  # pyright: ignore[reportArgumentType]


def test_settings_of_no_installed_kind_are_refused_on_both_sides():
    class Strange(ArpeggioSettings):
        """Of no kind."""

    with pytest.raises(CodecError, match="no installed generator"):
        TO_WORKER.encode(Load((("arpeggio", Strange()),)))
    name = "tests.test_codec:Strange"
    with pytest.raises(CodecError, match="no installed generator"):
        TO_WORKER.decode(msgspec.msgpack.encode(("Load", {"generators": [("arpeggio", (name, {}))]})))


class Scale(BaseModel):
    """Part of a plug-in's settings."""

    notes: tuple[int, ...] = (0, 2, 4)


class PlugInSettings(BaseModel):
    """What a plug-in may want to be told."""

    table: Path = Path("/srv/tables/odd.csv")
    scale: Scale = Scale()
    since: datetime.date = datetime.date(2026, 11, 27)
    share: Decimal = Decimal("0.1")
    tags: frozenset[str] = frozenset({"a", "b"})


class TornSettings(BaseModel):
    """Which of two models stands here, no bytes say."""

    scale: Scale | PlugInSettings = Scale()


@dataclass(frozen=True)
class Told:
    """Carries settings."""

    settings: BaseModel


def known(name: str) -> type[BaseModel]:
    return {model_name(model): model for model in (Scale, PlugInSettings, TornSettings)}[name]


def test_a_plug_in_s_settings_travel_with_paths_dates_and_models_inside():
    codec: Codec[Told] = Codec(Told, known)
    told = Told(PlugInSettings(table=Path("there/is ö.csv"), scale=Scale(notes=(1, 5)), tags=frozenset({"c"})))
    assert codec.decode(codec.encode(told)) == told


def test_settings_that_nobody_could_read_are_not_written():
    """Whoever sends them is told; the other side would have to break off."""
    codec: Codec[Told] = Codec(Told, known)
    for _ in range(2):
        with pytest.raises(CodecError, match=r"a Told cannot be sent: TornSettings\.scale"):
            codec.encode(Told(TornSettings()))


class Evil:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return (open, ("/tmp/perpetuum-codec-was-here", "w"))


HOSTILE = [
    b"",
    b"\x00",
    b"\xc1" * 40,
    pickle.dumps(Evil()),
    msgspec.msgpack.encode(("Quit",)),
    msgspec.msgpack.encode(("Quit", {}, 3)),
    msgspec.msgpack.encode(("Setup", {"parts": 3})),
    msgspec.msgpack.encode(("Notes", {"part": "pad", "notes": ("note_event", b"123")})),
    msgspec.msgpack.encode(("Notes", {"part": "pad", "notes": ("object", b"")})),
    msgspec.msgpack.encode(("Release", {"frame": "soon"})),
    msgspec.msgpack.encode(("__import__", {"frame": 1})),
    msgspec.msgpack.encode((["Quit"], {})),
]


@pytest.mark.parametrize("data", HOSTILE)
def test_what_is_no_message_is_an_error_in_words(data):
    for codec in (TO_SOUND, FROM_SOUND, TO_WORKER, FROM_WORKER, EVENTS):
        with pytest.raises(CodecError):
            codec.decode(data)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_raise_that_error(data):
    for codec in (TO_SOUND, FROM_SOUND, TO_WORKER, FROM_WORKER, EVENTS):
        try:
            codec.decode(data)
        except CodecError:
            continue


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_message_with_one_byte_changed_is_another_one_or_an_error(place, byte):
    notes = np.array([(256, 512, 60, 80), (300, 900, 64, 90)], NOTE_EVENT)
    data = bytearray(TO_SOUND.encode(Notes("pad", notes)))
    data[place % len(data)] = byte
    try:
        arrived = TO_SOUND.decode(bytes(data))
    except CodecError:
        return
    assert isinstance(arrived, Notes | Quit)
