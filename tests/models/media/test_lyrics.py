import unicodedata

import pytest

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import load
from models.types import Lyrics, Modality
from tests.models.media.media_files import made


def _text(data: bytes, limits: MediaLimits | None = None) -> str:
    lyrics = load(data, Modality.LYRICS, limits or MediaLimits())
    assert isinstance(lyrics, Lyrics)
    return lyrics.text


SCRIPTS = "Grüße\nщи\nこんにちは\nقمر\nनमस्ते\n노래\n🎵"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_script_is_read_in_every_encoding(encoding):
    assert _text(SCRIPTS.encode(encoding)) == unicodedata.normalize("NFC", SCRIPTS)


def test_utf_16_of_either_byte_order_is_read():
    assert _text(b"\xff\xfe" + "la".encode("utf-16-le")) == "la"
    assert _text(b"\xfe\xff" + "la".encode("utf-16-be")) == "la"


def test_letters_are_composed():
    assert _text(b"e\xcc\x81") == "\u00e9"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_ends_become_line_feeds(end):
    assert _text(f"one{end}two".encode()) == "one\ntwo"


def test_tabs_stay():
    assert _text(b"one\ttwo") == "one\ttwo"


@pytest.mark.parametrize(
    "blank", [b" ", b"\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe", "\u3000".encode()]
)
def test_blank_texts_are_empty(blank):
    with pytest.raises(MediaError) as caught:
        _text(blank)
    assert caught.value.reason == "empty"


@pytest.mark.parametrize(
    ("data", "reason", "named"),
    [
        (b"", "empty", "0 bytes"),
        (b"la\x00la", "mislabelled", "NUL"),
        (b"la\x07la", "mislabelled", r"U\+0007"),
        ("la\x9fla".encode(), "mislabelled", r"U\+009F"),
        ("caf\u00e9 noir".encode("latin-1"), "damaged", "0xe9 at offset 3"),
        (b"\xef\xbb\xbfcaf\xe9 noir", "damaged", "offset 6"),
        (b"\xff\xfela", "ok", ""),
        (b"\xff\xfe\x00\xd8a\x00", "damaged", "UTF-16"),
    ],
)
def test_what_is_no_text_is_refused(data, reason, named):
    if reason == "ok":
        assert _text(data)
        return
    with pytest.raises(MediaError, match=named) as caught:
        _text(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["wav", "mp4", "png", "pdf", "musicxml", "mei", "abc", "krn"])
def test_other_media_are_mislabelled_as_lyrics(name):
    with pytest.raises(MediaError) as caught:
        _text(made(name))
    assert caught.value.reason == "mislabelled"


WORDS_LIKE_HEADERS = (
    "And skip to my Lou",
    "The wide sea",
    "oh! free love",
    "**chorus** la la la",
    "**chorus**\nla la la",
    "the word %PDF-1 appears",
    "la la\n%PDF-1.4 on a line",
    "GIF89a love",
    "fLaC la la",
    "MThd of May",
    "<!-- hi --> my love",
    "<meine Liebe>",
)


@pytest.mark.parametrize("words", WORDS_LIKE_HEADERS)
def test_words_that_look_like_the_head_of_a_file_are_a_lyric(words):
    assert _text(words.encode()) == words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", ["musicxml", "mei", "abc", "krn"])
def test_a_notation_file_is_no_lyric_in_any_encoding_or_length(name, encoding):
    data = made(name).decode().encode(encoding)
    for limits in (MediaLimits(), MediaLimits(max_characters=10)):
        with pytest.raises(MediaError) as caught:
            _text(data, limits)
        assert caught.value.reason == "mislabelled"


def test_a_pdf_of_letters_alone_is_no_lyric():
    with pytest.raises(MediaError, match="got a PDF file") as caught:
        _text(b"\n%PDF-1.7\n%%EOF")
    assert caught.value.reason == "mislabelled"


def test_long_words_behind_a_magic_number_are_too_large():
    with pytest.raises(MediaError) as caught:
        _text(b"GIF89a love", MediaLimits(max_characters=5))
    assert caught.value.reason == "too_large"


def test_xml_that_is_no_score_may_be_words():
    assert _text(b"<!-- a poem in angle brackets -->") == "<!-- a poem in angle brackets -->"


def test_long_texts_are_too_large():
    assert _text(b"x" * 10, MediaLimits(max_characters=10)) == "x" * 10
    with pytest.raises(MediaError, match="at most 10 characters") as caught:
        _text(b"x" * 11, MediaLimits(max_characters=10))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("manifest", ['{"windows": []}', " [1, 2]\n"])
def test_a_json_document_is_no_lyric(manifest):
    with pytest.raises(MediaError, match="JSON") as error:
        _text(manifest.encode())
    assert error.value.reason == "mislabelled"


@pytest.mark.parametrize("words", ["[Chorus] la la", "{", "[" * 50_000])
def test_words_in_brackets_are_a_lyric(words):
    assert _text(words.encode()) == words
