"""Weights of the teachers in the real format, drawn at random."""

from pathlib import Path

import torch

from models.features.weights import write_weights
from models.networks.mobilenet_v2 import MobileNetV2
from models.networks.yamnet import YAMNet


def write_teachers(folder: Path) -> Path:
    """Write ``yamnet`` and ``mobilenet-v2``."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = {"yamnet": YAMNet(), "mobilenet-v2": MobileNetV2()}
    for name, network in networks.items():
        tensors = {key: value.numpy() for key, value in network.state_dict().items()}
        write_weights(folder, name, tensors, source="random", licence="CC0-1.0")
    return folder
