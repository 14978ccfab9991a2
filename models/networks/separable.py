"""Convolutions as TensorFlow pads them, batch normalisation folded into weight and bias."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]


class SameConv(nn.Conv2d):
    """Convolution with "SAME" padding for sides that the stride divides, then an activation.

    TensorFlow pads ``kernel - stride`` rows and columns, the odd one after the picture, where
    PyTorch pads both sides alike; with a stride of 2 the two see pixels shifted by one.

    Args:
        channels: Input channels.
        filters: Output channels.
        kernel: Rows and columns of the kernel.
        stride: 1 or 2.
        groups: ``channels`` for a depthwise convolution.
        activation: Applied to the result; None for a linear layer.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: Activation | None = functional.relu,
    ) -> None:
        super().__init__(channels, filters, kernel, stride, groups=groups)
        self._activation = activation
        total = max(0, kernel - stride)
        self._pad = (total // 2, total - total // 2) * 2

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # the name of the base class
        """Return (B, filters, ceil(rows / stride), ceil(columns / stride))."""
        if self._pad[0] == self._pad[1]:
            return self._activated(
                functional.conv2d(
                    input, self.weight, self.bias, self.stride, self._pad[0], groups=self.groups
                )
            )
        padded = functional.pad(input, self._pad)
        return self._activated(
            functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)
        )

    def _activated(self, result: Tensor) -> Tensor:
        return result if self._activation is None else self._activation(result)
