from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from tests.training.datasets.triples.conftest import needs_player
from training.datasets.triples.soundfont import (
    SAMPLE_RATE_HZ,
    SoundfontPlayer,
    TimedNote,
    find_soundfont,
)

FLUTE = 73


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 2**16))
    return float(spectrum[:8000].argmax() * SAMPLE_RATE_HZ / 2**16)


@needs_player
def test_a_note_has_its_pitch_and_its_place() -> None:
    with SoundfontPlayer(find_soundfont()) as player:
        played = player.play([TimedNote(1.0, 2.0, 72, 100)], program=FLUTE, seconds=3.0)
    assert len(played) == 3 * SAMPLE_RATE_HZ
    assert np.abs(played[: SAMPLE_RATE_HZ - 10]).max() < 1e-4
    middle = played[int(1.2 * SAMPLE_RATE_HZ) : int(1.9 * SAMPLE_RATE_HZ)]
    assert loudest_hz(middle) == pytest.approx(523.25, rel=0.01)


@needs_player
def test_the_same_notes_give_the_same_sound_whatever_came_before() -> None:
    notes = [TimedNote(0.0, 0.5, 60, 90), TimedNote(0.5, 1.0, 64, 90)]
    with SoundfontPlayer(find_soundfont()) as player:
        first = player.play(notes, program=FLUTE, seconds=1.0)
        player.play([TimedNote(0.0, 5.0, 40, 127)], program=0, seconds=0.7)
        again = player.play(notes, program=FLUTE, seconds=1.0)
    np.testing.assert_allclose(first, again, atol=1e-6)  # a hundredth of a 16-bit step


@needs_player
def test_a_file_that_is_no_soundfont_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.sf2"
    path.write_bytes(b"not a soundfont")
    with pytest.raises(DataError, match="cannot be read"):
        SoundfontPlayer(path)


def test_a_missing_soundfont_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing\.sf2"):
        find_soundfont(tmp_path / "missing.sf2")


def test_the_environment_names_a_soundfont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "own.sf2"
    path.write_bytes(b"")
    monkeypatch.setenv("KYOMEI_SOUNDFONT", str(path))
    assert find_soundfont() == path
