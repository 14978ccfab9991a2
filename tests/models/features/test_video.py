"""The video extractor: what its rows keep, and what they ignore."""

import numpy as np
import pytest

from models.features.frames import FRAME_NUMBERS, frame_rows, small_frames
from models.features.video import FrameMotion
from models.types import Int64Array, Video

EXTRACTOR = FrameMotion()
PLACES = EXTRACTOR.layout.slices()

GOLDEN = {
    0: 1.15026,
    80: 2.414,
    162: 1.85945,
    243: 11.417,
    321: 3.96905,
    405: 0.0530038,
    486: 4.63123,
    567: 1.7598,
    648: 0.0593056,
    726: 0.366742,
    799: -4.78326,
    891: 3.58385,
}  # place in the row -> value
RATE_HZ = 8.0


def swinging(hz: float, *, count: int = 48, rate_hz: float = RATE_HZ) -> Video:
    """A bright bar that swings from side to side ``hz`` times a second."""
    frames = np.zeros((count, 60, 80, 3), dtype=np.uint8)
    frames[..., 2] = 50
    for t in range(count):
        left = round(30 + 20 * np.sin(2 * np.pi * hz * t / rate_hz))
        frames[t, 15:45, left : left + 12] = (240, 200, 60)
    return Video(frames, rate_hz)


def reordered(video: Video, order: Int64Array | list[int]) -> Video:
    return Video(video.frames[order], video.frame_rate_hz)


def test_row_is_the_golden_one():
    row = EXTRACTOR.pooled(swinging(1.0))
    np.testing.assert_allclose(row[list(GOLDEN)], list(GOLDEN.values()), rtol=1e-4)


def test_means_and_deviations_are_those_of_the_frames():
    video = swinging(1.0)
    rows = frame_rows(small_frames(video.frames))
    pooled = EXTRACTOR.pooled(video)
    np.testing.assert_allclose(pooled[PLACES["frame means"]], rows.mean(axis=0) / 0.1, rtol=1e-5)
    np.testing.assert_allclose(
        pooled[PLACES["frame deviations"]], rows.std(axis=0) / 0.012, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("hz", [0.5, 1.0])
def test_rhythm_of_the_swing_is_found_at_any_frame_rate(hz):
    for rate_hz in (6.0, 8.0, 15.0):
        video = swinging(hz, count=round(6 * rate_hz), rate_hz=rate_hz)
        places = EXTRACTOR.pooled(video)[PLACES["place spectrum"]]
        fine = 0.25 * 16.0 ** (np.arange(25) / 24)
        nearest = fine[places.argmax()]
        assert min(abs(np.log2(nearest / hz)), abs(np.log2(nearest / (2 * hz)))) < 0.4


def test_order_of_frames_changes_the_motion_and_not_the_look():
    video = swinging(0.5)
    shuffled = reordered(video, np.random.default_rng(0).permutation(48))
    first, second = EXTRACTOR.pooled(video), EXTRACTOR.pooled(shuffled)
    look, motion = PLACES["frame means"], PLACES["place spectrum"]
    np.testing.assert_allclose(first[look], second[look], rtol=1e-5)
    assert np.abs(first[motion] - second[motion]).max() > 0.5


def test_sequence_has_a_row_per_frame_and_no_change_at_first():
    video = swinging(1.0, count=10)
    sequence = EXTRACTOR.sequence(video)
    np.testing.assert_allclose(
        sequence[:, :FRAME_NUMBERS], frame_rows(small_frames(video.frames)), rtol=1e-6
    )
    assert sequence.shape == (10, FRAME_NUMBERS + 16)
    assert not sequence[0, FRAME_NUMBERS:].any()
    assert sequence[1, FRAME_NUMBERS:].any()


def test_beginning_of_a_sequence_does_not_depend_on_the_rest():
    video = swinging(1.0, count=300)  # more than one block of frames
    whole, start = EXTRACTOR.sequence(video), EXTRACTOR.sequence(reordered(video, list(range(20))))
    np.testing.assert_array_equal(whole[:20], start)


def test_very_long_video_is_thinned():
    still = np.zeros((8193, 2, 2, 3), dtype=np.uint8)
    row = EXTRACTOR.pooled(Video(still, 8.0))
    assert np.isfinite(row).all()
    assert row[-1] == pytest.approx(np.log(8193 / 8.0 + 1e-3) / 0.5, rel=1e-5)
