import io

import numpy as np
import pytest
from PIL import Image

from models.features.songs.staff_strip import ABOVE, COLUMNS, ROWS, SPACE, staff_strips
from models.media.engraving import engrave, engrave_strip
from models.media.limits import MediaLimits
from tests.training.datasets.songs.conftest import score_xml, tune_bars

LIMITS = MediaLimits()
TUNE = [60, 62, 64, 65, 67, 69, 71, 72, 60, 64, 67, 72, 74, 72, 71, 69]


def music(tune: list[int]) -> bytes:
    voice = score_xml(tune_bars(tune, [""] * len(tune)))
    start, end = voice.index('<part id="P1">'), voice.index('<part id="P2">')
    names = '<score-part id="P1"><part-name>Piano</part-name></score-part>'
    return (voice[:start] + voice[end:]).replace(names, "").encode()


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return engrave_strip(music(TUNE), LIMITS)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two strips after a blur."""

    def blurred(strip: np.ndarray) -> np.ndarray:
        small = Image.fromarray(strip).resize((128, 32), Image.Resampling.BOX)
        return np.asarray(small, float).ravel()

    return float(np.corrcoef(blurred(first), blurred(second))[0, 1])


def assert_alike(pages: np.ndarray, seen: np.ndarray, least: float) -> None:
    """The same music, and more alike than two tunes on staves of the same size are."""
    (strip,), (other,) = staff_strips([pages]), staff_strips([seen])
    (another,) = staff_strips([engrave_strip(music(TUNE[::-1]), LIMITS)])
    assert likeness(strip, other) > least
    assert likeness(strip, other) > likeness(strip, another)


def test_staff_lines_lie_where_they_should(page: np.ndarray) -> None:
    (strip,) = staff_strips([page])
    assert strip.shape == (ROWS, COLUMNS)
    profile = np.median(strip, axis=1)
    lines = [(ABOVE + line) * SPACE for line in range(5)]
    bright = np.flatnonzero(profile > 0.5 * profile.max())
    assert all(min(abs(bright - line)) <= 1 for line in lines)


@pytest.mark.parametrize("scale", [0.7, 1.4, 2.0])
def test_scale_leaves_no_trace(page: np.ndarray, scale: float) -> None:
    size = (round(page.shape[1] * scale), round(page.shape[0] * scale))
    scaled = np.asarray(Image.fromarray(page).resize(size, Image.Resampling.BICUBIC))
    assert_alike(page, scaled, 0.95)


@pytest.mark.parametrize("degrees", [-2.0, -1.0, 2.0])
def test_a_turned_page_is_levelled(page: np.ndarray, degrees: float) -> None:
    wide = np.pad(page, 60, constant_values=255)
    turned = np.asarray(
        Image.fromarray(wide).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    )
    assert_alike(page, turned, 0.8)


def test_a_photo_in_bad_light_is_read(page: np.ndarray) -> None:
    wide = np.pad(page, 40, constant_values=255).astype(float)
    light = np.linspace(0.55, 1.0, wide.shape[1])[None, :]
    noise = np.random.default_rng(0).normal(0.0, 6.0, wide.shape)
    file = io.BytesIO()
    photo = (wide * light + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(photo).save(file, "JPEG", quality=30)
    seen = np.asarray(Image.open(io.BytesIO(file.getvalue())))
    assert_alike(page, seen, 0.9)


def test_every_system_gives_a_strip() -> None:
    pages = engrave(music(TUNE * 5), LIMITS)
    strips = staff_strips(pages)
    assert len(strips) >= 2
    assert all(strip.max() > 200 for strip in strips)


def test_of_joined_staves_the_top_one_is_taken() -> None:
    pages = engrave(score_xml(tune_bars(TUNE, [""] * 16)).encode(), LIMITS)
    assert len(staff_strips(pages)) == 1


def test_a_page_without_staves_gives_an_empty_strip() -> None:
    strips = staff_strips([np.full((300, 400), 255, np.uint8)])
    assert strips.shape == (1, ROWS, COLUMNS)
    assert strips.max() == 0
