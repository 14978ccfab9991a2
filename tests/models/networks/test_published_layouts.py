"""The published networks have the published layers, and compute what the published code computes.

Layouts and outputs were compared once with torchvision 0.28.0 and torchvggish 0.2; hashes and
numbers below are theirs.
"""

import hashlib
from typing import Any

import numpy as np
import pytest
import torch

from models.networks import vggish
from models.networks.inception_v3 import InceptionV3
from models.networks.load import empty_network, give_weights, named_shapes
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.vggish import VGGish, VGGishPca
from models.networks.yamnet import YAMNet


def count(build):
    return sum(p.numel() for p in empty_network(build).parameters())


def channels(build):
    """Output channels of all convolutions."""
    layers = empty_network(build).modules()
    return sum(layer.out_channels for layer in layers if isinstance(layer, torch.nn.Conv2d))


def layout(build):
    """Hash of names and shapes in their order."""
    lines = [f"{name} {shape}" for name, shape in named_shapes(empty_network(build)).items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def waves(build):
    """Weights by a formula, of a size that keeps the spread of what passes."""
    found = {}
    for k, (name, shape) in enumerate(named_shapes(empty_network(build)).items()):
        values = np.sin(np.arange(np.prod(shape)) * (0.7 + 0.01 * k) + k).reshape(shape)
        if name.endswith(("running_var", "bn.weight")):
            values = 1 + 0.1 * values
        else:
            values *= np.sqrt(4 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        found[name] = values.astype(np.float32)
    return found


def test_numbers_of_weights_are_the_published_ones():
    assert count(lambda: InceptionV3(auxiliary=True)) == 27_161_264
    assert count(InceptionV3) == 27_161_264 - 3_326_696  # without the side classifier
    assert count(VGGish) == 72_141_184
    # Batch normalisation is folded: C biases instead of shift, mean and variance (Keras' count) or
    # of scale and shift (torchvision's count, of 1,000 classes instead of 1,001).
    assert count(YAMNet) == 3_751_369 - 2 * channels(YAMNet)
    assert count(MobileNetV2) == 3_504_872 - channels(MobileNetV2) + (1280 + 1)


@pytest.mark.parametrize(
    ("build", "expected"),
    [(lambda: InceptionV3(auxiliary=True), "3b80b9a7c62390fe"), (VGGish, "e3132155acba76db")],
    ids=["torchvision", "torchvggish"],
)
def test_names_and_shapes_are_the_published_ones(build, expected):
    assert layout(build) == expected


def test_inception_v3_computes_what_torchvision_computes():
    """With weights by the formula, on a picture of 75 x 75: every 256th of the 2,048 numbers."""
    network = give_weights(empty_network(InceptionV3), waves_without_auxiliary())
    picture = np.sin(np.arange(3 * 75 * 75) * 0.013).reshape(1, 3, 75, 75).astype(np.float32)
    with torch.inference_mode():
        row = network(torch.from_numpy(picture))[0].numpy()
    expected = [0.0, 0.18566033, 0.04530267, 0.0, 0.17424233, 0.16039787, 0.0, 0.0]
    np.testing.assert_allclose(row[::256], expected, atol=2e-6)
    assert row.sum() == pytest.approx(111.4708, abs=1e-2)


def waves_without_auxiliary():
    """The formula counts the layers of the whole published file."""
    whole = waves(lambda: InceptionV3(auxiliary=True))
    return {name: whole[name] for name in named_shapes(empty_network(InceptionV3))}


def test_vggish_flattens_frame_by_frame_band_by_band(monkeypatch):
    """As TensorFlow does: its first full layer sees channel fastest, then band, then frame."""
    monkeypatch.setattr(vggish, "HIDDEN", 8)
    network = give_weights(empty_network(VGGish), waves(VGGish))
    patch = torch.sin(torch.arange(96 * 64) * 0.01).reshape(1, 96, 64)
    with torch.inference_mode():
        planes = network.features(patch[:, None])[0].numpy()  # (512, 6, 4)
        row = [planes[c, t, b] for t in range(6) for b in range(4) for c in range(512)]
        expected = network.embeddings(torch.tensor(np.array(row))[None])
        torch.testing.assert_close(network(patch), expected)


def test_bytes_of_vggish_follow_the_written_out_formula(monkeypatch):
    monkeypatch.setattr(vggish, "HIDDEN", 8)
    weights = waves(VGGishPca)
    weights["pproc.pca_eigen_vectors"] *= 40  # so that both ends of the range are reached
    network = give_weights(empty_network(VGGishPca), weights)
    patch = torch.sin(torch.arange(2 * 96 * 64) * 0.01).reshape(2, 96, 64)
    with torch.inference_mode():
        found = network(patch).numpy()
        embeddings = VGGish.forward(network, patch).numpy().astype(np.float64)
    vectors, means = weights["pproc.pca_eigen_vectors"], weights["pproc.pca_means"]
    for row, said in zip(embeddings, found, strict=True):
        for k in range(128):
            component = sum(vectors[k, j] * (row[j] - means[j, 0]) for j in range(128))
            level = (min(2.0, max(-2.0, component)) + 2.0) * 255.0 / 4.0
            assert abs(said[k] - np.floor(level)) <= (abs(level - round(level)) < 1e-3)
    assert found.min() == 0
    assert found.max() == 255


def test_probabilities_of_classes_come_from_the_last_layer():
    table: list[tuple[Any, int]] = [(YAMNet, 521), (MobileNetV2, 1001), (InceptionV3, 1000)]
    for build, width in table:
        network = empty_network(build)
        layer = [m for m in network.modules() if isinstance(m, torch.nn.Linear)][-1]
        layer.to_empty(device="cpu")
        torch.nn.init.normal_(layer.weight, std=0.1)
        torch.nn.init.normal_(layer.bias)
        rows = torch.rand(3, layer.in_features)
        logits = (rows @ layer.weight.T + layer.bias).detach()
        found = network.scores(rows).detach()
        if build is YAMNet:
            torch.testing.assert_close(found, 1 / (1 + torch.exp(-logits)))
        else:
            powers = torch.exp(logits)
            torch.testing.assert_close(found, powers / powers.sum(dim=1, keepdim=True))
        assert found.shape == (3, width)
