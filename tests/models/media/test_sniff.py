import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from models.errors import MediaError
from models.media import formats, frame_sync, ogg_pages
from models.media.load import default_modality, file_suffix, media_type
from models.media.sniff import identify
from models.types import Modality
from tests.models.media.media_files import (
    ABC,
    HUMDRUM,
    MEI,
    NAMES,
    expected_modality,
    expected_type,
    made,
    musicxml,
)


@pytest.mark.parametrize("name", NAMES)
def test_type_and_modality_come_from_the_content(name):
    assert media_type(made(name)) == expected_type(name)
    assert default_modality(made(name)) == expected_modality(name)


@pytest.mark.parametrize("name", ["png", "wav", "mid", "txt"])
def test_the_file_name_plays_no_part(name, tmp_path: Path):
    path = tmp_path / "song.mp4"
    path.write_bytes(made(name))
    assert media_type(path) == expected_type(name)
    assert default_modality(path) == expected_modality(name)


@pytest.mark.parametrize("known", formats.FORMATS, ids=lambda known: known.name)
def test_every_type_has_a_suffix_of_a_format_with_that_type(known):
    suffixes = {other.suffix for other in formats.FORMATS if other.mime == known.mime}
    assert file_suffix(known.mime) in suffixes


def test_an_unknown_type_has_no_suffix():
    with pytest.raises(MediaError, match="no suffix") as caught:
        file_suffix("audio/nonsense")
    assert caught.value.reason == "unsupported"


def test_formats_are_listed_by_modality():
    assert "PDF" in formats.formats_of(Modality.SCORE)
    assert "PDF" not in formats.formats_of(Modality.IMAGE)


def test_no_bytes_are_empty():
    with pytest.raises(MediaError) as caught:
        identify(b"")
    assert caught.value.reason == "empty"


def _zip(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"FORM\x00\x00\x00\x10AIFF" + bytes(20), "AIFF"),
        (b"\x1f\x8b\x08" + bytes(20), "gzip"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(20), "heic"),
        (_zip("a.txt"), "zip archive without"),
        (_zip("[Content_Types].xml", "word/document.xml"), "zip archive without"),
        (_zip("mimetype", "META-INF/container.xml"), "zip archive without"),
        (_tar(), "tar"),
        (b"<?xml version='1.0'?><svg/>", "XML that is neither"),
        (b"<!DOCTYPE html><html>", "XML that is neither"),
        (b"\x00\x00\x00\x05mdat" + bytes(9), "unknown binary"),
        (b"RIFF\x10\x00\x00\x00RMIDxxxx\x00\x01\x02", "unknown binary"),
        (bytes(range(256)), "unknown binary"),
    ],
)
def test_what_we_do_not_read_is_named(data, named):
    with pytest.raises(MediaError, match=named) as caught:
        identify(data)
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"ID3\x04\x00\x00\x00\x00\x00\x02xx" + b"fLaC" + bytes(9), formats.FLAC),
        (b"ID3\x04\x00\x00\x00\x00\x00\x02xx" + bytes(9), formats.MP3),
        (b"\x00\x00\x00\x08moov" + bytes(9), formats.MOV),
        (b"PK\x03\x04 cut before the directory", formats.MXL),
        (b"\x0d\x0a%PDF-1.4", formats.PDF),
        (musicxml().decode().encode("utf-16"), formats.MUSICXML),
        (b"\xef\xbb\xbf" + MEI, formats.MEI),
        (b"<!-- words --><score-partwise/>", formats.MUSICXML),
        (b"<!DOCTYPE mei [ <!ENTITY a 'b'> ]><mei:mei/>", formats.MEI),
        (b"% comment\n" + ABC, formats.ABC),
        (b"!! comment\n" + HUMDRUM, formats.HUMDRUM),
        (b"\x00\x00\x00\x08wide\x00\x00\x01\x00mdat" + bytes(9), formats.MOV),
        (b"\x00\x00\x00\x01mdat" + bytes(20), formats.MOV),
        (b"\x00\x00\x00\x00mdat" + bytes(20), formats.MOV),
        (b"\x08\x00\x00\x00mdat cut" + bytes(20), formats.MOV),
        (b"junk\x00\x01 %PDF-1.4\n", formats.PDF),
        (b"HTTP/1.1 200\n%PDF-1.4\n%\x00\x01", formats.PDF),
        (b"**kern\n4c\n*-\n", formats.HUMDRUM),
        (b"**unheard-of\t**kern\n", formats.HUMDRUM),
        (b"**kern **text\n", formats.TEXT),
        (b"**one**\t**two**\n", formats.TEXT),
        (b"!! only a comment", formats.TEXT),
        (b"And skip to my Lou", formats.TEXT),
        (b"The wide sea", formats.TEXT),
        (b"oh! free love", formats.TEXT),
        (b"**chorus** la la la", formats.TEXT),
        (b"the word %PDF-1 appears", formats.TEXT),
        (b"the word %PDF-1.4 appears", formats.TEXT),
        (b"<!-- hi --> my love", formats.TEXT),
        (b"<!-- never closed", formats.TEXT),
        (b"<meine Liebe>", formats.TEXT),
        (b"K: not a tune\nX marks the spot", formats.TEXT),
        (b"<3 is a heart", formats.TEXT),
        (b"\n\n  ", formats.TEXT),
        ("Grüße".encode("latin-1"), formats.TEXT),
        ("words".encode("utf-16"), formats.TEXT),
        (made("opus").replace(b"OpusHead", b"\x80theora"), formats.OGV),
        (made("opus").replace(b"OpusHead", b"Whatever"), formats.OGG),
    ],
)
def test_structures_beyond_the_magic_bytes(data, expected):
    assert identify(data) is expected


