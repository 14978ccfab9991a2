"""MobileNetV2 and Inception V3 as extractors."""

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from models.features.published.base import build_network
from models.features.published.pictures import (
    InceptionV3Frames,
    InceptionV3Projected,
    MobileNetV2Frames,
    MobileNetV2Pictures,
    framed,
    random_signs,
)
from models.features.weights import find_weights
from models.networks.mobilenet_v2 import MobileNetV2
from models.types import Image, Video

pytestmark = pytest.mark.usefixtures("random_weights")
RNG = np.random.default_rng(0)
FIRST_SIGNS = [1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0]  # the lowest bits of PCG64's first word


def picture(rows: int, columns: int) -> Image:
    return Image(RNG.integers(0, 256, (rows, columns, 3), dtype=np.uint8))


def test_a_picture_is_the_network_on_values_between_minus_one_and_one():
    subject, image = MobileNetV2Pictures(), picture(40, 70)
    small = Pillow.fromarray(image.pixels).resize((64, 64), Pillow.Resampling.BILINEAR)
    values = np.asarray(small).transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1.0
    network = build_network(MobileNetV2, find_weights("mobilenet-v2"))
    with torch.inference_mode():
        expected = network(torch.from_numpy(values))[0].numpy()
    np.testing.assert_allclose(subject.pooled(image), expected, atol=1e-5)
    places = subject.sequence(image)
    assert places.shape == (2 * 2, 1280)  # 64 pixels / 32
    np.testing.assert_allclose(places.mean(axis=0), expected, atol=1e-5)
    scores = subject.class_scores(expected[None])
    assert scores.shape == (1, 1001)
    assert scores.sum() == pytest.approx(1.0, abs=1e-5)


def test_places_come_in_reading_order():
    subject, image, seen = MobileNetV2Pictures(), picture(64, 64), []
    hook = subject.module().conv_last.register_forward_hook(lambda _, __, out: seen.append(out))
    places = subject.sequence(image)
    hook.remove()
    for row, column in np.ndindex(2, 2):
        np.testing.assert_array_equal(places[2 * row + column], seen[0][0, :, row, column].numpy())


def test_the_central_square_is_resize_then_crop():
    """As torchvision: shorter side to 342, central 299; here half a pixel apart."""
    smooth = np.asarray(
        Pillow.fromarray(RNG.integers(0, 256, (3, 4, 3), dtype=np.uint8)).resize((800, 600))
    )
    resized = Pillow.fromarray(smooth).resize((456, 342), Pillow.Resampling.BILINEAR)
    left, top = (456 - 299) / 2, (342 - 299) / 2
    expected = resized.crop((int(left), int(top), int(left) + 299, int(top) + 299))
    found = framed(smooth, 299, share=299 / 342)
    difference = np.abs(found.astype(int) - np.asarray(expected).astype(int))
    assert difference.mean() < 1.0
    assert difference.max() <= 4


def test_long_thin_pictures_take_no_more_memory_than_others():
    assert framed(np.zeros((1, 100_000, 3), np.uint8), 299, share=299 / 342).shape == (299, 299, 3)


def test_frames_are_pictures_and_a_row_is_their_mean():
    frames = RNG.integers(0, 256, (16, 30, 50, 3), dtype=np.uint8)
    video = Video(frames, 8.0)
    steps = MobileNetV2Frames().sequence(video)
    expected = np.stack([MobileNetV2Pictures().pooled(Image(frames[k])) for k in (4, 12)])
    np.testing.assert_array_equal(steps, expected)
    row = MobileNetV2Frames().pooled(video)
    np.testing.assert_allclose(row, expected.mean(axis=0), atol=1e-6)


def test_the_projection_is_a_product_with_fixed_signs():
    video = Video(RNG.integers(0, 256, (2, 30, 50, 3), dtype=np.uint8), 1.0)
    wide = InceptionV3Frames().sequence(video).astype(np.float64)
    expected = wide @ random_signs(2048, 1024) / 32.0
    np.testing.assert_allclose(InceptionV3Projected().sequence(video), expected, atol=1e-4)


def test_signs_are_fair_and_keep_distances():
    signs = random_signs(2048, 1024)
    assert set(np.unique(signs)) == {-1.0, 1.0}
    assert abs(signs.mean()) < 4 / np.sqrt(signs.size)
    assert signs[0, :8].tolist() == FIRST_SIGNS
    rows = np.abs(RNG.standard_normal((20, 2048)))
    projected = rows @ signs / 32.0
    for i, j in ((0, 1), (5, 9), (18, 19)):
        before = np.linalg.norm(rows[i] - rows[j])
        assert np.linalg.norm(projected[i] - projected[j]) == pytest.approx(before, rel=0.12)


def test_a_batch_gives_the_bits_of_single_pictures():
    subject = MobileNetV2Pictures()
    images = [picture(30, 40), picture(80, 20), picture(64, 64)]
    batch = [subject.prepare(one) for one in images]
    for one, row in zip(images, subject.forward(batch), strict=True):
        assert row.tobytes() == subject.pooled(one).tobytes()
