import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from models.errors import DataError
from models.types import Modality
from tests.training.datasets.tiny_packs import write_triples
from tests.training.datasets.triples.conftest import needs_player, needs_singer
from training.datasets.triples import write
from training.datasets.triples.build import BuildOptions, build_triples
from training.datasets.triples.festival import FestivalSinger
from training.datasets.triples.manifest import read_rows
from training.datasets.triples.scores import ScoreFolder
from training.datasets.triples.soundfont import find_soundfont
from training.datasets.triples.sung_segments import CONSONANTS, PAUSE, VOWELS
from training.datasets.triples_dataset import open_triples

pytestmark = needs_player


def options(**changed) -> BuildOptions:
    chosen: dict[str, Any] = {
        "seed": 0,
        "renditions": ("voice", "accompanied"),
        "soundfont": find_soundfont(),
        "instruments": ("flute", "violin"),
        "workers": 1,
        "progress": False,
    }
    return BuildOptions(**(chosen | changed))


def files(out: Path) -> list[Path]:
    return sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())


def assert_same(first: Path, second: Path) -> None:
    """Equal files; sound to the last bit of 16, which a synthesiser may round otherwise."""
    assert files(first) == files(second)
    for path in files(first):
        if path.suffix == ".flac":
            one, other = (soundfile.read(out / path, dtype="int16")[0] for out in (first, second))
            assert np.abs(one.astype(int) - other).max() <= 1
        elif path.suffix != ".jsonl":
            assert (first / path).read_bytes() == (second / path).read_bytes()


def test_every_window_becomes_a_triple(scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build_triples(ScoreFolder(scores), out, options()) == 6
    rows = list(read_rows(out))
    assert [row["id"] for row in rows][:2] == ["meadow-bar001", "meadow-bar005"]
    for row in rows:
        assert set(row["files"]) == {"score", "lyrics", "voice", "accompanied"}
        for kind, place in row["files"].items():
            data = (out / place).read_bytes()
            assert hashlib.sha256(data).hexdigest() == row["sha256"][kind]
        strip = Image.open(io.BytesIO((out / row["files"]["score"]).read_bytes()))
        assert strip.size[0] == 1024
        samples, rate = soundfile.read(out / row["files"]["voice"])
        assert len(samples) / rate == pytest.approx(row["seconds"], abs=1e-3)
        assert 6.0 <= row["seconds"] <= 12.0
        assert len(row["notes"]) == 16


def test_length_is_drawn_whatever_the_music_is(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "a", options())
    build_triples(ScoreFolder(scores), tmp_path / "b", options(seed=1))
    first = [row["seconds"] for row in read_rows(tmp_path / "a")]
    other = [row["seconds"] for row in read_rows(tmp_path / "b")]
    assert len(set(first)) == len(first)
    assert first != other


def test_an_interrupted_build_goes_on_and_gives_the_same_files(
    scores: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    build_triples(ScoreFolder(scores), whole, options())
    assert build_triples(ScoreFolder(scores), parts, options(limit=1)) == 2
    lost = parts / ".songs" / "meadow.jsonl"
    lost.unlink(missing_ok=True)
    assert build_triples(ScoreFolder(scores), parts, options(workers=2)) == 6
    assert_same(parts, whole)


def test_a_folder_of_other_settings_is_refused(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "out", options(limit=1))
    with pytest.raises(DataError, match="asked for"):
        build_triples(ScoreFolder(scores), tmp_path / "out", options(seed=1))


def test_unknown_renditions_are_refused() -> None:
    with pytest.raises(DataError, match="danced"):
        options(renditions=("danced",))


def test_the_accompaniment_is_heard_below_the_voice(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "out", options())
    row = next(read_rows(tmp_path / "out"))
    alone, rate = soundfile.read(tmp_path / "out" / row["files"]["voice"])
    both, _ = soundfile.read(tmp_path / "out" / row["files"]["accompanied"])

    def at_c4(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples)) / np.abs(np.fft.rfft(samples)).max()
        hertz = np.fft.rfftfreq(len(samples), 1 / rate)
        return float(spectrum[(hertz > 258) & (hertz < 265)].max())

    assert at_c4(both) > 2 * at_c4(alone) or at_c4(both) > 0.9


def test_triples_are_a_data_set(scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_triples(ScoreFolder(scores), out, options())
    dataset = open_triples(out, rendition="accompanied")
    assert dataset.name == "lieder-accompanied"
    examples = dataset.examples()
    assert len(examples) == 18
    assert {one.modality for one in examples} == {Modality.AUDIO, Modality.LYRICS, Modality.SCORE}
    assert all(one.path is not None and one.path.is_file() for one in examples)
    with pytest.raises(DataError, match="sung"):
        open_triples(out, rendition="sung")


def test_of_equal_test_excerpts_one_is_listed(tmp_path: Path) -> None:
    write_triples(tmp_path, ("voice",))
    lines = [json.loads(line) for line in (tmp_path / "triples.jsonl").read_text().splitlines()]
    tested = [line for line in lines if line["split"] == "test"]
    tested[0]["words"] = tested[1]["words"]
    trained = [line for line in lines if line["split"] == "train"]
    trained[0]["words"] = trained[1]["words"]
    (tmp_path / "triples.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    listed = {one.id for one in open_triples(tmp_path, rendition="voice").examples()}
    assert len(listed) == len(lines) - 1
    assert len({tested[0]["id"], tested[1]["id"]} & listed) == 1


def test_the_manifest_names_no_place_of_this_machine(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "out", options(limit=1))
    text = (tmp_path / "out" / "triples.json").read_text()
    assert "/" not in json.loads(text)["settings"]["soundfont"]
    assert str(tmp_path) not in text


@needs_singer
@pytest.mark.slow
def test_sung_windows_last_as_long_as_played_ones(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "out", options(renditions=("voice", "sung")))
    for row in read_rows(tmp_path / "out"):
        played, _ = soundfile.read(tmp_path / "out" / row["files"]["voice"])
        sung, _ = soundfile.read(tmp_path / "out" / row["files"]["sung"])
        assert len(sung) == len(played)
        assert np.abs(sung).max() > 0.05


@needs_singer
@pytest.mark.slow
def test_the_table_says_which_phone_is_sung_when(scores: Path, tmp_path: Path) -> None:
    build_triples(ScoreFolder(scores), tmp_path / "out", options(limit=2, renditions=("sung",)))
    for row in read_rows(tmp_path / "out"):
        names = {name for name, _, _ in row["phones"]}
        assert names <= {PAUSE} | CONSONANTS | VOWELS
        ends = [end for _, _, end in row["phones"]]
        assert [start for _, start, _ in row["phones"][1:]] == ends[:-1]
        vowels = [start for name, start, _ in row["phones"] if name in VOWELS]
        samples, rate = soundfile.read(tmp_path / "out" / row["files"]["sung"])
        for onset, _, _, syllable in row["notes"]:
            assert not syllable or min(abs(onset - start) for start in vowels) < 0.15
        for name, start, end in row["phones"]:
            middle = samples[round(start * rate) : round(end * rate)]
            if name in VOWELS and end - start > 0.2:
                assert np.abs(middle).max() > 0.02


@needs_singer
@pytest.mark.slow
def test_no_singer_is_left_behind(
    scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    singers: list[int] = []

    class Counted(FestivalSinger):
        def __init__(self) -> None:
            super().__init__()
            singers.append(self.process_id)

    monkeypatch.setattr(write, "FestivalSinger", Counted)
    build_triples(ScoreFolder(scores), tmp_path / "out", options(limit=1, renditions=("sung",)))
    assert len(singers) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(singers[0], 0)
