from fractions import Fraction

import numpy as np
import pytest

from training.datasets.songs.song import Notehead
from training.datasets.triples.melody_row import melody_row


def melody(pitches, lengths, rests=None):
    notes, now = [], Fraction(0)
    for index, (pitch, length) in enumerate(zip(pitches, lengths, strict=True)):
        now += Fraction(rests[index]) if rests else 0
        notes.append(Notehead(now, Fraction(length), pitch))
        now += Fraction(length)
    return notes


TUNE = melody([60, 62, 64, 60], ["1/2", "1/2", "1", "2"], rests=[0, 0, 1, 0])


def test_moving_all_notes_changes_the_mean_pitch_only() -> None:
    moved = [Notehead(n.onset, n.duration, n.pitch + 5) for n in TUNE]
    changed = np.flatnonzero(np.abs(melody_row(moved) - melody_row(TUNE)) > 1e-6)
    assert changed.tolist() == [19]


def test_the_shares_are_those_counted_by_hand() -> None:
    row = melody_row(TUNE)
    intervals = row[20:45]
    assert intervals[[12 + 2, 12 - 4]] == pytest.approx([2 / 3, 1 / 3])
    assert intervals.sum() == pytest.approx(1.0)
    above_last = row[45:57]
    assert above_last[[0, 2, 4]] == pytest.approx([0.5, 0.25, 0.25])
    lengths = row[57:67]
    assert lengths[[3, 5, 7]] == pytest.approx([0.5, 0.25, 0.25])  # eighth, quarter, half
    assert row[67:72] == pytest.approx([0, 0, 0.25, 0, 0])  # one rest of a quarter
    assert row[72:80] == pytest.approx([0.75, 0, 0, 0, 0.25, 0, 0, 0])  # on the beat, off it
    assert row[80:83] == pytest.approx([1 / 3, 0, 2 / 3])  # down, level, up


def test_the_places_count_from_either_end() -> None:
    row = melody_row(TUNE)
    assert row.shape == (211,)
    first, last = row[83:147].reshape(4, 16), row[147:211].reshape(4, 16)
    assert np.array_equal(first[:, :4], last[:, 3::-1])
    assert first[3].tolist() == [1.0] * 4 + [0.0] * 12
    assert first[1, :4] == pytest.approx(np.log2([4, 4, 8, 16]) / 5)


def test_the_number_of_notes_moves_the_soft_classes() -> None:
    rows = [melody_row(melody([60] * count, ["1"] * count))[:16] for count in (6, 7, 40)]
    assert np.abs(rows[0] - rows[1]).max() > 0.1
    assert rows[0].argmax() < rows[2].argmax()


def test_one_note_and_many_give_finite_rows() -> None:
    for count in (1, 100):
        row = melody_row(melody([60] * count, ["1/8"] * count))
        assert row.dtype == np.float32
        assert np.isfinite(row).all()
