"""The log-mel patches of VGGish and YAMNet, as published with AudioSet (``mel_features.py``).

16 kHz, periodic Hann windows of 25 ms every 10 ms, magnitudes of a transform of 512, 64 triangular
bands from 125 to 7,500 Hz on the HTK mel scale, logarithm with an offset, patches of 96 frames.
"""

import numpy as np

from models.features.log_mel import MelSettings, mel_filterbank, power_blocks
from models.types import Float32Array, Float64Array

MEL = MelSettings(fft_size=512, min_hz=125.0, max_hz=7_500.0)
PATCH_FRAMES = 96
PATCH_SAMPLES = MEL.window_samples + (PATCH_FRAMES - 1) * MEL.hop_samples  # 15,600: 0.975 s
_FULL_SCALE = MEL.window_samples / 4  # magnitude of a full-scale sine: half the window's sum


def log_mel_frames(samples: Float64Array, *, offset: float) -> Float64Array:
    """Return ``log(mel + offset)`` of the frames of a sound, shape (T, 64).

    Args:
        samples: At 16 kHz, shape (at least 400,); what fills no window at the end is left out.
        offset: 0.01 for VGGish, 0.001 for YAMNet.
    """
    bank = mel_filterbank(MEL)
    magnitudes = (_FULL_SCALE * np.sqrt(power) for power in power_blocks(samples, MEL.framing))
    mel = np.concatenate([(bank @ block.T).T for block in magnitudes])
    return np.log(mel + offset)


def filled(samples: Float64Array, *, hop_frames: int) -> Float64Array:
    """Return a sound with silence at its end, so that whole patches cover all of it."""
    hop = hop_frames * MEL.hop_samples
    hops = max(0, -(-(len(samples) - PATCH_SAMPLES) // hop))
    return np.pad(samples, (0, PATCH_SAMPLES + hops * hop - len(samples)))


def patches(samples: Float64Array, *, offset: float, hop_frames: int) -> Float32Array:
    """Return the patches of a sound, shape (P, 96, 64).

    Args:
        samples: At 16 kHz, at least ``PATCH_SAMPLES``; what fills no patch at the end is left out.
        offset: See `log_mel_frames`.
        hop_frames: Frames between the starts of patches.
    """
    frames = log_mel_frames(samples, offset=offset).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(frames, (PATCH_FRAMES, MEL.n_bands))
    return np.ascontiguousarray(cut[::hop_frames, 0])
