"""The network of ACMR."""

import torch

from models.acmr import AcmrNetwork
from models.encoders.mlp import mlp_specification


def test_classifier_and_discriminator_read_the_outputs_of_all_views():
    dimensions = {"audio": 5, "image": 6, "lyrics": 4}
    network = AcmrNetwork(
        {name: mlp_specification((d, 8, 3)) for name, d in dimensions.items()},
        n_components=3,
        n_classes=7,
        discriminator=(9,),
    )
    outputs = network.encoders.all({n: torch.randn(4, d) for n, d in dimensions.items()})
    for rows in outputs.values():
        assert network.classifier(rows).shape == (4, 7)
        assert network.discriminator(rows).shape == (4, 3)
