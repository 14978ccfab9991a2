"""The correspondence autoencoder."""

import torch

from models.corr_ae import CorrespondenceAutoencoder
from models.encoders.mlp import mlp_specification

DIMENSIONS = {"audio": 5, "visual": 6}


def test_every_view_is_rebuilt_from_the_codes_of_every_view():
    network = CorrespondenceAutoencoder(
        {name: mlp_specification((d, 4, 3)) for name, d in DIMENSIONS.items()},
        {name: mlp_specification((3, 4, d)) for name, d in DIMENSIONS.items()},
    )
    for source, d in DIMENSIONS.items():
        codes = network.encoders(source, torch.randn(7, d))
        for target, wanted in DIMENSIONS.items():
            rebuilt = network.rebuild(target, codes)
            assert rebuilt.shape == (7, wanted)
            torch.testing.assert_close(rebuilt, network.decoders.of(target)(codes))
