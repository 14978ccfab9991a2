import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import resvg_py
import verovio
from PIL import Image as PillowImage

from models.errors import MediaError
from models.media import engraving
from models.media.engraving import MARGIN_PIXELS, PAGE_WIDTH_PIXELS, STAFF_SPACE_PIXELS, engrave
from models.media.limits import MediaLimits
from models.media.mei_tree import KEPT_ELEMENTS
from models.media.notation import to_clean_mei
from models.media.sniff import identify
from models.media.xml_tree import local_name, parse_xml
from tests.models.media.media_files import (
    ABC,
    HUMDRUM,
    MEI,
    NOTATION_NAMES,
    SCALE,
    made,
    musicxml,
    mxl,
    timewise,
)

LIMITS = MediaLimits()
LONG = SCALE * 60  # 120 bars


def _pages_equal(a: bytes, b: bytes) -> bool:
    pages_a, pages_b = engrave(a, LIMITS), engrave(b, LIMITS)
    return len(pages_a) == len(pages_b) and all(
        np.array_equal(x, y) for x, y in zip(pages_a, pages_b, strict=True)
    )


def _clean(data: bytes) -> ET.Element:
    return parse_xml(to_clean_mei(data, identify(data), LIMITS), name="MEI")


def _notes(data: bytes) -> list[str]:
    return [
        f"{note.attrib['pname']}{note.attrib['oct']}"
        for note in _clean(data).iter()
        if local_name(note) == "note"
    ]


def test_words_leave_no_trace_in_the_pixels():
    assert _pages_equal(musicxml(words=True), musicxml(words=False))


def test_words_leave_no_trace_over_many_lines_and_pages():
    assert _pages_equal(musicxml(LONG, words=True), musicxml(LONG, words=False))


def test_words_of_abc_leave_no_trace():
    bare = b"\n".join(
        line for line in ABC.split(b"\n") if not line.startswith((b"w:", b"T:", b"C:"))
    )
    assert _pages_equal(ABC, bare.replace(b"X:1\n", b"X:1\nT:\n"))


def test_words_of_humdrum_leave_no_trace():
    lines = [line.split(b"\t")[0] for line in HUMDRUM.split(b"\n") if not line.startswith(b"!!!")]
    assert _pages_equal(HUMDRUM, b"\n".join(lines))


def test_words_of_mei_leave_no_trace():
    marked = MEI.replace(
        b"</layer></staff>",
        b"</layer></staff><tempo tstamp='1'>Allegro</tempo><dir tstamp='2'>dolce</dir>"
        b"<dynam tstamp='1'>pp</dynam><harm tstamp='1'>C7</harm><reh tstamp='1'>A</reh>"
        b"<fing tstamp='1'>3</fing><mNum>17</mNum><annot>note</annot>",
    ).replace(b"<staffDef", b"<staffDef label='Soprano'")
    assert _pages_equal(marked, MEI)


@pytest.mark.parametrize("other", [mxl, lambda: mxl(with_container=False), timewise])
def test_the_wrapping_of_the_same_notes_leaves_no_trace(other):
    assert _pages_equal(musicxml(), other())


def test_encoded_line_breaks_and_bar_numbers_leave_no_trace():
    broken = musicxml(words=False).replace(
        b"<measure number='2'>", b"<measure number='200'><print new-system='yes'/>"
    )
    assert _pages_equal(broken, musicxml(words=False))


def test_other_notes_give_other_pixels():
    assert not _pages_equal(musicxml(), musicxml((*SCALE[:-1], "B4")))


@pytest.mark.parametrize("name", NOTATION_NAMES)
def test_the_same_bytes_give_the_same_bits(name):
    assert _pages_equal(made(name), made(name))


def _in_key(name: str, key: int) -> bytes:
    """The same notes under a key signature of so many sharps (flats when negative)."""
    if name == "abc":
        return ABC.replace(b"K:C", {2: b"K:D", -3: b"K:Eb", 0: b"K:C"}[key])
    if name == "krn":
        sharps = {2: b"f#c#", -3: b"b-e-a-", 0: b""}[key]
        return HUMDRUM.replace(b"*M4/4\t*", b"*k[" + sharps + b"]\t*\n*M4/4\t*")
    if name == "mei":
        return MEI.replace(b'keysig="0"', {2: b'keysig="2s"', -3: b'keysig="3f"', 0: b""}[key])
    return musicxml(fifths=key)


@pytest.mark.parametrize("between", [2, -3])
@pytest.mark.parametrize("name", ["abc", "krn", "mei", "musicxml"])
def test_a_key_does_not_leak_into_the_next_tune(name, between):
    """Verovio keeps the key of an ABC tune in a global variable and never empties it."""
    script = (
        "import sys; from models.media.engraving import engrave; "
        "from models.media.limits import MediaLimits; "
        "pages = engrave(sys.stdin.buffer.read(), MediaLimits()); "
        "sys.stdout.buffer.write(b''.join(page.tobytes() for page in pages))"
    )
    data = _in_key(name, 0)
    fresh = subprocess.run(
        [sys.executable, "-c", script], input=data, capture_output=True, check=True
    ).stdout
    keyed = engrave(_in_key(name, between), LIMITS)
    here = engrave(data, LIMITS)
    assert b"".join(page.tobytes() for page in here) == fresh
    assert b"".join(page.tobytes() for page in keyed) != fresh


