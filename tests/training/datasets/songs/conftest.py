"""A small corpus written for the tests, in a package that looks like music21."""

import importlib
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

STEPS = {60: "C4", 62: "D4", 64: "E4", 65: "F4", 67: "G4", 69: "A4", 71: "B4", 72: "C5", 74: "D5"}
MakeScore = Callable[..., str]


def note_xml(pitch: int | None, quarters: int = 1, word: str = "", extra: str = "") -> str:
    """One note of two divisions per quarter; ``pitch`` None is a rest; ``-`` goes on."""
    head = "<rest/>"
    if pitch is not None:
        name = STEPS[pitch]
        head = f"<pitch><step>{name[0]}</step><octave>{name[1]}</octave></pitch>"
    syllabic = "begin" if word.endswith("-") else "single"
    lyric = f"<lyric><syllabic>{syllabic}</syllabic><text>{word.strip('-')}</text></lyric>"
    kind = {1: "quarter", 2: "half", 4: "whole"}[quarters]
    return (
        f"<note>{head}<duration>{2 * quarters}</duration><type>{kind}</type>{extra}"
        f"{lyric if word else ''}</note>"
    )


def score_xml(bars: Sequence[str], *, title: str = "A Song", rights: str = "") -> str:
    """One part in 4/4 with an instrument below it."""
    head = (
        "<attributes><divisions>2</divisions><key><fifths>0</fifths></key><time><beats>4</beats>"
        "<beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef></attributes>"
    )
    measures = "".join(
        f'<measure number="{i + 1}">{head if i == 0 else ""}{bar}</measure>'
        for i, bar in enumerate(bars)
    )
    piano = "".join(
        f'<measure number="{i + 1}">{head if i == 0 else ""}{note_xml(60, 4)}</measure>'
        for i in range(len(bars))
    )
    return (
        f"<score-partwise><work><work-title>{title}</work-title></work><identification>"
        f'<creator type="composer">Anna Test</creator><rights>{rights}</rights></identification>'
        '<part-list><score-part id="P1"><part-name>Piano</part-name></score-part>'
        '<score-part id="P2"><part-name>Voice</part-name></score-part></part-list>'
        f'<part id="P1">{piano}</part><part id="P2">{measures}</part></score-partwise>'
    )


def tune_bars(pitches: Sequence[int], words: Sequence[str]) -> list[str]:
    """Bars of four quarters, a word on each."""
    notes = [note_xml(pitch, 1, word) for pitch, word in zip(pitches, words, strict=True)]
    return ["".join(notes[i : i + 4]) for i in range(0, len(notes), 4)]


@pytest.fixture
def make_note() -> Callable[..., str]:
    return note_xml


@pytest.fixture
def make_score() -> MakeScore:
    return score_xml


@pytest.fixture
def music21_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package ``music21`` with ten small songs; returns its corpus folder."""
    site = tmp_path / "site"
    corpus = site / "music21" / "corpus"
    (corpus / "bach").mkdir(parents=True)
    (corpus / "demos").mkdir()
    (site / "music21" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    info = site / "music21-10.0.test.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: music21\nVersion: 10.0.test\n")
    rng = np.random.default_rng(0)
    for number in range(10):
        pitches = rng.choice(list(STEPS), 32).tolist()
        words = ["".join(rng.choice(list("bdfgklm"), 5)) + "a" for _ in range(32)]
        text = score_xml(tune_bars(pitches, words), title=f"Song {number}")
        (corpus / "bach" / f"song{number}.xml").write_text(text)
    with zipfile.ZipFile(corpus / "bach" / "zipped.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("zipped.xml", score_xml([note_xml(60, 4, "la")], title="Zipped"))
    (corpus / "demos" / "demo.xml").write_text(score_xml([note_xml(60, 4, "no")]))
    (corpus / "bach" / "broken.xml").write_text("<score-partwise><lyric")
    monkeypatch.delitem(sys.modules, "music21", raising=False)
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    return corpus
