import os
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


def test_a_name_that_is_not_utf_8_gives_text_that_can_be_stored():
    root = Path(os.fsdecode(b"/media/\xff"))
    path = root / os.fsdecode(b"audio/r\xe9/\xff\xfe.wav")
    named, caption = caption_of_path(root, path)
    assert named == "audio"
    assert (caption.title, caption.label) == ("\ufffd\ufffd", "r\ufffd")
    assert caption.metadata == {"path": "\ufffd/audio/r\ufffd/\ufffd\ufffd.wav"}
    assert (caption.work_id or "").encode("utf-8")


def test_parts_of_a_work_share_its_id_whatever_its_name():
    root = Path("/media/root")
    work_ids = [
        caption_of_path(root, root / os.fsdecode(name))[1].work_id
        for name in (
            b"audio/\xff.wav",
            b"image/\xff.png",
            b"audio/\xfe.wav",
            "audio/�.wav".encode(),
        )
    ]
    assert work_ids[0] == work_ids[1]
    assert len(set(work_ids)) == 3
    assert work_ids[3] == "root/�"


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
