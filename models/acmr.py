"""The network of ACMR: encoders, a label classifier and a modality discriminator.

Wang, Yang, Xu, Hanjalic, Shen, "Adversarial Cross-Modal Retrieval", ACM MM 2017.
"""

from collections.abc import Mapping

from torch import nn

from models.encoders.discriminator import modality_discriminator
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class AcmrNetwork(nn.Module):
    """One encoder per view; classifier and discriminator read the outputs of all views.

    Args:
        encoders: Specification of each view's encoder, D to K.
        n_components: K.
        n_classes: C.
        discriminator: Hidden widths of the discriminator.
    """

    def __init__(
        self,
        encoders: Mapping[str, Specification],
        *,
        n_components: int,
        n_classes: int,
        discriminator: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.classifier = nn.Linear(n_components, n_classes)
        self.discriminator = modality_discriminator(n_components, discriminator, len(encoders))
