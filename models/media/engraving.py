"""Engrave a notation file to page images that show staves and notes only.

Layout, the same for every file: staff lines 8 pixels apart, pages 1,400 pixels wide with lines
broken where they are full, white margins cropped to 8 pixels. A strip is one line of staves of a
fixed width, whatever it holds. No fonts of the machine are used.
"""

import re
import xml.etree.ElementTree as ET
from io import BytesIO

import numpy as np
import resvg_py
from PIL import Image as PillowImage

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.notation import loaded_toolkit, to_clean_mei
from models.media.sniff import identify
from models.media.xml_tree import local_name, parse_xml
from models.types import UInt8Array

STAFF_SPACE_PIXELS = 8
PAGE_WIDTH_PIXELS = 1_400
PAGE_HEIGHT_PIXELS = 1_980
MARGIN_PIXELS = 8
STRIP_WIDTH_PIXELS = 1_024

_UNIT = 10  # half a staff space in verovio's page units
_SCALE_PERCENT = 50 * STAFF_SPACE_PIXELS // _UNIT
_PAPER = 250  # grey values above are paper
_OPTIONS: dict[str, str | int | bool | float] = {
    "inputFrom": "mei",
    "expandNever": True,
    "unit": _UNIT,
    "scale": _SCALE_PERCENT,
    "pageWidth": PAGE_WIDTH_PIXELS * 100 // _SCALE_PERCENT,
    "pageHeight": PAGE_HEIGHT_PIXELS * 100 // _SCALE_PERCENT,
    "adjustPageHeight": True,
    "breaks": "auto",
    "header": "none",
    "footer": "none",
    "systemDivider": "none",
    "font": "Leipzig",
    "xmlIdSeed": 1,
    "svgFormatRaw": True,
}
_ONE_LINE: dict[str, str | int | bool | float] = {
    "breaks": "encoded",  # with the one break that ``_with_one_line`` writes
    "minLastJustification": 0.0,
    "pageMarginLeft": 0,
    "pageMarginRight": 0,
}
_MAX_SQUEEZE = 8  # a longer line than so many strips is no window of a few bars
_STAFF_LINE = re.compile(r'<path d="M\d+ \d+ L(\d+) \d+" stroke-width="15"/>')
_NOTEHEAD = re.compile(r'class="notehead"><use [^>]*transform="translate\((\d+),')
_HALF_HEAD = 100  # in the units of the drawing, where a staff space has 200
_SHAPES = frozenset({"ellipse", "path", "polygon", "polyline", "rect"})
_DROPPED = frozenset({"text", "style", "desc", "image", "foreignObject", "script"})


def engrave(data: bytes, limits: MediaLimits) -> tuple[UInt8Array, ...]:
    """Engrave MusicXML, MXL, MEI, MIDI, ABC or Humdrum.

    Args:
        data: The whole file.
        limits: ``max_pages``, ``max_pixels`` and ``max_unpacked_bytes`` apply.

    Returns:
        Pages of grey values 0 (ink) .. 255 (paper), each (rows, columns).

    Raises:
        MediaError: ``damaged``, ``empty``, ``unsupported`` or ``too_large``.
    """
    mei = to_clean_mei(data, identify(data), limits)
    toolkit = loaded_toolkit(mei, _OPTIONS, name="MEI")
    n_pages = toolkit.getPageCount()
    if n_pages > limits.max_pages:
        raise MediaError(
            "too_large", f"expected at most {limits.max_pages} engraved pages, got {n_pages}"
        )
    pages = [_cropped(_drawn(toolkit.renderToSVG(n), limits)) for n in range(1, n_pages + 1)]
    with_ink = tuple(page for page in pages if page.size)
    if not with_ink:
        raise MediaError("damaged", "expected a score to engrave, verovio drew nothing")
    return with_ink


def engrave_strip(
    data: bytes, limits: MediaLimits, *, width_pixels: int = STRIP_WIDTH_PIXELS
) -> UInt8Array:
    """Engrave a few bars as one line of staves, as wide as every other strip.

    The line is justified to the whole width, so that the width tells nothing about the notes. Bars
    that need more room are laid out in it, legibly, and squeezed horizontally as a picture.

    Args:
        data: A whole notation file, as for ``engrave``.
        limits: ``max_pixels`` and ``max_unpacked_bytes`` apply.
        width_pixels: Columns of the strip.

    Returns:
        Grey values 0 (ink) .. 255 (paper), (rows, ``width_pixels``); ``MARGIN_PIXELS`` of paper
        around the ink.

    Raises:
        MediaError: ``damaged``, ``empty``, ``unsupported`` or ``too_large``, also for more bars
            than one line can show.
    """
    return strip_of_mei(to_clean_mei(data, identify(data), limits), limits, width_pixels)