def test_a_key_of_abc_does_not_print_signs_in_the_next_tune():
    engrave(_in_key("abc", 2), LIMITS)
    printed = [element.attrib for element in _clean(ABC).iter() if "accid" in element.attrib]
    assert not printed


def test_signs_written_in_abc_are_kept():
    tune = ABC.replace(b"CDEF", b"^CD=E_F")
    engrave(_in_key("abc", -3), LIMITS)
    printed = [element.attrib["accid"] for element in _clean(tune).iter() if element.get("accid")]
    assert printed == ["s", "n", "f"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("musicxml", "c4 d4 e4 f4 g4 a4 b4 c5"),
        ("timewise", "c4 d4 e4 f4 g4 a4 b4 c5"),
        ("mxl", "c4 d4 e4 f4 g4 a4 b4 c5"),
        ("mei", "c4 d4 e4 f4"),
        ("mid", "c4 d4 e4 f4"),
        ("abc", "c4 d4 e4 f4 g4 a4 b4 c5"),
        ("krn", "c4 d4 e4 f4"),
    ],
)
def test_every_format_keeps_its_notes(name, expected):
    assert _notes(made(name)) == expected.split()


@pytest.mark.parametrize("name", NOTATION_NAMES)
def test_only_notation_is_left_in_the_tree(name):
    root = _clean(made(name))
    assert {local_name(element) for element in root.iter()} <= KEPT_ELEMENTS | {"mei"}
    text = "".join(root.itertext())
    assert not text.strip()


def test_no_text_is_left_in_the_drawing(monkeypatch):
    drawings: list[str] = []
    draw = resvg_py.svg_to_bytes

    def keep_and_draw(*, svg_string: str, **options: Any) -> bytes:
        drawings.append(svg_string)
        return draw(svg_string=svg_string, **options)

    monkeypatch.setattr(resvg_py, "svg_to_bytes", keep_and_draw)
    engrave(musicxml(LONG, words=True), LIMITS)
    assert drawings
    for drawing in drawings:
        assert "<text" not in drawing
        assert not re.search(r"incomprehens|Allegro|Title|Soprano|Composer", drawing)


def test_the_drawing_looks_as_verovio_and_resvg_draw_it():
    """Dropping styles and the hairline around symbols changes no pixel by much."""
    data = musicxml(SCALE * 4, words=False)
    toolkit = verovio.toolkit()
    toolkit.setOptions({**engraving._OPTIONS, "inputFrom": "mei"})
    toolkit.loadData(to_clean_mei(data, identify(data), LIMITS))
    svg = re.sub(r"<text\b[^>]*/>|<text\b.*?</text>", "", toolkit.renderToSVG(1), flags=re.DOTALL)
    png = resvg_py.svg_to_bytes(svg_string=svg, background="white", skip_system_fonts=True)
    whole = np.array(PillowImage.open(io.BytesIO(png)).convert("L"))
    theirs = engraving._cropped(whole).astype(int)
    (ours,) = engrave(data, LIMITS)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 16


def test_staff_lines_lie_one_staff_space_apart():
    (page,) = engrave(musicxml(SCALE * 4, words=False), LIMITS)
    dark_rows = np.flatnonzero((page < 200).mean(axis=1) > 0.8)
    lines = [group[0] for group in np.split(dark_rows, np.flatnonzero(np.diff(dark_rows) > 1) + 1)]
    assert len(lines) == 5
    assert np.diff(lines).tolist() == [STAFF_SPACE_PIXELS] * 4


def test_margins_are_cropped():
    for page in engrave(musicxml(LONG), LIMITS):
        ink = page <= 250
        assert page.dtype == np.uint8
        assert page.shape[1] <= PAGE_WIDTH_PIXELS
        for side in (ink, ink[::-1], ink.T, ink.T[::-1]):
            assert not side[:MARGIN_PIXELS].any()
            assert side[MARGIN_PIXELS].any()


def test_long_scores_take_several_pages():
    assert len(engrave(musicxml(LONG * 2, words=False), LIMITS)) > 1


def test_too_many_pages_are_refused():
    with pytest.raises(MediaError, match="at most 1 engraved pages") as caught:
        engrave(musicxml(LONG * 2, words=False), MediaLimits(max_pages=1))
    assert caught.value.reason == "too_large"


def test_too_many_pixels_are_refused():
    with pytest.raises(MediaError, match="at most 1000 pixels") as caught:
        engrave(made("mei"), MediaLimits(max_pixels=1000))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("name", ["musicxml", "mei", "abc", "krn", "mxl"])
def test_too_many_bytes_are_refused(name):
    with pytest.raises(MediaError) as caught:
        engrave(made(name), MediaLimits(max_unpacked_bytes=50))
    assert caught.value.reason == "too_large"


