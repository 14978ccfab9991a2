"""Pictures for training: parts, mirrors, colours."""

import io
from typing import Any, cast

import numpy as np
import PIL.Image

from models.features.compact import SIZE
from models.features.published.pictures import framed
from training.feature_networks.labelled_media import LabelledFile
from training.feature_networks.pictures import PicturePieces, coloured, cropped


def picture(rows=60, columns=90, seed=0):
    """A smooth picture, different at every place."""
    rng = np.random.default_rng(seed)
    small = PIL.Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8))
    return np.asarray(small.resize((columns, rows), PIL.Image.Resampling.BICUBIC))


def file(pixels, task=0):
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return LabelledFile(buffer.getvalue(), task, 0)


def test_a_part_is_cut_from_the_picture_and_large_enough():
    pixels = np.arange(60 * 90 * 3).reshape(60, 90, 3)  # every value names its place

    for seed in range(50):
        part = cropped(cast("Any", pixels), np.random.default_rng(seed))
        rows, columns = part.shape[:2]
        top, left = divmod(int(part[0, 0, 0]) // 3, 90)
        assert np.array_equal(part, pixels[top : top + rows, left : left + columns])
        assert 0.40 <= rows * columns / (60 * 90) <= 1.0
        assert 0.75 <= (columns / 90) / (rows / 60) <= 1.3


def test_colours_change_a_little_and_places_do_not():
    pixels = picture()

    changed = coloured(pixels, np.random.default_rng(0))

    assert changed.shape == pixels.shape
    assert not np.array_equal(changed, pixels)
    flat = [one.astype(float).mean(axis=2).ravel() for one in (pixels, changed)]
    assert np.corrcoef(*flat)[0, 1] > 0.95


def test_a_task_of_digits_is_never_mirrored():
    pixels = picture()
    pieces = PicturePieces([file(pixels, 0), file(pixels, 1)], mirrored=[False, True])
    small = [
        framed(one, SIZE, share=None).astype(float).ravel() for one in (pixels, pixels[:, ::-1])
    ]

    def mirrored(number, seed):
        drawn = pieces.draw(number, np.random.default_rng(seed), augment=True)[0]
        straight, turned = (np.corrcoef(drawn.astype(float).ravel(), one)[0, 1] for one in small)
        return turned > straight

    assert not any(mirrored(0, seed) for seed in range(20))
    assert 5 <= sum(mirrored(1, seed) for seed in range(20)) <= 15


def test_whole_pictures_are_those_of_the_extractor():
    pixels = picture()
    pieces = PicturePieces([file(pixels)], mirrored=[True])

    assert np.array_equal(pieces.whole(0), framed(pixels, SIZE, share=None)[None])
    assert np.array_equal(pieces.draw(0, np.random.default_rng(0), augment=False), pieces.whole(0))
    assert pieces.large(0).shape == (224, 224, 3)


def test_large_pictures_are_held_small():
    pieces = PicturePieces([file(picture(400, 600))], mirrored=[True])

    assert pieces._pictures[0].shape == (117, 176, 3)
