"""Polyphonic encodings: Magenta's inputs, labels and notes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks.encodings import pianoroll, polyphony
from engine.networks.encodings.performance import notes as performance_notes
from engine.networks.encodings.performance import performance
from engine.networks.encodings.performance import windows as performance_windows
from engine.networks.encodings.performance.controls import Controls, PerformanceControl
from tests.networks.polyphonic.golden import CONTROLLED, PERFORMANCES, PIANOROLLS, WHOLE_NOTES, Golden

BOTH = (PerformanceControl.NOTES_PER_SECOND, PerformanceControl.PITCH_CLASSES)


def encoded(stream, events):
    labels, inputs = [], []
    for event in events:
        labels.append(stream.label(event))
        inputs.append(stream.push(event))
    return np.stack(inputs), np.array(labels)


def test_polyphony_inputs_and_labels_equal_magentas():
    golden = Golden("polyphony")
    for primer in golden.primers:
        classes = {0: 0, 1: 1, 2: 2, 3: polyphony.NEW, 4: polyphony.CONTINUED}
        expected = [classes[kind] + max(pitch, 0) for kind, pitch in golden.info[f"{primer}_events"]]
        passage = golden.passage(primer, golden.beats(golden.info[f"{primer}_total_time"], primer))
        events = [*polyphony.from_notes(passage.notes, round(passage.length * 4)), polyphony.END]
        assert events == expected
        inputs, labels = encoded(polyphony.PolyphonyEncoding().stream(), events)
        np.testing.assert_array_equal(inputs, golden[f"{primer}_inputs"])
        np.testing.assert_array_equal(labels, golden[f"{primer}_labels"])


@pytest.mark.parametrize("name", PERFORMANCES)
def test_performance_inputs_and_labels_equal_magentas(name):
    golden = Golden(name)
    dynamics = name != "performance"
    controls = {
        "density_conditioned_performance_with_dynamics": BOTH[:1],
        "pitch_conditioned_performance_with_dynamics": BOTH[1:],
    }.get(name, BOTH if name in CONTROLLED else ())
    encoding = performance.PerformanceEncoding(
        dynamics, circular="modulo" in name, controls=controls, optional="optional" in name
    )
    kinds = {
        1: performance.NOTE_ON,
        2: performance.NOTE_OFF,
        3: performance.TIME_SHIFT - 1,
        4: performance.VELOCITY - 1,
    }
    for primer in golden.primers:
        expected = [kinds[kind] + value for kind, value in golden.info[f"{primer}_events"]]
        passage = golden.passage(primer, 0)
        events = performance.from_notes(passage.notes, passage.qpm, dynamics)
        assert events == expected
        asked = golden.info.get(f"{primer}_control_event")
        if encoding.optional:
            asked = asked[1]
        source = None
        if controls:
            curves = [control.rows(value) for control, value in zip(controls, asked, strict=True)]
            source = Controls(curves, disabled=(False,) if encoding.optional else None)
        inputs, labels = encoded(encoding.stream(source), events)
        wanted = golden[f"{primer}_inputs"]
        if wanted.shape[1] == 1:  # the compact config puts the class, and makes it one-hot inside the graph
            inputs = inputs.argmax(axis=1)[:, None]
        np.testing.assert_array_equal(inputs, wanted)
        np.testing.assert_array_equal(labels, golden[f"{primer}_labels"])
        if encoding.optional:
            off = Controls(curves, disabled=(True,))
            np.testing.assert_array_equal(encoded(encoding.stream(off), events)[0], golden[f"{primer}_inputs_disabled"])


def test_whole_note_inputs_and_labels_equal_magentas():
    golden = Golden(WHOLE_NOTES)
    encoding = performance_notes.NotePerformanceEncoding()
    for primer in golden.primers:
        expected = [
            (shift, pitch, velocity - 1, duration)
            for (_, shift), (_, pitch), (_, velocity), (_, duration) in golden.info[f"{primer}_events"]
        ]
        passage = golden.passage(primer, 0)
        events = performance_notes.from_notes(passage.notes, passage.qpm)
        assert events == expected
        stream = encoding.stream()
        inputs, labels = encoded(stream, events)
        np.testing.assert_array_equal(inputs, golden[f"{primer}_inputs"])
        np.testing.assert_array_equal(labels, golden[f"{primer}_labels"])
        assert [stream.decode(tuple(label)) for label in labels.tolist()] == events


@pytest.mark.parametrize("name", PIANOROLLS)
def test_pianoroll_frames_equal_magentas(name):
    golden = Golden(name)
    for primer in golden.primers:
        expected = [sum(2**key for key in keys) for keys in golden.info[f"{primer}_events"]]
        passage = golden.passage(primer, golden.beats(golden.info[f"{primer}_total_time"], primer))
        events = pianoroll.from_notes(passage.notes, round(passage.length * 4))
        assert events == expected
        inputs, labels = encoded(pianoroll.PianorollEncoding().stream(), events)
        np.testing.assert_array_equal(inputs, golden[f"{primer}_inputs"])
        assert labels.tolist() == expected


@pytest.mark.models
def test_measured_controls_are_magentas():
    from note_seq import Performance, performance_controls
    from note_seq.performance_lib import PerformanceEvent

    rng = np.random.default_rng(3)
    kinds = rng.choice(4, 400, p=(0.3, 0.3, 0.3, 0.1))
    values = [rng.integers(*((40, 60), (40, 60), (1, 101), (1, 33))[kind]) for kind in kinds]
    theirs = Performance(steps_per_second=100, num_velocity_bins=32)
    for kind, value in zip(kinds, values, strict=True):
        theirs.append(PerformanceEvent(int(kind) + 1, int(value)))
    firsts = (performance.NOTE_ON, performance.NOTE_OFF, performance.TIME_SHIFT - 1, performance.VELOCITY - 1)
    ours = [firsts[kind] + int(value) for kind, value in zip(kinds, values, strict=True)]
    density = performance_controls.NoteDensityPerformanceControlSignal(3.0, [1.0])
    histogram = performance_controls.PitchHistogramPerformanceControlSignal(5.0)
    np.testing.assert_allclose(performance_windows.densities(ours), density.extract(theirs))
    np.testing.assert_allclose(performance_windows.histograms(ours), histogram.extract(theirs))
