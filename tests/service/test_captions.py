from pathlib import Path

import pytest

from models.types import Lyrics
from service.captions import caption_of_path, first_line, title_of_file


@pytest.mark.parametrize(
    ("path", "modality", "label", "work"),
    [
        ("audio/rain/7.wav", "audio", "rain", "root/rain/7"),
        ("Audio/7.wav", "audio", None, "root/7"),
        ("rain/7.wav", None, "rain", "root/rain/7"),
        ("7.wav", None, None, "root/7"),
        ("train/video/rain/loud/7.mp4", "video", "loud", "root/train/rain/loud/7"),
        ("score/a.b.mxl", "score", None, "root/a.b"),
    ],
)
def test_the_path_tells_modality_label_and_work(path, modality, label, work):
    root = Path("/media/root")
    named, caption = caption_of_path(root, root / path)
    assert named == modality
    assert (caption.label, caption.work_id) == (label, work)
    assert caption.title == Path(path).stem
    assert caption.metadata == {"path": f"root/{path}"}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("rain.wav", "rain"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot"),
        ("a\r\nb.wav", "ab"),
        ("", None),
        (None, None),
        ("x" * 500 + ".wav", "x" * 120),
    ],
)
def test_the_title_is_the_stem_of_the_sent_name(name, title):
    assert title_of_file(name) == title


def test_the_first_line_with_words_is_the_title_of_lyrics():
    assert first_line(Lyrics("\n  \n  Über allen Gipfeln \nist Ruh")) == "Über allen Gipfeln"
    assert first_line(Lyrics("la " * 200)) == ("la " * 40)[:120]
    assert first_line(Lyrics("\n")) == "lyrics"
