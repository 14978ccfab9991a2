"""The log-mel front end of VGGish and YAMNet against a reference of written-out loops."""

import cmath
import math

import numpy as np
import pytest

from models.features.audioset_mel import PATCH_SAMPLES, filled, log_mel_frames, patches

RNG = np.random.default_rng(0)


def mel(hz):
    """HTK, as ``mel_features.py`` writes it."""
    return 1127.0 * math.log(1.0 + hz / 700.0)


def naive_log_mel(frame, offset):
    """One frame of 400 samples by sums: window, transform, magnitudes, triangles, logarithm."""
    windowed = [x * (0.5 - 0.5 * math.cos(2 * math.pi * n / 400)) for n, x in enumerate(frame)]
    magnitudes = [
        abs(sum(x * cmath.exp(-2j * math.pi * k * n / 512) for n, x in enumerate(windowed)))
        for k in range(257)
    ]
    step = (mel(7500.0) - mel(125.0)) / 65
    bands = []
    for band in range(64):
        low = mel(125.0) + band * step
        total = 0.0
        for k in range(1, 257):
            place = (mel(k * 16000.0 / 512) - low) / step  # 0 at the lower edge, 2 at the upper
            total += max(0.0, min(place, 2.0 - place)) * magnitudes[k]
        bands.append(math.log(total + offset))
    return bands


@pytest.mark.parametrize("offset", [0.01, 0.001])
def test_frames_agree_with_the_loops(offset):
    samples = 0.3 * RNG.standard_normal(400 + 160 * 2)
    found = log_mel_frames(samples, offset=offset)
    assert found.shape == (3, 64)
    for t in (0, 2):
        expected = naive_log_mel(samples[160 * t : 160 * t + 400].tolist(), offset)
        np.testing.assert_allclose(found[t], expected, atol=1e-9)


def test_silence_is_the_logarithm_of_the_offset():
    np.testing.assert_allclose(log_mel_frames(np.zeros(800), offset=0.01), np.log(0.01))


def test_patches_are_96_frames_at_the_given_distance():
    samples = RNG.standard_normal(PATCH_SAMPLES + 48 * 160 + 30)  # the last 30 fill no frame
    frames = log_mel_frames(samples, offset=0.01)
    for hop in (48, 96):
        found = patches(samples, offset=0.01, hop_frames=hop)
        starts = [0, 48] if hop == 48 else [0]
        expected = np.stack([frames[k : k + 96] for k in starts]).astype(np.float32)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0, 1), (1, 1), (15_600, 1), (15_601, 2), (15_600 + 7_680, 2), (80_000, 10)],
)
def test_silence_fills_the_last_patch_so_that_nothing_is_left_out(length, expected):
    samples = filled(np.ones(length), hop_frames=48)
    assert samples.sum() == length
    assert len(patches(samples, offset=0.001, hop_frames=48)) == expected
    assert len(samples) == PATCH_SAMPLES + (expected - 1) * 7_680
