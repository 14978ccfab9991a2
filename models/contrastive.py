"""The network of contrastive learning, with a modality discriminator in its adversarial form."""

from collections.abc import Mapping

from torch import nn

from models.encoders.discriminator import modality_discriminator
from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class ContrastiveNetwork(nn.Module):
    """One encoder per view.

    Args:
        encoders: Specification of each view's encoder, D to K.
        n_components: K.
        discriminator: Hidden widths of the discriminator; None for none.
    """

    def __init__(
        self,
        encoders: Mapping[str, Specification],
        *,
        n_components: int,
        discriminator: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.discriminator = (
            None
            if discriminator is None
            else modality_discriminator(n_components, discriminator, len(encoders))
        )
