"""Pages of a PDF as grey pictures, by PDFium."""

import threading
from collections.abc import Iterator

import numpy as np
import pypdfium2
from PIL import Image as PillowImage

from models.errors import MediaError
from models.media.limits import MediaLimits

_PDFIUM = threading.Lock()  # PDFium may be called by one thread at a time in a process


def pdf_pages(
    data: bytes, limits: MediaLimits, *, longer_side_pixels: int
) -> tuple[PillowImage.Image, ...]:
    """Render every page so that its longer side has ``longer_side_pixels``.

    Raises:
        MediaError: ``too_large`` for too many pages or pixels, ``damaged`` when the file does not
            open (also for want of a password) or a page has no area, ``empty`` without pages.
    """
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(data)
        except (pypdfium2.PdfiumError, ValueError, OSError) as error:
            raise MediaError(
                "damaged", f"expected a whole PDF without password, it does not open: {error}"
            ) from None
        try:
            return tuple(_rendered(document, limits, longer_side_pixels))
        except pypdfium2.PdfiumError as error:
            raise MediaError(
                "damaged", f"expected a whole PDF, a page does not render: {error}"
            ) from None
        finally:
            document.close()


def _rendered(
    document: pypdfium2.PdfDocument, limits: MediaLimits, longer_side_pixels: int
) -> Iterator[PillowImage.Image]:
    n_pages = len(document)
    if n_pages == 0:
        raise MediaError("empty", "expected a PDF with pages, got none")
    if n_pages > limits.max_pages:
        raise MediaError(
            "too_large", f"expected at most {limits.max_pages} pages, got a PDF of {n_pages}"
        )
    for number in range(n_pages):
        page = document[number]
        width, height = page.get_size()  # points
        if not (np.isfinite([width, height]).all() and min(width, height) > 0):
            raise MediaError(
                "damaged", f"expected a page with an area, got {width} x {height} points"
            )
        scale = longer_side_pixels / max(width, height)
        if width * scale * height * scale > limits.max_pixels:
            raise MediaError("too_large", f"expected pages of at most {limits.max_pixels} pixels")
        yield page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil().convert("L")
        page.close()