def test_repeats_are_drawn_once():
    repeated = musicxml(words=False).replace(
        b"</measure>",
        b"<barline location='right'><repeat direction='backward'/></barline></measure>",
    )
    assert len(_notes(repeated)) == len(SCALE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (musicxml(()), "empty"),
        (b"X:1\nK:C\n", "empty"),
        (MEI.replace(b"<note ", b"<rest "), "empty"),
        (musicxml()[:-30], "damaged"),
        (MEI[:-10], "damaged"),
        (made("mxl")[:-40], "damaged"),
        (made("mid")[:-6], "damaged"),
        (mxl(b"<html/>"), "damaged"),
        (mxl(MEI), "damaged"),
        (b"<?xml version='1.0' encoding='no-such'?><mei/>", "damaged"),
        (b"<mei>" + b"<a>" * 300 + b"</a>" * 300 + b"</mei>", "damaged"),
        (musicxml(doctype="<!DOCTYPE score-partwise [<!ENTITY a 'b'>]>"), "unsupported"),
        (
            musicxml(doctype="<!DOCTYPE score-partwise [<!ENTITY a SYSTEM 'file:///dev/null'>]>"),
            "unsupported",
        ),
        (
            musicxml(doctype="<!DOCTYPE score-partwise [<!ENTITY % a 'b'>]>")
            .decode()
            .replace("UTF-8", "UTF-16")
            .encode("utf-16"),
            "unsupported",
        ),
    ],
)
def test_bad_scores_are_refused_with_a_reason(data, reason):
    with pytest.raises(MediaError) as caught:
        engrave(data, LIMITS)
    assert caught.value.reason == reason


def test_other_encodings_of_the_same_notes_leave_no_trace():
    text = musicxml().decode()
    wide = text.replace("UTF-8", "UTF-16").encode("utf-16")
    western = text.replace("UTF-8", "ISO-8859-1").replace("Title", "Titül").encode("latin-1")
    assert _pages_equal(wide, musicxml())
    assert _pages_equal(western, musicxml())
    assert _pages_equal(ABC.replace(b"Trad.", b"Tr\xe4d."), ABC)


def test_pictures_inside_a_score_are_not_drawn():
    marked = MEI.replace(b"<layer n=", b"<graphic target='file:///etc/passwd'/><layer n=")
    assert _pages_equal(marked, MEI)


# What is printed before each note, for pitches in a key: "" nothing, "s", "f", "n".
ACCIDENTAL_CASES = [
    (0, "C4 F#4 F#4 F4", ["", "s", "", "n"]),
    (0, "F#4 C4 D4 E4 F#4 C4 D4 E4", ["s", "", "", "", "s", "", "", ""]),  # the bar line ends it
    (0, "F#4 F#5 F4 F5", ["s", "s", "n", "n"]),  # octaves are apart
    (1, "F#4 G4 F4 F#4", ["", "", "n", "s"]),
    (-2, "Bb4 B4 Eb4 E4", ["", "n", "", "n"]),
    (-1, "Bb4 A4 C5 F4", ["", "", "", ""]),
]


@pytest.mark.parametrize(("fifths", "pitches", "expected"), ACCIDENTAL_CASES)
def test_implied_accidentals_are_printed(fifths, pitches, expected):
    data = musicxml(tuple(pitches.split()), words=False, accidentals=False, fifths=fifths)
    printed = []
    for note in _clean(data).iter():
        if local_name(note) == "note":
            holders = [note, *note]
            printed.append("".join(holder.get("accid", "") for holder in holders))
    assert printed == expected


def test_implied_and_written_accidentals_give_the_same_pixels():
    pitches = ("C4", "F#4", "G4", "A4", "F#4", "G4", "Bb4", "C5")
    assert _pages_equal(
        musicxml(pitches, words=False, accidentals=False), musicxml(pitches, words=False)
    )


def test_written_accidentals_are_left_as_they_are():
    cautionary = ("F#4", "F#4", "G4", "G4")  # each F sharp is printed
    printed = [
        holder.get("accid")
        for holder in _clean(musicxml(cautionary, words=False)).iter()
        if holder.get("accid")
    ]
    assert printed == ["s", "s"]


def test_a_score_that_verovio_refuses_is_damaged(monkeypatch):
    monkeypatch.setattr(verovio.toolkit, "loadData", lambda *_: False)
    with pytest.raises(MediaError, match="verovio cannot read it") as caught:
        engrave(MEI, LIMITS)
    assert caught.value.reason == "damaged"


def test_a_score_that_leaves_no_ink_is_damaged(monkeypatch):
    blank = '<svg xmlns="http://www.w3.org/2000/svg" width="20px" height="10px"/>'
    monkeypatch.setattr(verovio.toolkit, "renderToSVG", lambda *_: blank)
    with pytest.raises(MediaError, match="drew nothing") as caught:
        engrave(MEI, LIMITS)
    assert caught.value.reason == "damaged"


def test_a_page_without_size_is_damaged(monkeypatch):
    monkeypatch.setattr(verovio.toolkit, "renderToSVG", lambda *_: "<svg/>")
    with pytest.raises(MediaError, match="page size") as caught:
        engrave(MEI, LIMITS)
    assert caught.value.reason == "damaged"
