"""Encoders one after another."""

from torch import Tensor, nn

from models.encoders.specification import Specification


def chain_specification(*stages: Specification) -> Specification:
    """Describe encoders that follow each other."""
    return {"kind": "chain", "stages": list(stages)}


class Chain(nn.Module):
    """Applies its stages in order."""

    def __init__(self, stages: list[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, rows: Tensor) -> Tensor:
        """Map rows (B, D) or (B, T, D) through every stage."""
        for stage in self.stages:
            rows = stage(rows)
        return rows
