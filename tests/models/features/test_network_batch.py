"""Pieces of items through a network: split, chunks, and bits that do not depend on others."""

import numpy as np
import pytest
import torch

from models.features import network_batch
from models.features.network_batch import through_network

ITEMS = [np.arange(n * 6, dtype=np.float32).reshape(n, 2, 3) + n for n in (3, 1, 5)]


class Recorder:
    """A network that notes the shapes it is given."""

    def __init__(self):
        self.shapes = []
        self.threads = set()

    def __call__(self, pieces):
        self.shapes.append(tuple(pieces.shape))
        self.threads.add(torch.get_num_threads())
        assert torch.is_inference_mode_enabled()
        return pieces.sum(dim=2) * 2.0


def expected():
    return [2.0 * item.sum(axis=2) for item in ITEMS]


@pytest.mark.parametrize(
    ("cpu_pieces", "shapes"),
    [(1, [(1, 2, 3)] * 9), (4, [(4, 2, 3)] * 3)],
)
def test_outputs_are_split_by_item_and_chunks_have_one_shape(cpu_pieces, shapes):
    network = Recorder()
    found = through_network(network, ITEMS, cpu_pieces=cpu_pieces)
    assert all(map(np.array_equal, found, expected()))
    assert network.shapes == shapes
    assert network.threads == {1}


def test_another_device_gets_pieces_of_all_items_together(monkeypatch):
    monkeypatch.setattr(network_batch, "GPU_PIECES", 4)
    network = Recorder()
    found = through_network(network, ITEMS, device="cpu:0")  # stands for a GPU
    assert all(map(np.array_equal, found, expected()))
    assert network.shapes == [(4, 2, 3), (4, 2, 3), (1, 2, 3)]


def test_an_item_has_the_same_bits_alone_and_in_a_batch():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(37, 301), torch.nn.Tanh(), torch.nn.Linear(301, 9)
    )
    rng = np.random.default_rng(0)
    items = [rng.normal(size=(n, 37)).astype(np.float32) for n in (1, 4, 2)]
    together = through_network(network, items)
    alone = [through_network(network, [item])[0] for item in items]
    assert all(map(np.array_equal, together, alone))


def test_threads_of_the_caller_are_left_as_they_were():
    before = torch.get_num_threads()
    through_network(Recorder(), ITEMS)
    assert torch.get_num_threads() == before