def engrave_strip_with_noteheads(
    data: bytes, limits: MediaLimits, *, width_pixels: int = STRIP_WIDTH_PIXELS
) -> tuple[UInt8Array, tuple[float, ...]]:
    """As ``engrave_strip``, and where the noteheads are.

    Returns:
        The strip, and the middle of each notehead in the order of the document, as a share of the
        length of the staff, 0 (left) .. 1 (right).
    """
    svg = _one_line_svg(to_clean_mei(data, identify(data), limits), width_pixels)
    ends = [int(end) for end in _STAFF_LINE.findall(svg)]
    heads = [int(left) + _HALF_HEAD for left in _NOTEHEAD.findall(svg)]
    places = tuple(head / max(ends) for head in heads) if ends else ()
    return _strip_of_svg(svg, limits, width_pixels), places


def strip_of_mei(mei: str, limits: MediaLimits, width_pixels: int) -> UInt8Array:
    """As ``engrave_strip`` for a document of ``to_clean_mei``."""
    return _strip_of_svg(_one_line_svg(mei, width_pixels), limits, width_pixels)


def _one_line_svg(mei: str, width_pixels: int) -> str:
    """Lay out one line that fills the width, or more than that where the notes need it."""
    inner = width_pixels - 2 * MARGIN_PIXELS
    unbroken = _page_svg(mei, inner, breaks="none")
    natural = _pixels(parse_xml(unbroken, name="SVG").get("width", ""))
    if natural > _MAX_SQUEEZE * inner:
        raise MediaError("too_large", "expected a few bars that fit on one line, got more")
    return _page_svg(_with_one_line(mei), max(inner, natural))


def _strip_of_svg(svg: str, limits: MediaLimits, width_pixels: int) -> UInt8Array:
    page = _drawn(svg, limits, width=width_pixels - 2 * MARGIN_PIXELS)
    rows = np.flatnonzero((page <= _PAPER).any(axis=1))
    if not len(rows):
        raise MediaError("damaged", "expected a score to engrave, verovio drew nothing")
    return np.pad(page[rows[0] : rows[-1] + 1], MARGIN_PIXELS, constant_values=255)


def _page_svg(mei: str, width_pixels: int, **changed: str) -> str:
    """Lay out the first page, on a fresh toolkit: a second layout forgets written line breaks."""
    options = {**_OPTIONS, **_ONE_LINE, "pageWidth": width_pixels * 100 // _SCALE_PERCENT}
    return loaded_toolkit(mei, {**options, **changed}, name="MEI").renderToSVG(1)


def _with_one_line(mei: str) -> str:
    """State a line break before the first bar: verovio breaks at will where none is stated."""
    root = parse_xml(mei, name="MEI")
    section = next(element for element in root.iter() if local_name(element) == "section")
    section.insert(0, ET.Element(section.tag.replace("section", "sb")))
    return ET.tostring(root, encoding="unicode")


def _drawn(svg: str, limits: MediaLimits, *, width: int | None = None) -> UInt8Array:
    """Draw one SVG page of verovio, without its words, to grey values (rows, columns).

    Args:
        svg: The page.
        limits: ``max_pixels`` applies.
        width: Columns to squeeze the page to; as wide as it is when left out.
    """
    root = parse_xml(svg, name="SVG")
    natural, height = (_pixels(root.get(side, "")) for side in ("width", "height"))
    if width is None:
        width = natural
    elif width != natural:
        root.set("width", f"{width}px")
        root.set("viewBox", f"0 0 {natural} {height}")
        root.set("preserveAspectRatio", "none")
    if width * height > limits.max_pixels:
        raise MediaError(
            "too_large",
            f"expected engraved pages of at most {limits.max_pixels} pixels, "
            f"got {width} x {height}",
        )
    _keep_shapes(root)
    png = resvg_py.svg_to_bytes(
        svg_string=ET.tostring(root, encoding="unicode"), background="white", skip_system_fonts=True
    )
    with PillowImage.open(BytesIO(png), formats=["PNG"]) as page:
        return np.array(page.convert("L"))


def _keep_shapes(root: ET.Element) -> None:
    """Drop words and hidden place holders; give the shapes the stroke that the style gave them.

    Symbols in ``defs`` get no stroke: it would be a thirtieth of a pixel wide and takes half of
    the drawing time.
    """
    pending = [(root, "none")]
    while pending:
        element, stroke = pending.pop()
        kept = [child for child in element if not _is_hidden(child)]
        element[:] = kept
        if local_name(element) in _SHAPES:
            element.set("stroke", stroke)
        for child in kept:
            is_page = child.get("class") == "definition-scale"
            pending.append((child, "black" if is_page else stroke))


def _is_hidden(element: ET.Element) -> bool:
    return local_name(element) in _DROPPED or "placeholder" in element.get("class", "").split()


def _pixels(length: str) -> int:
    match = re.fullmatch(r"(\d+)(?:\.\d+)?(?:px)?", length)
    if match is None:
        raise MediaError("damaged", f"expected a page size in pixels, verovio gave {length!r}")
    return int(match[1])


def _cropped(page: UInt8Array) -> UInt8Array:
    """Cut the paper around the ink down to the margin; an empty page becomes (0, 0)."""
    ink = page <= _PAPER
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8)
    cut = page[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(cut, MARGIN_PIXELS, constant_values=255)
