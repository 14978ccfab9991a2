"""The network of UGAAR."""

import pytest
import torch

from models.encoders.mlp import mlp_specification
from models.ugaar import UgaarNetwork

K = 3


@pytest.fixture
def network():
    torch.manual_seed(0)
    dimensions = {"audio": 5, "score": 6, "lyrics": 4}
    return UgaarNetwork(
        {name: mlp_specification((d, 8, K)) for name, d in dimensions.items()},
        n_components=K,
        noise=2,
        generator=(7,),
        discriminator=(9,),
    )


def test_an_embedding_gives_an_audio_and_a_score_that_noise_varies(network):
    condition = torch.randn(4, K)
    first, second = network.generate(condition), network.generate(condition)
    assert first.shape == (4, 2, K)
    assert not torch.equal(first, second)
    assert not torch.allclose(first[:, 0], first[:, 1])


def test_a_generator_without_weights_gives_the_embedding_twice(network):
    for parameter in network.generator.parameters():
        torch.nn.init.zeros_(parameter)
    condition = torch.randn(4, K)
    assert torch.equal(network.generate(condition), torch.stack([condition, condition], dim=1))


def test_a_pair_is_judged_by_both_halves_and_by_the_lyric(network):
    pairs, condition = torch.randn(4, 2, K), torch.randn(4, K)
    logits = network.judge(pairs, condition)
    assert logits.shape == (4,)
    for number in (0, 1):
        changed = pairs.clone()
        changed[:, number] += 1.0
        assert not torch.allclose(network.judge(changed, condition), logits)
    assert not torch.allclose(network.judge(pairs, condition + 1.0), logits)
