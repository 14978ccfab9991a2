"""CLIP and SigLIP against their own models and image processors in Hugging Face transformers."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import ArtefactError
from models.features.foundation.picture_crops import PictureCrops
from models.features.foundation.vision import Clip, ClipFrames, Siglip, SiglipFrames
from models.features.sampled_frames import MAX_FRAMES
from models.types import Image, Video


def pixels(rows, columns, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse)


@pytest.fixture(scope="module")
def references(checkpoints):
    """Model and image processor of transformers, by name."""
    from transformers import CLIPModel, SiglipModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    kinds: dict[str, tuple[Any, Any]] = {
        "clip": (CLIPModel, CLIPImageProcessorPil),
        "siglip": (SiglipModel, SiglipImageProcessorPil),
    }
    return {
        name: [one.from_pretrained(checkpoints / name) for one in pair]
        for name, pair in kinds.items()
    }


def expected_row(references, name, picture):
    model, processor = references[name]
    inputs = processor(picture, return_tensors="pt", input_data_format="channels_last")
    with torch.inference_mode():
        row = model.eval().get_image_features(**inputs).pooler_output[0].numpy()
    return row / np.linalg.norm(row)


SHAPES = [(32, 32), (48, 64), (90, 37), (5, 23), (300, 201)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "extractor"), [("clip", Clip), ("siglip", Siglip)])
def test_a_picture_is_the_embedding_of_transformers(references, name, extractor, shape):
    picture = pixels(*shape)
    found = extractor().pooled(Image(picture))
    np.testing.assert_allclose(found, expected_row(references, name, picture), atol=1e-5)


@pytest.mark.parametrize(("name", "extractor"), [("clip", Clip), ("siglip", Siglip)])
def test_steps_of_a_picture_are_its_patches(references, name, extractor):
    picture = pixels(40, 40)
    model, processor = references[name]
    inputs = processor(picture, return_tensors="pt", input_data_format="channels_last")
    with torch.inference_mode():
        states = model.eval().vision_model(**inputs).last_hidden_state[0].numpy()
    expected = states[1:] if name == "clip" else states  # without the class token
    np.testing.assert_allclose(extractor().sequence(Image(picture)), expected, atol=1e-5)
    assert len(expected) == 16


@pytest.mark.parametrize(("name", "extractor"), [("clip", ClipFrames), ("siglip", SiglipFrames)])
def test_frames_are_one_a_second_and_their_mean(references, name, extractor):
    frames = np.stack([pixels(36, 48, seed) for seed in range(24)])
    chosen = [4, 12, 20]  # middles of three parts of 8 frames
    rows = [expected_row(references, name, frames[place]) for place in chosen]
    film = Video(frames, 8.0)
    np.testing.assert_allclose(extractor().sequence(film), rows, atol=1e-5)
    mean = np.mean(rows, axis=0)
    np.testing.assert_allclose(extractor().pooled(film), mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize(("count", "rate", "expected"), [(400, 8.0, MAX_FRAMES), (3, 0.1, 3)])
def test_the_number_of_frames_is_bounded(checkpoints, count, rate, expected):
    film = Video(np.zeros((count, 4, 4, 3), dtype=np.uint8), rate)
    assert len(ClipFrames().prepare(film)) == expected


@pytest.mark.parametrize("shape", [(1, 4000), (4000, 1), (3, 31)])
def test_the_ends_of_a_strip_change_nothing_and_cost_nothing(checkpoints, shape):
    crops = Clip().crops
    strip = pixels(*shape)
    side = min(shape)
    middle = strip[
        tuple(slice((n - min(n, 8 * side)) // 2, (n + min(n, 8 * side)) // 2) for n in shape)
    ]
    assert crops.piece(strip).shape == (32, 32, 3)
    assert np.array_equal(crops.piece(strip), crops.piece(np.ascontiguousarray(middle)))


@pytest.mark.parametrize(
    "change", [{"resample": 2}, {"size": {"shortest_edge": 40}}, {"crop_size": {"height": 3}}]
)
def test_front_ends_of_another_kind_are_refused(checkpoints, change):
    config = json.loads((checkpoints / "clip" / "preprocessor_config.json").read_text())
    assert PictureCrops.of(config).size == 32
    with pytest.raises(ArtefactError, match="preprocessor_config"):
        PictureCrops.of({**config, **change})


def test_old_configurations_with_plain_numbers_are_read(checkpoints):
    config = json.loads((checkpoints / "clip" / "preprocessor_config.json").read_text())
    assert PictureCrops.of({**config, "size": 32, "crop_size": 32}) == PictureCrops.of(config)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("extractor", [Clip, Siglip])
def test_a_gpu_gives_the_rows_of_the_cpu_within_a_tolerance(checkpoints, extractor):
    subject = extractor()
    pieces = [subject.prepare(Image(pixels(30, 40, seed))) for seed in range(100)]
    expected = subject.forward(pieces)
    subject.to("cuda")
    np.testing.assert_allclose(subject.forward(pieces), expected, atol=1e-4)
