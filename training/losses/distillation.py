"""Loss of a network that learns to see what another one sees."""

from torch import Tensor
from torch.nn import functional


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over rows of ``1 - cos(student, teacher)``, in [0, 2].

    Directions only: networks that cut off negative values keep most of what they know there, and
    the length of an embedding says little besides loudness or contrast.

    Args:
        student: Shape (B, D).
        teacher: Shape (B, D); no gradient follows it.
    """
    return 1.0 - functional.cosine_similarity(student, teacher.detach(), dim=1).mean()
