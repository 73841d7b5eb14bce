"""Facts about phrases as NoteSequences."""

import numpy as np
import pytest

from engine.score.phrase import NOTE

pytestmark = pytest.mark.models
pytest.importorskip("note_seq")

NOTES = np.array([(0, 1, 60, 80), (0, 2.5, 64, 70), (1.75, 2, 67, 100)], NOTE)


@pytest.mark.parametrize("qpm", [60, 96, 133.3])
def test_notes_survive_the_way_there_and_back(qpm):
    from engine.score.note_sequence import from_note_sequence, to_note_sequence

    notes, drums = from_note_sequence(to_note_sequence(NOTES, qpm))
    assert not drums.any()
    np.testing.assert_allclose(notes["start"], NOTES["start"], atol=1e-9)
    np.testing.assert_allclose(notes["end"], NOTES["end"], atol=1e-9)
    assert notes["pitch"].tolist() == NOTES["pitch"].tolist()


def test_magentas_quantizer_finds_the_same_sixteenths():
    """What note_seq makes of our seconds is the grid that we think in."""
    from note_seq.sequences_lib import quantize_note_sequence

    from engine.score.note_sequence import to_note_sequence

    quantized = quantize_note_sequence(to_note_sequence(NOTES, 90, is_drum=True), steps_per_quarter=4)
    assert [note.quantized_start_step for note in quantized.notes] == [0, 0, 7]
    assert all(note.is_drum for note in quantized.notes)


def test_a_sequence_that_changes_its_tempo_is_refused():
    from engine.score.note_sequence import from_note_sequence, to_note_sequence

    sequence = to_note_sequence(NOTES, 90)
    sequence.tempos.add(qpm=100, time=1.0)
    with pytest.raises(ValueError, match="changes its tempo"):
        from_note_sequence(sequence)
