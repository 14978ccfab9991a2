"""Pieces of many files through networks: order, batches, failures, memory."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from models.errors import ArtefactError, DataError, MediaError
from models.features.steps import resample_steps
from models.types import Modality
from training.datasets.example import Example
from training.extraction_workers import Outcome
from training.network_stage import NetworkOptions, NetworkStage, chosen_device

AUDIO, IMAGE, LYRICS = Modality.AUDIO, Modality.IMAGE, Modality.LYRICS
GPU = "cuda"  # the network here only notes where it should run


class Doubler:
    """A network that gives twice the mean of an item's pieces, or twice each piece."""

    def __init__(self, failing=(), error=ValueError):
        self.batches = []
        self.device = None
        self.failing = failing
        self.error = error

    def to(self, device):
        self.device = device

    def forward(self, batch, *, sequence=False):
        self.batches.append([len(pieces) for pieces in batch])
        if any(pieces[0, 0] in self.failing for pieces in batch):
            raise self.error("expected another piece")
        return [2.0 * (pieces if sequence else pieces.mean(axis=0)) for pieces in batch]


def outcome(number, modality=IMAGE, pieces=1):
    return Outcome(
        Example(str(number), modality, data=b"x"),
        np.arange(pieces * 2, dtype=np.float32).reshape(pieces, 2) + number,
    )


def stage_of(network, **options):
    networks: dict[Modality, Any] = {IMAGE: network}
    return NetworkStage(networks, NetworkOptions(**options))


def run(network, outcomes, **options):
    return list(stage_of(network, **options).map(outcomes))


def assert_finished(found, outcomes, *, expected=lambda pieces: 2.0 * pieces.mean(axis=0)):
    assert [one.example for one in found] == [one.example for one in outcomes]
    for one, before in zip(found, outcomes, strict=True):
        if isinstance(before.result, MediaError) or before.example.modality != IMAGE:
            assert one.result is before.result
        else:
            np.testing.assert_array_equal(one.result, expected(before.result))


MIXED = [
    outcome(1),
    Outcome(Example("bad", IMAGE, data=b"x"), MediaError("damaged", "expected a picture")),
    outcome(2, AUDIO),
    outcome(3, IMAGE, pieces=5),
    outcome(4, LYRICS),
    outcome(5),
]


@pytest.mark.parametrize("options", [{"threads": 3}, {"device": GPU, "batch": 4}])
def test_order_errors_and_features_of_others_are_kept(options):
    assert_finished(run(Doubler(), MIXED, **options), MIXED)


def test_a_cpu_takes_one_file_at_a_time():
    network = Doubler()
    outcomes = [outcome(number, pieces=number % 3 + 1) for number in range(9)]
    assert_finished(run(network, outcomes, threads=2), outcomes)
    assert sorted(network.batches) == [[1]] * 3 + [[2]] * 3 + [[3]] * 3
    assert network.device == "cpu"


def test_a_gpu_takes_files_together_until_the_batch_is_full():
    network = Doubler()
    outcomes = [outcome(number, pieces=n) for number, n in enumerate([2, 1, 2, 7, 1, 1])]
    assert_finished(run(network, outcomes, device=GPU, batch=4), outcomes)
    assert network.batches == [[2, 1, 2], [7], [1, 1]]
    assert network.device == GPU


def test_steps_are_resampled():
    outcomes = [outcome(1, pieces=6), outcome(2, pieces=2)]
    found = run(Doubler(), outcomes, steps=3)
    assert_finished(found, outcomes, expected=lambda pieces: resample_steps(2.0 * pieces, 3))


@pytest.mark.parametrize("options", [{"threads": 2}, {"device": GPU, "batch": 8}])
def test_an_item_that_fails_costs_nothing_but_itself(options):
    outcomes = [outcome(number) for number in range(8)]
    found = run(Doubler(failing={3.0}), outcomes, **options)
    assert isinstance(found[3].result, MediaError)
    assert "ValueError: expected another piece" in str(found[3].result)
    del found[3], outcomes[3]
    assert_finished(found, outcomes)


def test_features_that_are_not_finite_are_an_error_of_the_file():
    (found,) = run(Doubler(), [Outcome(outcome(1).example, np.full((1, 2), np.inf))])
    assert isinstance(found.result, MediaError)
    assert "NaN or infinity" in str(found.result)


def test_changed_weights_stop_the_run():
    with pytest.raises(ArtefactError):
        run(Doubler(failing={1.0}, error=ArtefactError), [outcome(0), outcome(1)])


@pytest.mark.parametrize(
    ("options", "most"), [({"threads": 2}, 8), ({"device": GPU, "batch": 4}, 16)]
)
def test_no_more_than_a_few_files_are_taken_ahead(options, most):
    taken = []

    def many():
        for number in range(1000):
            taken.append(number)
            yield outcome(number)

    next(iter(stage_of(Doubler(), **options).map(many())))
    assert len(taken) <= most


def test_files_without_pieces_do_not_pile_up_behind_a_batch():
    taken = []

    def many():
        for number in range(1000):
            taken.append(number)
            yield outcome(number, AUDIO if number else IMAGE)

    next(iter(stage_of(Doubler(), device=GPU, batch=4).map(many())))
    assert len(taken) < 50


def test_threads_end_with_the_run(monkeypatch):
    made = []
    module = sys.modules[NetworkStage.__module__]

    def noted(*arguments, **words):
        made.append(ThreadPoolExecutor(*arguments, **words))
        return made[-1]

    monkeypatch.setattr(module, "ThreadPoolExecutor", noted)
    rows: Any = stage_of(Doubler(), threads=2).map(outcome(number) for number in range(1000))
    next(rows)
    rows.close()
    assert made[0]._shutdown
    assert not any(thread.is_alive() for thread in made[0]._threads)


def test_the_device_is_one_that_is_there():
    assert chosen_device("cpu") == "cpu"
    assert chosen_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(DataError, match="expected auto, cpu or cuda"):
        chosen_device("tpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="PyTorch sees none; use --device cpu"):
        chosen_device("cuda")
