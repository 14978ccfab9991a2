"""Batches of pieces: every file once an epoch, pieces beside their own labels."""

import numpy as np
import torch

from training.feature_networks.config import FeatureNetworkConfig
from training.feature_networks.labelled_media import LabelledFile
from training.feature_networks.source import PieceSource

FILES = [LabelledFile(b"", k % 2, k % 3) for k in range(50)]


class Numbered:
    """Two pieces a file, each holding the number of the file."""

    def whole(self, number):
        return np.full((2, 3), number, np.float32)

    def draw(self, number, rng, *, augment):
        return self.whole(number)


def batches(seed, teacher=None):
    source = PieceSource(FILES, Numbered(), FeatureNetworkConfig(batch_size=4), teacher)
    return list(source.epoch(np.random.default_rng(seed)))


def test_every_piece_comes_once_with_the_labels_of_its_file():
    dealt = batches(0)

    numbers = torch.cat([batch.features["pieces"][:, 0] for batch in dealt]).long()
    tasks = torch.cat([batch.labels["task"] for batch in dealt])
    labels = torch.cat([batch.labels["class"] for batch in dealt])
    assert sorted(numbers.tolist()) == sorted([*range(50), *range(50)])
    assert tasks.tolist() == [k % 2 for k in numbers.tolist()]
    assert labels.tolist() == [k % 3 for k in numbers.tolist()]


def test_batches_mix_files_and_follow_the_seed():
    numbers = [batch.features["pieces"][:, 0].tolist() for batch in batches(0)]

    assert np.mean([len(set(one)) for one in numbers]) > 3.0
    assert numbers == [batch.features["pieces"][:, 0].tolist() for batch in batches(0)]
    assert numbers != [batch.features["pieces"][:, 0].tolist() for batch in batches(1)]


def test_the_teacher_sees_the_pieces_and_the_numbers_of_their_files():
    def teacher(pieces, numbers):
        assert torch.equal(pieces[:, 0].long(), numbers)
        return pieces * 2

    for batch in batches(0, teacher):
        assert torch.equal(batch.features["teacher"], 2 * batch.features["pieces"])
