"""Small scores written for the tests, and what the machine can play."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from models.errors import DataError
from tests.training.datasets.songs.conftest import score_xml, tune_bars
from training.datasets.triples.soundfont import find_soundfont

TUNES = {
    "river": [60, 62, 64, 65, 67, 69, 71, 72, 60, 64, 67, 72, 74, 72, 71, 69],
    "mountain": [72, 71, 69, 67, 65, 64, 62, 60, 72, 67, 64, 60, 62, 64, 65, 67],
    "meadow": [67, 67, 64, 64, 60, 60, 62, 62, 74, 74, 71, 71, 69, 69, 65, 65],
}
WORDS = tuple(
    "the old song of {0} goes on and on to you my dear old {0} song here".split()  # noqa: SIM905
)


def can_play() -> bool:
    """Tell whether FluidSynth and a soundfont are there."""
    try:
        find_soundfont()
    except DataError:
        return False
    return importlib.util.find_spec("fluidsynth") is not None and _library_loads()


def _library_loads() -> bool:
    try:
        import fluidsynth  # noqa: F401
    except ImportError:
        return False
    return True


needs_player = pytest.mark.skipif(
    not can_play(),
    reason="needs FluidSynth and a soundfont (apt install fluidsynth timgm6mb-soundfont)",
)
needs_singer = pytest.mark.skipif(
    shutil.which("festival") is None,
    reason="needs Festival (apt install festival festvox-kallpc16k)",
)


def write_scores(folder: Path) -> None:
    """Write three songs of eight bars with a piano under them, and a file without words."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, tune in TUNES.items():
        words = [word.format(name) for word in WORDS[:16]]
        bars = tune_bars(tune, words) + tune_bars(tune[::-1], words[::-1])
        (folder / f"{name}.musicxml").write_text(score_xml(bars, title=f"The {name}"))
    (folder / "silent.xml").write_text(score_xml(tune_bars(TUNES["river"], [""] * 16)))


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    folder = tmp_path / "scores"
    write_scores(folder)
    return folder
