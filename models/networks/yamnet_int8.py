"""YAMNet as the 8-bit TFLite file computes it: its own front end before the network."""

import math

import torch
from torch import Tensor, nn

from models.networks.yamnet import BANDS, PATCH_FRAMES, YAMNet

WINDOW_SAMPLES, HOP_SAMPLES, FFT_SIZE = 400, 160, 512
BINS = FFT_SIZE // 2 + 1


class FileFrontEnd(nn.Module):
    """The log-mel patch of ``yamnet.tflite``, rounded where the interpreter rounds (XNNPACK).

    The windowed samples of a frame, and its magnitudes, become 8-bit numbers over the range of
    that frame; cosines, sines and mel bands are the 8-bit ones of the file. Quiet parts of a frame
    drown in that noise, so the result differs from the published log-mel.
    """

    cosines: Tensor
    sines: Tensor
    bands: Tensor
    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cosines", torch.zeros(BINS, FFT_SIZE))
        self.register_buffer("sines", torch.zeros(BINS, FFT_SIZE))
        self.register_buffer("bands", torch.zeros(BANDS, BINS))
        self.register_buffer("offset", torch.zeros(BANDS))

    def forward(self, patches: Tensor) -> Tensor:
        """Return ``log(mel + 0.001)``, shape (B, 96, 64), of samples at 16 kHz, (B, 15600)."""
        frames = patches.unfold(1, WINDOW_SAMPLES, HOP_SAMPLES)  # (B, 96, 400)
        angles = torch.arange(WINDOW_SAMPLES, dtype=torch.float64, device=patches.device)
        window = 0.5 - 0.5 * torch.cos(angles * (2.0 * math.pi / WINDOW_SAMPLES))
        margin = (FFT_SIZE - WINDOW_SAMPLES) // 2  # the file has the window in the middle
        rows = nn.functional.pad((frames * window.float()).flatten(0, 1), (margin, margin))
        real, imaginary = _product(rows, self.cosines), _product(rows, self.sines)
        mel = _product(torch.sqrt(real**2 + imaginary**2), self.bands)
        return torch.log(mel + self.offset).reshape(-1, PATCH_FRAMES, BANDS)


class YAMNetInt8(YAMNet):
    """The network behind the front end of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.front_end = FileFrontEnd()

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embeddings, shape (B, 1024), of samples at 16 kHz, shape (B, 15600)."""
        return super().forward(self.front_end(patches))


def _product(rows: Tensor, weights: Tensor) -> Tensor:
    """Multiply rows (T, n), in 8 bits each, with weights (m, n): (T, m)."""
    levels, step = _eight_bit_rows(rows)
    return (levels @ weights.T) * step


def _eight_bit_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Whole numbers of 255 levels over the range of each row, 0 among them; and the level's size.

    As in the dynamic quantisation of XNNPACK: the zero point is rounded from the end of the range
    where the error is smaller.
    """
    low = rows.amin(dim=1, keepdim=True).clamp(max=0.0)
    high = rows.amax(dim=1, keepdim=True).clamp(min=0.0)
    spread = high - low
    per_unit = torch.where(spread == 0.0, 1.0, 255.0 / spread)
    below, above = low * per_unit, high * per_unit
    zero = torch.where((below - 128.0) + (above + 127.0) > 0.0, -128.0 - below, 127.0 - above)
    zero = zero.clamp(-128.0, 127.0).round()
    levels = ((rows * per_unit).round() + zero).clamp(-128.0, 127.0)
    return levels - zero, 1.0 / per_unit
