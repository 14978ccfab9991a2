"""Checkpoints: what is read is what was written, and nothing else is taken for it."""

import numpy as np
import pytest
import torch

from models.checkpoint import save_tensors
from models.errors import DataError
from tests.training.loops.tiny_networks import START, Nearer, random_batch
from training.loops.checkpoints import Checkpoint, LoopState


def _run(seed=0):
    torch.manual_seed(seed)
    objective = Nearer({"audio": 6, "visual": 5})
    objective.buffer = torch.nn.BatchNorm1d(2)  # has a tensor without axes
    return objective, torch.optim.AdamW(objective.parameters(), lr=0.1, weight_decay=0.01)


def _step(objective, optimiser, seed):
    optimiser.zero_grad()
    loss = sum(objective.loss(random_batch(seed=seed), START).values())
    loss.backward()
    optimiser.step()
    return float(loss.detach())


def _trained(path, n_epochs=3):
    objective, optimiser = _run()
    state = LoopState()
    checkpoint = Checkpoint(path, "this run")
    for epoch in range(n_epochs):
        state.record({"loss": _step(objective, optimiser, epoch)}, 0.1, 1.0 - epoch, objective)
        checkpoint.save(objective, optimiser, state)
    return objective, optimiser, state


def _assert_same_weights(first, second):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        np.testing.assert_array_equal(tensor.numpy().ravel(), second[name].numpy().ravel())


def test_a_restored_run_goes_on_with_the_same_bits(tmp_path):
    path = tmp_path / "deep" / "run.safetensors"
    objective, optimiser, state = _trained(path)
    other, other_optimiser = _run(seed=1)
    found = Checkpoint(path, "this run", resume=True).restore(other, other_optimiser)
    assert (found.epoch, found.best_epoch, found.best_score) == (3, 1, 1.0)
    assert found.history == state.history
    _assert_same_weights(found.best_weights, state.best_weights)
    _assert_same_weights(other.state_dict(), objective.state_dict())
    for seed in (10, 11):
        assert _step(objective, optimiser, seed) == _step(other, other_optimiser, seed)
    _assert_same_weights(other.state_dict(), objective.state_dict())


def test_a_state_without_a_score_is_kept_as_it_is(tmp_path):
    objective, optimiser = _run()
    state = LoopState()
    state.record({"loss": _step(objective, optimiser, 0)}, 0.1, None, objective)
    path = tmp_path / "run.safetensors"
    Checkpoint(path, "this run").save(objective, optimiser, state)
    found = Checkpoint(path, "this run", resume=True).restore(*_run())
    assert found == state
    assert found.best_weights == {}
    assert found.best_score == -np.inf


def test_weights_are_kept_when_they_are_better_only():
    objective, optimiser = _run()
    state, weights = LoopState(), {}
    for score in (0.5, 0.5, 0.7, 0.6):
        _step(objective, optimiser, 0)
        state.record({}, 0.1, score, objective)
        weights[score] = {name: x.clone() for name, x in objective.state_dict().items()}
    assert (state.epoch, state.best_epoch, state.best_score) == (4, 3, 0.7)
    _assert_same_weights(state.best_weights, weights[0.7])
    assert [entry["validation_score"] for entry in state.history] == [0.5, 0.5, 0.7, 0.6]


def test_one_lucky_epoch_does_not_win_when_scores_are_smoothed():
    objective, _ = _run()
    state = LoopState()
    for score in (0.1, 0.9, 0.2, 0.6, 0.7, 0.6):
        state.record({}, 0.1, score, objective, smoothing=3)
    assert state.best_epoch == 6
    assert state.best_score == pytest.approx((0.6 + 0.7 + 0.6) / 3)


@pytest.mark.parametrize("folder", [True, False])
def test_a_run_that_does_not_resume_starts_fresh(tmp_path, folder):
    path = tmp_path / "run.safetensors"
    _trained(path)
    objective, optimiser = _run(seed=1)
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    checkpoint = Checkpoint(path if folder else None, "this run", resume=not folder)
    assert checkpoint.restore(objective, optimiser) == LoopState()
    _assert_same_weights(objective.state_dict(), before)


def test_resuming_where_there_is_no_file_starts_fresh(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run.safetensors", "this run", resume=True)
    assert checkpoint.restore(*_run()) == LoopState()


def test_the_file_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    _trained(path)
    with pytest.raises(DataError, match=r"run\.safetensors belongs to a run with other settings"):
        Checkpoint(path, "another run", resume=True).restore(*_run())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = tmp_path / "run.safetensors"
    _trained(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=r"expected the checkpoint.*run\.safetensors.*--resume"):
        Checkpoint(path, "this run", resume=True).restore(*_run())


@pytest.mark.parametrize("meta", [None, b"no JSON", b"\xff"])
def test_tensors_that_are_no_checkpoint_are_refused(tmp_path, meta):
    path = tmp_path / "run.safetensors"
    tensors = {"weights": np.zeros(3, dtype=np.float32)}
    if meta is not None:
        tensors["meta"] = np.frombuffer(meta, dtype=np.uint8)
    save_tensors(path, tensors)
    with pytest.raises(DataError, match="expected the checkpoint of a training run"):
        Checkpoint(path, "this run", resume=True).restore(*_run())


def test_removing_takes_the_file_and_what_a_killed_writer_left_and_nothing_else(tmp_path):
    path = tmp_path / "run.safetensors"
    _trained(path)
    (tmp_path / ".run.safetensors.a1b2").write_bytes(b"half")
    kept = [tmp_path / "other.safetensors", tmp_path / ".run", tmp_path / "manifest.json"]
    for file in kept:
        file.touch()
    checkpoint = Checkpoint(path, "this run")
    checkpoint.remove()
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    checkpoint.remove()  # twice is as good as once


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _trained(None)
    Checkpoint(None, "this run").remove()
    assert list(tmp_path.iterdir()) == []
