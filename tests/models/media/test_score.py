import io

import numpy as np
import pypdfium2
import pytest

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.load import load
from models.media.pdf_pages import pdf_pages
from models.media.score import LONGER_SIDE_PIXELS
from models.types import Modality, Score
from tests.models.media.media_files import NOTATION_NAMES, made, pdf, picture_file


def _score(data: bytes, limits: MediaLimits | None = None) -> Score:
    score = load(data, Modality.SCORE, limits or MediaLimits())
    assert isinstance(score, Score)
    return score


@pytest.mark.parametrize("name", NOTATION_NAMES)
def test_notation_is_engraved(name):
    score = _score(made(name))
    assert score.engraved
    assert all(page.ndim == 2 and page.dtype == np.uint8 for page in score.pages)
    assert (score.pages[0] < 128).any()


@pytest.mark.parametrize("name", ["PNG", "TIFF", "BMP"])
def test_a_small_picture_is_a_page_as_it_is(name):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    score = _score(picture_file(grey, name))
    assert not score.engraved
    np.testing.assert_array_equal(score.pages[0], grey)


def test_a_large_picture_is_scaled_down():
    (page,) = _score(picture_file(np.full((3000, 1500), 77, np.uint8), "PNG")).pages
    assert page.shape == (LONGER_SIDE_PIXELS, LONGER_SIDE_PIXELS // 2)
    assert (page == 77).all()


def test_pdf_pages_come_in_order_and_upright():
    score = _score(pdf(n_pages=3))
    assert not score.engraved
    assert [page.shape for page in score.pages] == [(2000, 1500)] * 3
    for page in score.pages:
        assert (page[:900] < 10).all()
        assert (page[1100:] > 245).all()


def test_too_many_pdf_pages_are_refused():
    with pytest.raises(MediaError, match="at most 2 pages, got a PDF of 3") as caught:
        _score(pdf(n_pages=3), MediaLimits(max_pages=2))
    assert caught.value.reason == "too_large"


def test_large_pdf_pages_are_refused():
    with pytest.raises(MediaError, match="at most 1000 pixels") as caught:
        _score(pdf(), MediaLimits(max_pixels=1000))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_cut_pdfs_are_damaged(share):
    data = pdf()
    with pytest.raises(MediaError) as caught:
        _score(data[: max(8, int(share * len(data)))])
    assert caught.value.reason == "damaged"


def test_a_pdf_without_pages_is_empty():
    document = pypdfium2.PdfDocument.new()
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    with pytest.raises(MediaError) as caught:
        _score(buffer.getvalue())
    assert caught.value.reason in ("empty", "damaged")


def test_a_pdf_page_without_area_is_damaged(monkeypatch):
    monkeypatch.setattr(pypdfium2.PdfPage, "get_size", lambda _: (0.0, 80.0))
    with pytest.raises(MediaError, match="page with an area") as caught:
        _score(pdf())
    assert caught.value.reason == "damaged"


def test_a_thin_pdf_page_stays_within_its_longer_side():
    (page,) = pdf_pages(pdf(1, (400, 2)), MediaLimits(), longer_side_pixels=100)
    assert page.size == (100, 1)


@pytest.mark.parametrize("name", ["wav", "mp4", "txt", "gif"])
def test_other_media_are_mislabelled_as_score(name):
    with pytest.raises(MediaError, match="expected score, got") as caught:
        _score(made(name))
    assert caught.value.reason == "mislabelled"
