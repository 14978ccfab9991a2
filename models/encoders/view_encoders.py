"""One encoder per view, with the specifications they are rebuilt from."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from models.encoders.registry import build_encoder
from models.encoders.specification import Specification

KindT = TypeVar("KindT", bound=nn.Module)


class ViewEncoders(nn.Module):
    """Encoders by the name of the view.

    Args:
        specifications: What each encoder is built from.

    Attributes:
        names: The views, in order.
        specifications: As given.
        mixed_precision: Compute in bfloat16 where that is stable (on CUDA); outputs are float32.
    """

    def __init__(self, specifications: Mapping[str, Specification]) -> None:
        super().__init__()
        self.mixed_precision = False
        self.names = list(specifications)
        self.specifications = dict(specifications)
        self._modules_in_order = nn.ModuleList(build_encoder(s) for s in specifications.values())

    def of(self, view: str) -> nn.Module:
        """The encoder of a view."""
        return self._modules_in_order[self.names.index(view)]

    def of_kind(self, view: str, kind: type[KindT]) -> KindT:
        """The encoder of a view, of a kind that is known.

        Raises:
            TypeError: If it is of another kind.
        """
        encoder = self.of(view)
        if not isinstance(encoder, kind):
            raise TypeError(f"expected a {kind.__name__} for {view}, got {type(encoder).__name__}")
        return encoder

    def forward(self, view: str, rows: Tensor) -> Tensor:
        """Embed rows (B, D) or (B, T, D) of a view, shape (B, K)."""
        with self.precision(rows):
            output: Tensor = self.of(view)(rows)
        return output.float()

    def precision(self, rows: Tensor) -> torch.autocast:
        """The context in which networks compute on such rows."""
        return torch.autocast(rows.device.type, torch.bfloat16, enabled=self.mixed_precision)

    def all(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Embed the rows of every view."""
        return {name: self(name, rows[name]) for name in self.names}
