"""CLAP against its own model and front end in Hugging Face transformers."""

import json

import numpy as np
import pytest
import torch

from models.errors import ArtefactError
from models.features.foundation.clap import Clap
from models.features.foundation.sound_windows import (
    MAX_WINDOWS,
    SoundWindows,
    hz_to_mel,
    mel_to_hz,
)
from models.types import Audio

RATE = 48_000


def sound(seconds, rate=RATE, seed=0):
    moments = np.arange(round(seconds * rate)) / rate
    hiss = np.random.default_rng(seed).normal(size=len(moments))
    samples = 0.4 * np.sin(2 * np.pi * (200 + 60 * moments) * moments) + 0.02 * hiss
    return Audio(samples.astype(np.float32), rate)


@pytest.fixture(scope="module")
def reference(checkpoints):
    """Row of one window of at most 10 s as transformers makes it, of length 1."""
    from transformers import ClapFeatureExtractor, ClapModel

    model = ClapModel.from_pretrained(checkpoints / "clap").eval()
    front_end = ClapFeatureExtractor.from_pretrained(checkpoints / "clap")

    def row(samples):
        inputs = front_end(samples, sampling_rate=RATE, return_tensors="pt")
        with torch.inference_mode():
            found = model.get_audio_features(inputs["input_features"]).pooler_output[0].numpy()
        return found / np.linalg.norm(found)

    return row


@pytest.mark.parametrize("seconds", [0.3, 4.0, 7.5, 10.0])
def test_a_window_is_the_embedding_of_transformers(checkpoints, reference, seconds):
    audio = sound(seconds)
    np.testing.assert_allclose(Clap().pooled(audio), reference(audio.samples), atol=2e-5)


def test_the_front_end_is_that_of_transformers(checkpoints):
    from transformers import ClapFeatureExtractor

    front_end = ClapFeatureExtractor.from_pretrained(checkpoints / "clap")
    expected = front_end(sound(3.3).samples, sampling_rate=RATE)["input_features"]
    found = Clap().prepare(sound(3.3))
    assert found.shape == (1, 1, 1001, 64)
    np.testing.assert_allclose(found[0], np.asarray(expected)[0], atol=1e-3)  # dB, -100 to 40


def test_a_long_sound_is_the_mean_of_windows_that_cover_it(checkpoints, reference):
    audio = sound(25.0)
    starts = [0, 360_000, 720_000]  # 15 s over two steps
    rows = [reference(audio.samples[start : start + 480_000]) for start in starts]
    mean = np.mean(rows, axis=0)
    np.testing.assert_allclose(Clap().sequence(audio), rows, atol=2e-5)
    np.testing.assert_allclose(Clap().pooled(audio), mean / np.linalg.norm(mean), atol=2e-5)


def test_the_number_of_windows_is_bounded_and_the_end_is_seen(checkpoints):
    windows = Clap().windows
    places = windows._places(RATE * 3600)
    assert len(places) == MAX_WINDOWS
    assert places[0][0] == 0
    assert places[-1][1] == RATE * 3600


def test_a_row_and_the_same_sound_at_another_rate_are_close(checkpoints):
    slow, fast = sound(2.0, 24_000), sound(2.0, 48_000)
    assert Clap().pooled(slow) @ Clap().pooled(fast) > 0.95


def test_the_mel_scale_is_slaneys():
    assert hz_to_mel(np.array([0.0, 500.0, 1000.0, 6400.0])).tolist() == [0.0, 7.5, 15.0, 42.0]
    hz = np.array([3.0, 999.0, 1000.0, 13_000.0])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz)), hz)


@pytest.mark.parametrize(
    "change", [{"truncation": "fusion"}, {"padding": "repeat"}, {"sampling_rate": "many"}]
)
def test_front_ends_of_another_kind_are_refused(checkpoints, change):
    config = json.loads((checkpoints / "clap" / "preprocessor_config.json").read_text())
    assert SoundWindows.of(config).sample_rate_hz == RATE
    with pytest.raises(ArtefactError, match="CLAP"):
        SoundWindows.of({**config, **change})
