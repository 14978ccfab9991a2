"""The networks of DCCA, DCCAE and C-DCCA: an encoder per view, and decoders for DCCAE.

Andrew, Arora, Bilmes, Livescu, "Deep Canonical Correlation Analysis", ICML 2013; Wang, Arora,
Livescu, Bilmes, "On Deep Multi-View Representation Learning", ICML 2015; C-DCCA: Zeng, Yu, Oyama,
"Deep Triplet Neural Networks with Cluster-CCA", TOMM 2020.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.encoders.specification import Specification
from models.encoders.view_encoders import ViewEncoders


class DeepCCANetwork(nn.Module):
    """Encoders whose outputs are to correlate, and decoders that rebuild the features.

    Args:
        encoders: Specification of each view's encoder, D to K.
        decoders: Specification of each view's decoder, K to D; None for DCCA and C-DCCA.
    """

    def __init__(
        self,
        encoders: Mapping[str, Specification],
        decoders: Mapping[str, Specification] | None = None,
    ) -> None:
        super().__init__()
        self.encoders = ViewEncoders(encoders)
        self.decoders = None if decoders is None else ViewEncoders(decoders)

    def rebuild(self, outputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features (B, D) of each view from its own outputs (B, K); empty without decoders."""
        return {} if self.decoders is None else self.decoders.all(outputs)
