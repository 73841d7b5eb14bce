"""Facts about the scheduler, in virtual time."""

import itertools
from collections import Counter

import pytest

from engine.conductor.clocks import FastClock
from engine.conductor.makers.contract import Reply
from engine.conductor.recorder import Recording, Tally
from engine.events import BarSealed, SectionBegan
from engine.score.phrase import Origin, Phrase
from engine.score.time import SAMPLE_RATE
from engine.sound.messages import Control, Notes, Ramps
from tests.conductor.stage import Performance, StageRules, compose, curve, kinds, network, part, scene, section  # noqa: F401

pytestmark = pytest.mark.usefixtures("kinds")

DUO = [part("pad", "rule"), part("lead", "net", phrase_bars=2, chords="pad")]


def duo(**options):
    return scene(DUO, [section("a", "pad", "lead"), section("b", "pad")], **options)


def test_every_note_starts_on_its_exact_frame():
    """At 120 qpm a beat is 24000 frames."""
    played = Performance(duo()).play(16)
    assert [on for on, *_ in played.notes("pad")] == [beat * SAMPLE_RATE // 2 for beat in range(64)]


def test_the_same_seed_gives_the_same_performance():
    first, second = Performance(duo()).play(40), Performance(duo()).play(40)
    assert first.notes("lead") == second.notes("lead")
    assert first.notes("lead") != Performance(duo(), seed=2).play(40).notes("lead")


def test_as_fast_as_possible_and_in_time_give_the_same_notes():
    """One algorithm: only the waiting differs, so nothing of the music may."""
    in_time = Performance(duo()).play(40)
    fast = Performance(duo(), clock=FastClock(), duration=lambda job: 0).play(40)
    assert fast.accidents == 0
    for name in ("pad", "lead"):
        assert fast.notes(name) == in_time.notes(name)


def test_rules_with_a_transform_that_needs_a_network_are_made_in_a_worker():
    """And by rules where that fails, as any network part."""
    felt = scene([part("pad", "rule", transforms=("feel",))], [section("a", "pad")])
    healthy = Performance(felt, duration=lambda job: 0).play(16)
    assert healthy.rules.requests == []
    assert set(healthy.origins("pad")[4:]) == {Origin.NETWORK}
    broken = Performance(felt, make=lambda job: Reply(job.ticket, None, None, "no")).play(16)
    assert set(broken.origins("pad")) == {Origin.FALLBACK}
    assert [on for on, *_ in broken.notes("pad")] == [beat * SAMPLE_RATE // 2 for beat in range(64)]


def test_passes_of_a_section_differ_from_each_other():
    notes = Performance(duo()).play(32).notes("pad")
    bars = [[pitch for on, _, pitch, _ in notes if on // (2 * SAMPLE_RATE) == bar] for bar in range(32)]
    assert bars[:8] != bars[16:24]


def test_everything_is_sent_before_it_sounds_by_the_lead():
    played = Performance(duo(), lead=SAMPLE_RATE).play(30)
    for message, moment in zip(played.sent, played.sent_at, strict=True):
        if isinstance(message, Notes) and message.notes["on"][0] >= SAMPLE_RATE:
            assert message.notes["on"].min() - moment >= SAMPLE_RATE


def test_a_healthy_network_makes_every_bar_but_the_first():
    """Without an opening the very first phrase cannot be there in time; it is counted as an accident."""
    played = Performance(duo()).play(64)
    origins = played.origins("lead")
    assert Counter(origins[2:]) == {Origin.NETWORK: len(origins) - 2}


def test_the_opening_is_played_by_rules_as_planned_and_is_no_accident():
    """Five bars; then the network begins at once, within its section."""
    played = Performance(duo(opening=5)).play(64)
    origins = played.origins("lead")
    assert origins[:5] == [Origin.OPENING] * 5
    assert set(origins[5:]) == {Origin.NETWORK}
    assert played.accidents == 0


@pytest.mark.parametrize("duration", [None, 60 * SAMPLE_RATE])
def test_a_hung_or_late_network_is_replaced_in_time_counted_and_said(duration):
    played = Performance(duo(), duration=lambda job: duration).play(32)
    assert set(played.origins("lead")) == {Origin.FALLBACK}
    assert played.accidents == 8
    assert [on for on, *_ in played.notes("pad")] == [beat * SAMPLE_RATE // 2 for beat in range(128)]
    assert ("lead", "its phrase was late") in {(e.part, e.reason) for e in played.decided}


def test_a_failed_phrase_is_replaced_with_the_reason():
    played = Performance(duo(), make=lambda job: Reply(job.ticket, None, None, "NaN in the logits")).play(16)
    reasons = {sealed.phrase.provenance.reason for sealed in played.sealed if sealed.part == "lead"}
    assert "NaN in the logits" in reasons


def test_a_phrase_of_the_wrong_length_is_refused():
    def babble(job):
        phrase = Phrase.of([(0, 1, 60, 80)], 3.0, compose(job.request, Origin.NETWORK, "net").provenance)
        return Reply(job.ticket, phrase, phrase)

    played = Performance(duo(opening=2), make=babble).play(16)
    assert Origin.NETWORK not in played.origins("lead")


def test_a_reply_that_nobody_asked_for_changes_nothing():
    quiet, noisy = Performance(duo()), Performance(duo())
    noisy.makers.post(Reply(999, None, None, "who?"))
    assert noisy.play(20).notes("lead") == quiet.play(20).notes("lead")


def test_a_part_hears_the_other_over_exactly_its_bars():
    """Each two-bar request of the lead carries those two bars of the four-bar phrases of the pad."""
    heard = []

    def make(job):
        heard.append((job.request.place.first_bar, job.request.sources["chords"]))
        return network(job)

    played = Performance(duo(), make=make).play(8)
    pad = {on // 24000: pitch for on, _, pitch, _ in played.notes("pad")}
    for first_bar, phrase in heard:
        expected = [pad[first_bar * 4 + beat] for beat in range(8)] if first_bar < 8 else None
        assert expected is None or phrase.notes["pitch"].tolist() == expected


def test_a_part_is_heard_by_its_listeners_even_while_it_rests():
    alone = scene(DUO, [section("a", "lead")])
    played = Performance(alone).play(16)
    assert played.notes("pad") == []
    assert len(played.notes("lead")) == 64


def test_a_chain_of_three_listeners_plays():
    trio = [part("c", "net", 8, rhythm="b"), part("b", "rule", 3, chords="a"), part("a", "rule", 5)]
    played = Performance(scene(trio, [section("s", "a", "b", "c", bars=(6, 12))], opening=4)).play(60)
    assert played.accidents == 0
    assert len(played.notes("c")) == 240


def test_a_network_continues_from_what_it_played():
    pasts = {}

    def make(job):
        pasts[job.request.place.first_bar] = job.request.history
        return network(job)

    played = Performance(duo(opening=2), make=make).play(8)
    sung = [pitch for _, _, pitch, _ in played.notes("lead")]
    assert pasts[4].notes["pitch"].tolist() == sung[:16]


def test_settings_move_along_their_curve_over_the_section():
    moving = scene([part("pad", "rule", 2)], [section("a", "pad", move=(curve("pad", "temperature", 0.8, 1.2),))])
    played = Performance(moving).play(8)
    temperatures = [request.settings.temperature for request in played.rules.requests[:4]]
    assert temperatures == pytest.approx([0.8, 0.9, 1.0, 1.1])


def test_levels_ramp_bar_by_bar_along_their_curve_and_return_after_it():
    sections = [section("a", "pad", bars=(4, 4), move=(curve("pad", "level", -30, -10),)), section("b", "pad")]
    played = Performance(scene([part("pad", "rule")], sections)).play(6)
    ramps = [r for m in played.sent if isinstance(m, Ramps) for r in m.ramps if r.control is Control.LEVEL]
    assert [r.value for r in ramps] == [-30, -25, -20, -15, -10, -12]
    assert all(r.start < r.end for r in ramps)


def test_solo_silences_the_others_without_changing_the_part():
    solo, full = Performance(duo(), solo="lead").play(16), Performance(duo()).play(16)
    assert solo.notes("pad") == []
    assert solo.notes("lead") == full.notes("lead")


def test_a_long_performance_keeps_a_bounded_memory():
    played = Performance(duo(opening=2))
    played.play(2000)
    conductor = played.conductor
    state = conductor.state()
    assert all(len(line.decided) < 20 for line in state.lines)
    assert len(list(itertools.takewhile(lambda visit: visit.first_bar <= 2012, conductor.plan.passes()))) < 10
    assert len(state.jobs) <= 1
    assert len(state.to_json()) < 100_000


def test_a_network_that_enters_late_plays_all_its_bars():
    """When it enters, the bars of the opening are long forgotten."""
    late = scene(DUO, [section("a", "pad", bars=(64, 64)), section("b", "lead")], opening=4)
    assert Performance(late).play(80).origins("lead") == [Origin.NETWORK] * 8


def test_an_edited_scene_takes_over_at_the_next_unsealed_bar():
    played = Performance(duo(opening=2), lead=SAMPLE_RATE).play(10)
    before = played.notes("pad")
    edited = scene([part("pad", "rule"), part("extra", "rule")], [section("a", "extra"), section("b", "pad", "extra")])
    bar = played.conductor.reload(edited)
    played.play(24)
    assert played.notes("pad")[: len(before)] == before
    assert min(on for on, *_ in played.notes("extra")) == bar.start
    pads = [on for on, *_ in played.notes("pad")]
    assert pads == sorted(set(pads))


def test_the_tally_says_who_made_the_bars_and_the_recording_keeps_the_notes(tmp_path):
    played = duo(opening=2)
    performance, tally, recording = Performance(played).play(24), Tally(), Recording(played)
    for event in performance.events:
        if isinstance(event, BarSealed):
            tally(event)
        if isinstance(event, SectionBegan | BarSealed):
            recording(event)
    assert tally.network_share("lead") == pytest.approx(14 / 16)
    assert tally.lines(["lead", "nobody"])[0] == (
        "lead    16 bars: 14 by its network, 2 by rules (of them 2 in the opening), 0 failed"
    )
    assert tally.lines(["pad"])[0] == "pad     24 bars: 24 by rules, 0 failed"
    assert len(recording.part_notes("pad")) == 96
    assert [recording.origins["lead"][bar] for bar in (0, 1, 2)] == [Origin.OPENING, Origin.OPENING, Origin.NETWORK]
    assert list(recording.origins["lead"].values()).count(Origin.NETWORK) == 14
    recording.write_midi(tmp_path / "x.mid")
    assert (tmp_path / "x.mid").stat().st_size > 500


def test_the_tally_speaks_of_a_network_only_where_the_scene_has_one(monkeypatch):
    """Whatever became of its bars: rules that fail have no network, and a network that never came has one."""
    monkeypatch.setattr(StageRules, "make", lambda self, job: 1 / 0)
    tally = Tally()
    for event in Performance(duo(), make=lambda job: Reply(job.ticket, None, None, "no")).play(16).events:
        if isinstance(event, BarSealed):
            tally(event)
    assert tally.lines(["pad", "lead"]) == [
        "pad     16 bars: 16 by rules (of them 16 in place of what failed), 16 failed",
        "lead     8 bars: 0 by its network, 8 by rules (of them 8 in place of what failed), 8 failed",
    ]


@pytest.mark.parametrize("lengths", list(itertools.product((1, 2, 3, 4), repeat=3)))
def test_a_chain_of_phrases_of_any_lengths_is_asked_for_in_time_however_short_the_render(lengths):
    """Who listens over four bars may need two phrases of three, and those three phrases of two; found by chance."""
    first, second, third = lengths
    links = [part("a", "net", first), part("b", "rule", second, chords="a"), part("c", "net", third, rhythm="b")]
    chain = scene(links, [section("s", "a", bars=(1, 1)), section("t", "c", bars=(24, 24))])
    for bars in range(2, 9):
        played = Performance(chain, clock=FastClock(), duration=lambda job: 0).play(bars)
        assert played.accidents == 0
        assert set(played.origins("c")) == {Origin.NETWORK}
