"""The network of Corr-AE: autoencoders whose codes also rebuild the other view.

Feng, Wang, Li, "Cross-modal Retrieval with Correspondence Autoencoder", ACM MM 2014 (the
cross-modal variant: every code rebuilds every view).
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class CorrespondenceAutoencoder(nn.Module):
    """An encoder and a decoder per view around one code space.

    Args:
        encoders: Specification of each view's encoder, D to K.
        decoders: Specification of each view's decoder, K to D.
    """

    def __init__(
        self, encoders: Mapping[str, Specification], decoders: Mapping[str, Specification]
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.decoders = ViewEncoders(decoders)

    def rebuild(self, view: str, codes: Tensor) -> Tensor:
        """Features (B, D) of a view from codes (B, K) of any view."""
        rebuilt: Tensor = self.decoders(view, codes)
        return rebuilt
