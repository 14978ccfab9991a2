"""All encoders by kind."""

from collections.abc import Callable, Mapping

from torch import nn

from models.encoders.affine import Affine
from models.encoders.attention import AttentionEncoder
from models.encoders.chain import Chain
from models.encoders.mlp import MLP
from models.encoders.specification import Specification, value
from models.encoders.transformer import TransformerEncoder
from models.encoders.unit_blocks import UnitBlocks
from models.errors import ShapeError

ENCODERS: dict[str, Callable[[Specification], nn.Module]] = {
    "affine": Affine,
    "attention": AttentionEncoder,
    "chain": lambda specification: Chain(
        [build_encoder(stage) for stage in value(specification, "stages", list)]
    ),
    "mlp": MLP,
    "transformer": TransformerEncoder,
    "unit-blocks": UnitBlocks,
}


def build_encoder(specification: Specification) -> nn.Module:
    """Build an encoder, with fresh weights from torch's generator.

    Raises:
        ShapeError: If the kind or an entry of the specification is unknown, missing or out of
            range.
    """
    if not isinstance(specification, Mapping):
        raise ShapeError(f"expected the specification of an encoder, got {specification!r}")
    kind = value(specification, "kind", str)
    if kind not in ENCODERS:
        raise ShapeError(f"expected an encoder of {sorted(ENCODERS)}, got {kind!r}")
    return ENCODERS[kind](specification)
