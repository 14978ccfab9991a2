"""Patches of sounds: where they begin, how they are changed."""

import io

import numpy as np
import pytest
import soundfile

from models.features.audioset_mel import PATCH_SAMPLES, patches
from training.feature_networks.labelled_media import LabelledFile
from training.feature_networks.sounds import SoundPieces, at_speed, loud_starts, masked, mixed

RATE = 16_000


def tone(seconds, hz=440.0, level=0.5):
    return level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def wave(samples):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="FLOAT")
    return LabelledFile(buffer.getvalue(), 0, 0)


def test_patches_begin_where_the_sound_is_not_silent():
    samples = np.concatenate([np.zeros(3 * RATE), tone(2.0), np.zeros(3 * RATE)])

    starts = loud_starts(samples)

    power = [np.sum(samples[k : k + PATCH_SAMPLES] ** 2) for k in range(0, 8 * RATE, 1920)]
    allowed = [1920 * k for k, one in enumerate(power) if one >= 0.01 * max(power)]
    assert starts.tolist() == [k for k in allowed if k <= len(samples) - PATCH_SAMPLES]


def test_a_sound_shorter_than_a_patch_begins_at_its_start():
    assert loud_starts(tone(0.3)).tolist() == [0]
    assert loud_starts(np.zeros(RATE * 2)).tolist() == list(
        range(0, 2 * RATE - PATCH_SAMPLES + 1, 1920)
    )


def test_another_speed_moves_the_pitch_and_the_end_is_silence():
    faster = at_speed(tone(1.0, hz=500.0), 0, 1.1)

    spectrum = np.abs(np.fft.rfft(faster[:8000]))
    assert spectrum.argmax() * RATE / 8000 == pytest.approx(550.0, abs=2.0)
    assert not faster[int(RATE / 1.1) + 1 :].any()
    assert at_speed(tone(2.0), 160, 1.0) == pytest.approx(tone(2.0)[160 : 160 + PATCH_SAMPLES])


def test_a_background_lies_so_many_decibels_below():
    piece, other = tone(1.0), np.random.default_rng(0).standard_normal(RATE)

    added = mixed(piece, other, 12.0) - piece

    ratio = 10 * np.log10(np.mean(piece**2) / np.mean(added**2))
    assert ratio == pytest.approx(12.0)
    assert mixed(piece, np.zeros(RATE), 12.0) is piece


def test_a_mask_covers_bands_and_frames_and_leaves_the_rest():
    patch = np.random.default_rng(0).standard_normal((96, 64)).astype(np.float32)

    changed = masked(patch, np.random.default_rng(5)) != patch

    bands, frames = changed.all(axis=0), changed.all(axis=1)
    assert 0 < bands.sum() <= 10
    assert 0 < frames.sum() <= 20
    assert (changed == (bands[None, :] | frames[:, None])).all()


def test_whole_sounds_are_the_patches_of_the_extractor():
    samples = np.concatenate([tone(2.0), np.zeros(3 * RATE)]).astype(np.float16)
    pieces = SoundPieces([wave(samples.astype(np.float32))], per_file=4)

    expected = patches(samples.astype(float), offset=0.001, hop_frames=48)
    n_loud = 1 + int(2.0 * RATE * 1.0) // 7680  # the last one begins before the tone ends
    assert np.array_equal(pieces.whole(0), expected[:n_loud])


def test_drawn_patches_are_as_many_as_asked_and_the_same_for_the_same_seed():
    pieces = SoundPieces([wave(tone(4.0)), wave(tone(0.3))], per_file=4)

    drawn = [pieces.draw(0, np.random.default_rng(1), augment=True) for _ in range(2)]

    assert drawn[0].shape == (4, 96, 64)
    assert np.array_equal(drawn[0], drawn[1])
    assert pieces.draw(1, np.random.default_rng(1), augment=True).shape == (1, 96, 64)


def test_without_changes_a_drawn_patch_is_one_of_the_sound():
    samples = tone(4.0).astype(np.float32)
    drawn = SoundPieces([wave(samples)], per_file=1).draw(
        0, np.random.default_rng(1), augment=False
    )

    start = np.random.default_rng(1).choice(loud_starts(samples.astype(np.float16).astype(float)))
    expected = patches(
        samples.astype(np.float16).astype(float)[start : start + PATCH_SAMPLES],
        offset=0.001,
        hop_frames=48,
    )
    assert np.array_equal(drawn, expected)
