from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.errors import DataError
from models.types import Audio
from tests.training.datasets.songs.conftest import score_xml, tune_bars
from training.alignment.bars import SAMPLE_RATE_HZ, ScoreNote, align_bars, audio_chroma
from training.alignment.score import read_notes
from training.alignment.warping import warping_path

TUNE = [60, 62, 64, 65, 67, 69, 71, 72, 62, 64, 67, 72, 74, 72, 71, 69]


def naive_cost(cost: np.ndarray) -> float:
    """Cheapest path by the recursion as it is written."""
    total = np.full(cost.shape, np.inf)
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            before = [
                total[i - di, j - dj] for di, dj in ((1, 1), (1, 0), (0, 1)) if i >= di and j >= dj
            ]
            total[i, j] = cost[i, j] + (min(before) if before else 0.0)
    return float(total[-1, -1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1), (7, 9), (12, 4)])
def test_the_path_is_the_cheapest(shape: tuple[int, int]) -> None:
    cost = np.random.default_rng(sum(shape)).random(shape)
    path = warping_path(cost)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [shape[0] - 1, shape[1] - 1]
    assert {tuple(step) for step in np.diff(path, axis=0).tolist()} <= {(1, 1), (1, 0), (0, 1)}
    assert float(cost[path[:, 0], path[:, 1]].sum()) == pytest.approx(naive_cost(cost))


def played(quarter_seconds: list[float]) -> Audio:
    """Four bars of four quarters, each bar at a tempo of its own."""
    parts = []
    for place, pitch in enumerate(TUNE):
        time = np.arange(round(quarter_seconds[place // 4] * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        hertz = 440.0 * 2.0 ** ((pitch - 69) / 12.0)
        tone = sum(np.sin(2 * np.pi * k * hertz * time) / k for k in (1, 2, 3))
        parts.append(tone * np.minimum(1.0, 20.0 * (time[-1] - time)))
    return Audio((0.2 * np.concatenate(parts)).astype(np.float32), SAMPLE_RATE_HZ)


def test_bars_are_found_though_the_tempo_changes() -> None:
    tempi = [0.5, 0.35, 0.7, 0.45]
    notes = [ScoreNote(float(k), 1.0, pitch) for k, pitch in enumerate(TUNE)]
    found = align_bars(notes, [0.0, 4.0, 8.0, 12.0, 16.0], played(tempi))
    expected = np.cumsum([0.0, *(4 * tempo for tempo in tempi)])
    assert [one.bar for one in found] == [1, 2, 3, 4]
    assert [one.start_seconds for one in found] == pytest.approx(expected[:-1].tolist(), abs=0.12)
    assert [one.end_seconds for one in found] == pytest.approx(expected[1:].tolist(), abs=0.12)


def test_a_tone_lies_in_its_pitch_class() -> None:
    chroma = audio_chroma(played([0.5] * 4))
    assert int(chroma[5].argmax()) == 0
    assert int(chroma[15].argmax()) == 2


def test_a_score_with_words_is_read_with_all_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "song.musicxml"
    path.write_text(score_xml(tune_bars(TUNE, ["la"] * 16)))
    notes, starts = read_notes(path)
    assert starts == [0.0, 4.0, 8.0, 12.0, 16.0]
    assert sorted(note.pitch for note in notes if note.duration == 1.0) == sorted(TUNE)
    assert [note.onset for note in notes if note.duration == 4.0] == [0.0, 4.0, 8.0, 12.0]


def test_the_command_prints_a_line_for_each_bar(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from training.cli import app

    score, recording = tmp_path / "song.musicxml", tmp_path / "song.wav"
    score.write_text(score_xml(tune_bars(TUNE, ["la"] * 16)))
    audio = played([0.4, 0.6, 0.4, 0.4])
    soundfile.write(recording, audio.samples, audio.sample_rate_hz)
    result = CliRunner().invoke(app, ["align", str(score), str(recording)])
    assert result.exit_code == 0, result.output
    lines = [line.split("\t") for line in result.output.strip().splitlines()]
    assert lines[0] == ["bar", "start_seconds", "end_seconds"]
    assert float(lines[3][1]) == pytest.approx(4.0, abs=0.25)


def test_nothing_to_align_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        read_notes(tmp_path / "missing.xml")
    with pytest.raises(DataError, match="found none"):
        align_bars([], [0.0, 4.0], played([0.5] * 4))
    endless = Audio(np.zeros(16_000 * 1_000, np.float32), 16_000)
    with pytest.raises(DataError, match="at most"):
        align_bars([ScoreNote(0.0, 1.0, 60)], [0.0, 4.0], endless)
