"""The 8-bit layers of a fully quantised TFLite file, to check a conversion against the interpreter.

A dequantised network keeps full precision between its layers, the interpreter rounds there. With
the same rounding a right conversion agrees closely, which shows that only rounding was different.
It triples the time of a picture, so no extractor does it.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.mobilenet_v2 import InvertedResidual, MobileNetV2
from models.networks.separable import SameConv
from training.weights.tflite import TfliteModel

_ROUNDED = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN")


class RoundedMobileNetV2(nn.Module):
    """A network whose layers give the 8-bit levels of a fully quantised TFLite file.

    Args:
        network: With the weights of the file; hooks are put on its layers.
        model: The file.
    """

    def __init__(self, network: MobileNetV2, model: TfliteModel) -> None:
        super().__init__()
        self.network = network
        steps = [model.levels[one.outputs[0]] for one in model.operators if one.kind in _ROUNDED]
        for layer, (scale, zero) in zip(_layers(network), steps, strict=False):
            layer.register_forward_hook(_rounding(scale, zero))
        means = [model.levels[one.outputs[0]] for one in model.operators if one.kind == "MEAN"]
        self._last = means[0]

    def forward(self, pixels: Tensor) -> Tensor:
        """Return embeddings (B, 1280) of pixels 0 .. 255, shape (B, 3, 224, 224)."""
        rows = self.network((pixels - 127.0) / 127.5)  # the zero point of the file is 127
        return _rounded(rows, *self._last)


def _layers(network: MobileNetV2) -> Iterator[nn.Module]:
    """Layers and sums in the order of execution."""
    blocks = [child for child in network.children() if not isinstance(child, nn.Linear)]
    for block in blocks:
        if isinstance(block, InvertedResidual):
            yield from (part for part in block.children() if isinstance(part, SameConv))
            if block.adds:
                yield block
        else:
            yield block


def _rounding(scale: float, zero: int) -> Any:
    return lambda _layer, _inputs, result: _rounded(result, scale, zero)


def _rounded(values: Tensor, scale: float, zero: int) -> Tensor:
    """The nearest of the 256 levels of an int8 tensor."""
    return torch.fake_quantize_per_tensor_affine(values, scale, zero, -128, 127)
