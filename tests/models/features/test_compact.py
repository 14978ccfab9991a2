"""Front ends of the networks that ship: which patches and frames pass them."""

import numpy as np

from models.features.audioset_mel import MEL, PATCH_SAMPLES, filled, patches
from models.features.compact import (
    HOP_FRAMES,
    LOG_OFFSET,
    CompactAudio,
    CompactFrames,
    CompactImage,
    is_loud,
)
from models.features.published.pictures import framed
from models.features.sampled_frames import sampled_frames
from models.types import Audio, Image, Video

RATE = 16_000


def noise(seconds, seed=0, level=0.1):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def test_loud_patches_are_those_within_twenty_decibels_of_the_loudest():
    samples = np.concatenate([noise(2.0), np.zeros(RATE), noise(2.0, level=0.009), noise(1.0)])
    starts = np.arange(0, len(samples) - PATCH_SAMPLES, 1000)

    power = [sum(float(x) ** 2 for x in samples[k : k + PATCH_SAMPLES]) for k in starts.tolist()]

    assert is_loud(samples, starts).tolist() == [one >= 0.01 * max(power) for one in power]
    assert 0 < is_loud(samples, starts).sum() < len(starts)


def test_silence_has_patches_too():
    assert is_loud(np.zeros(3 * RATE), np.array([0, 7680])).all()


def test_a_row_leaves_silent_patches_out_and_a_sequence_keeps_them():
    samples = np.concatenate([noise(2.0), np.zeros(4 * RATE)]).astype(np.float32)
    sound = Audio(samples, RATE)

    whole = filled(samples.astype(np.float64), hop_frames=HOP_FRAMES)
    every = patches(whole, offset=LOG_OFFSET, hop_frames=HOP_FRAMES)
    starts = HOP_FRAMES * MEL.hop_samples * np.arange(len(every))
    assert np.array_equal(CompactAudio().prepare(sound, sequence=True), every)
    assert np.array_equal(CompactAudio().prepare(sound), every[is_loud(whole, starts)])
    assert len(CompactAudio().prepare(sound)) < len(every)


def test_pictures_and_frames_pass_as_bytes_of_128_by_128():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    film = Video(np.stack([pixels, pixels[::-1], pixels[:, ::-1]]), 1.0)

    assert np.array_equal(
        CompactImage().prepare(Image(pixels)), framed(pixels, 128, share=None)[None]
    )
    frames = CompactFrames().prepare(film)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, [framed(one, 128, share=None) for one in sampled_frames(film)])
