from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import DataError
from tests.training.datasets.triples.lyric_song_files import (
    song,
    write_collection,
    write_lyric_songs,
)
from training.cli import app
from training.datasets.feature_file import read_feature_file
from training.datasets.songs.song import Notehead
from training.datasets.triples.line_sources import lines_of_lyric_songs, lines_of_scores
from training.datasets.triples.lyric_lines import SungLine, choose_lines, split_lines
from training.datasets.triples.scores import ScoreFolder


def line(name: str, words: str, pitches, song_name: str = "s", group: int = 0) -> SungLine:
    notes = tuple(
        Notehead(Fraction(index), Fraction(1), pitch, word)
        for index, (word, pitch) in enumerate(zip(words.split(), pitches, strict=True))
    )
    return SungLine(name, song_name, group, notes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_collection(tmp_path_factory.mktemp("lines"), clusters=30)


def test_a_line_begins_at_a_capital_or_behind_a_rest(tmp_path) -> None:
    one = song(np.random.default_rng(0), "own", 21)
    one["r"] = [0.0] * 21
    one["syl"] = ["la"] * 21
    one["syl"][7], one["syl"][10], one["r"][14] = "Sun", "I'm", 1.0
    lines = list(lines_of_lyric_songs(write_lyric_songs(tmp_path, [one], {"own": "0"})))
    assert [line.id for line in lines] == ["own-note0001", "own-note0008", "own-note0015"]
    assert [len(line.notes) for line in lines] == [7, 7, 7]
    assert [note.pitch for note in lines[1].notes] == one["p"][7:14]
    assert lines[1].text.split() == one["syl"][7:14]
    assert lines[1].notes[0].onset == 0


def test_lines_of_scores_end_at_rests_and_stops(tmp_path) -> None:
    words = ["We", "walk", "in", "the", "green", "wood.", "The", "riv", "er", "sings", "to", "us"]
    notes = []
    for index, word in enumerate(words):
        syllabic = {"riv": "begin", "er": "end"}.get(word, "single")
        lyric = f"<lyric><syllabic>{syllabic}</syllabic><text>{word}</text></lyric>"
        pitch = f"<pitch><step>{'CDEFGAB'[index % 7]}</step><octave>4</octave></pitch>"
        notes.append(f"<note>{pitch}<duration>1</duration><type>quarter</type>{lyric}</note>")
    bars = "".join(
        f'<measure number="{first}"><attributes><divisions>1</divisions></attributes>'
        f"{''.join(notes[first : first + 4])}</measure>"
        for first in (0, 4, 8)
    )
    head = '<part-list><score-part id="P1"><part-name>V</part-name></score-part></part-list>'
    score = f'<score-partwise version="4.0">{head}<part id="P1">{bars}</part></score-partwise>'
    (tmp_path / "walk.musicxml").write_text(score)
    lines = list(lines_of_scores(ScoreFolder(tmp_path)))
    assert [line.text for line in lines] == ["We walk in the green wood.", "The river sings to us"]
    assert lines[1].notes[0].onset == 0


def test_no_chosen_line_shares_words_or_melody_with_another() -> None:
    up, down = [60, 62, 64], [64, 62, 60]
    lines = [
        line("a", "one two three", up),
        line("b", "One, two three!", down),  # the words of a
        line("c", "four five six", [65, 67, 69]),  # the melody of a in F
        line("d", "seven eight nine", [60, 60, 60]),
    ]
    for seed in range(5):
        chosen = choose_lines(lines, count=10, seed=seed)
        ids = {one.id for one in chosen}
        assert "d" in ids
        assert ids in ({"a", "d"}, {"b", "c", "d"})
    with pytest.raises(DataError, match="found none"):
        choose_lines([], count=10, seed=0)


def test_lines_of_versions_stay_together_unless_split_at_random(folder) -> None:
    chosen = choose_lines(lines_of_lyric_songs(folder), count=10_000, seed=0)
    for at_random in (False, True):
        sides = defaultdict(set)
        splits = split_lines(chosen, seed=0, at_random=at_random)
        for one, side in zip(chosen, splits, strict=True):
            sides[one.group].add(side)
        assert set(splits) == {"train", "validation", "test"}
        assert (max(map(len, sides.values())) > 1) == at_random


def test_the_command_writes_pairs_that_compare_can_read(folder, tmp_path) -> None:
    out = tmp_path / "lines.h5"
    arguments = ["build-lines", "lyrics-melody", "--root", str(folder), "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--count", "50"])
    assert result.exit_code == 0, result.output
    data = read_feature_file(out)
    lyrics, melody = data.views["lyrics"], data.views["melody"]
    assert lyrics.ids.tolist() == melody.ids.tolist()
    assert (lyrics.features.shape[1], melody.features.shape[1]) == (1008, 211)
    assert len(lyrics.ids) <= 50
    assert "split by versions" in data.source
    CliRunner().invoke(app, [*arguments, "--random-split"], catch_exceptions=False)
    assert "leaks" in read_feature_file(out).source
