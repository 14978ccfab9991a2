"""The networks that ship against those they start from."""

import pytest
import torch

from models.networks.compact_audio import LEVELS, CompactAudio
from models.networks.compact_image import CompactImage, network_input
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.yamnet import YAMNet


def count(network):
    return sum(weights.numel() for weights in network.parameters())


def started(network, teacher):
    network.load_state_dict({name: teacher.state_dict()[name] for name in network.state_dict()})
    return network


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def test_the_audio_network_puts_out_the_twelfth_and_the_last_layer_of_yamnet():
    teacher = YAMNet()
    network = started(CompactAudio(), teacher)
    patches = torch.randn(2, 96, 64)
    twelfth = []
    teacher.get_submodule("layer12").register_forward_hook(
        lambda _, __, planes: twelfth.append(planes)
    )

    with torch.inference_mode():
        last, levels = teacher(patches), network(patches)

    assert levels.shape == (2, 1536) == (2, sum(LEVELS.values()))
    assert torch.equal(levels[:, 512:], last)
    assert torch.equal(levels[:, :512], twelfth[0].mean(dim=(2, 3)))


def test_the_image_network_is_the_trunk_of_mobilenet_v2_on_bytes():
    teacher = MobileNetV2()
    network = started(CompactImage(), teacher)
    pictures = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)

    with torch.inference_mode():
        assert network.cells(pictures).shape == (2, 16, 1280)
        assert torch.equal(network(pictures), teacher(network_input(pictures)))


def test_bytes_become_channels_first_from_minus_one_to_one():
    pictures = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)  # one pixel

    assert network_input(pictures).flatten().tolist() == pytest.approx([-1.0, 1.0, -0.6])
    assert network_input(pictures).shape == (1, 3, 1, 1)


def test_the_networks_are_as_small_as_they_say():
    assert round(count(CompactAudio()) / 1e6, 1) == 3.2
    assert round(count(CompactImage()) / 1e6, 1) == 2.2