@pytest.mark.parametrize("n_bytes", [6, 10, 14, 30, 60])
def test_a_cut_gif_counts_as_still(n_bytes):
    assert identify(made("gif")[:n_bytes]) is formats.GIF


def test_ogg_pages_tell_codecs_and_a_cut():
    assert ogg_pages.codecs(made("ogg")) == ("vorbis",)
    assert ogg_pages.codecs(made("opus")) == ("opus",)
    assert ogg_pages.is_complete(made("ogg"))
    assert not ogg_pages.is_complete(made("ogg")[:-1])
    assert not ogg_pages.is_complete(made("ogg") + b"tail")
    assert not ogg_pages.is_complete(b"")


@pytest.mark.parametrize(
    ("header", "length"),
    [
        ("fffb9064", 417),  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 / 44100
        ("fffb9264", 418),  # the same with padding
        ("fff384c4", 192),  # MPEG-2 layer III, 64 kbit/s, 24 kHz: 72 * 64000 / 24000
        ("fffd8004", 417),  # MPEG-1 layer II, 128 kbit/s, 44.1 kHz
        ("ffff4004", 136),  # MPEG-1 layer I, 128 kbit/s: 12 * 128000 / 44100 = 34 slots of 4
    ],
)
def test_mpeg_frame_lengths_follow_the_standard(header, length):
    frame = bytes.fromhex(header).ljust(length, b"\x00")
    assert frame_sync.is_mp3(frame + frame, 0)
    assert not frame_sync.is_mp3(frame + b"\x00" + frame, 0)


@pytest.mark.parametrize(
    "header", ["fffb0064", "fffbf064", "fffb9c64", "ffeb9064", "fff99064", "00"]
)
def test_reserved_mpeg_headers_are_refused(header):
    assert not frame_sync.is_mp3(bytes.fromhex(header).ljust(900, b"\x00"), 0)


@pytest.mark.parametrize("header", ["fff17c8000bffc", "fff1508000 1ffc".replace(" ", ""), "fff150"])
def test_wrong_adts_headers_are_refused(header):
    assert not frame_sync.is_adts(bytes.fromhex(header).ljust(50, b"\x00"), 0)


def test_a_text_in_another_encoding_is_seen_as_text():
    assert default_modality("café de la paix".encode("cp1252")) == "lyrics"
