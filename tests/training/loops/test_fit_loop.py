"""The fit loop: when it stops, what it keeps, what it refuses, and that it repeats itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.errors import DataError
from tests.training.feature_sets import paired_features
from tests.training.loops.tiny_networks import Nearer, tiny
from training.loops.batches import Batch, BatchSource
from training.loops.checkpoints import Checkpoint
from training.loops.fit_loop import Phase, Tools, run_phase, seeded
from training.loops.gradient_config import GradientConfig
from training.loops.objective import Moment, Objective
from training.loops.schedule import learning_rate

CONFIG = tiny(GradientConfig, epochs=6, batch_size=24, schedule="constant")
PHASE = Phase("select", 6, seed=0, title="a fit", progress=False)


def _source(config=CONFIG):
    views = {n: v.only("train") for n, v in paired_features(seed=0).views.items()}
    return BatchSource(
        views,
        batch_size=config.batch_size,
        batches_per_epoch=0,
        balanced=config.balanced,
        shuffle=config.shuffle,
        device=torch.device("cpu"),
    )


def _objective(dropout=0.0):
    torch.manual_seed(0)
    return Nearer({"audio": 6, "visual": 5}, dropout)


def _weights(objective):
    return {name: tensor.clone() for name, tensor in objective.state_dict().items()}


def _assert_same(first, second):
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name])


class _Scores:
    """Gives written-out validation scores, and remembers the weights of every epoch."""

    def __init__(self, objective, scores):
        self.objective, self.scores, self.weights = objective, list(scores), []

    def __call__(self):
        self.weights.append(_weights(self.objective))
        return self.scores[len(self.weights) - 1]


def _run(scores, config=CONFIG, phase=PHASE, **tools):
    objective = _objective()
    validate = _Scores(objective, scores)
    state = run_phase(objective, _source(), config, phase, Tools(validate=validate, **tools))
    return objective, validate, state


def test_the_best_weights_are_in_the_network_at_the_end():
    objective, validate, state = _run([0.1, 0.5, 0.3, 0.5, 0.2, 0.1], replace(CONFIG, patience=6))
    assert (state.best_epoch, state.best_score) == (2, 0.5)
    _assert_same(objective.state_dict(), validate.weights[1])
    assert len({weights["network.encoders._modules_in_order.0.layers.1.weight"].sum().item()
                for weights in validate.weights}) == 6  # fmt: skip


@pytest.mark.parametrize(("patience", "n_epochs"), [(1, 3), (2, 4), (3, 5), (4, 6), (9, 6)])
def test_training_stops_after_so_many_epochs_without_a_better_score(patience, n_epochs):
    _, validate, state = _run([0.1, 0.5, 0.4, 0.5, 0.3, 0.2], replace(CONFIG, patience=patience))
    assert state.epoch == len(validate.weights) == n_epochs
    assert state.best_epoch == 2


def test_without_a_score_all_epochs_are_trained_and_the_last_weights_kept():
    objective = _objective()
    state = run_phase(objective, _source(), replace(CONFIG, patience=1), PHASE, Tools())
    assert (state.epoch, state.best_epoch, state.best_weights) == (6, 0, {})
    assert all("validation_score" not in entry for entry in state.history)
    shorter = _objective()
    run_phase(shorter, _source(), CONFIG, replace(PHASE, epochs=5), Tools())
    assert not torch.equal(*(next(o.parameters()) for o in (objective, shorter)))


def test_the_history_holds_loss_parts_rate_and_score_of_every_epoch():
    config = replace(CONFIG, schedule="cosine")
    _, _, state = _run([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], config)
    for number, entry in enumerate(state.history):
        assert entry["epoch"] == number + 1
        assert entry["loss"] == pytest.approx(entry["apart"] + entry["length"], rel=1e-5)
        assert entry["learning_rate"] == learning_rate(config, number)
        assert entry["validation_score"] == pytest.approx(0.1 * (number + 1))
    assert state.history[-1]["loss"] < state.history[0]["loss"]


def test_the_history_is_the_mean_over_the_batches():
    class Counting(Objective):
        def __init__(self):
            super().__init__(_objective().network)
            self.weight = torch.nn.Parameter(torch.zeros(()))
            self.n_batches = 0

        def loss(self, *_):
            self.n_batches += 1
            return {"number": torch.tensor(float(self.n_batches)) + 0.0 * self.weight}

    objective = Counting()
    state = run_phase(objective, _source(), CONFIG, replace(PHASE, epochs=1), Tools())
    assert objective.n_batches == 5  # 120 rows
    assert state.history[0]["number"] == 3.0


def test_the_network_is_in_training_mode_and_told_where_training_stands():
    objective = _objective()
    config = replace(CONFIG, epochs=4)
    run_phase(objective, _source(), config, replace(PHASE, epochs=2), Tools())
    moments = [moment for _, moment, _ in objective.seen]
    assert [moment.epoch for moment in moments] == [0] * 5 + [1] * 5
    assert {moment.progress for moment in moments} == {0.0, 0.25}  # of the configured number
    assert all(training for _, _, training in objective.seen)


def test_noise_of_the_asked_for_size_is_added_to_the_features_alone():
    seen = []
    for level in (0.0, 0.5):
        objective = _objective()
        run_phase(objective, _source(), replace(CONFIG, input_noise=level), PHASE, Tools())
        seen.append([batch for batch, _, _ in objective.seen])
    noise = torch.cat(
        [b.features["audio"] - a.features["audio"] for a, b in zip(*seen, strict=True)]
    )
    assert float(noise.std()) == pytest.approx(0.5, rel=0.05)
    assert abs(float(noise.mean())) < 0.05
    for a, b in zip(*seen, strict=True):
        assert torch.equal(a.labels["audio"], b.labels["audio"])
        assert torch.equal(a.own["visual"], b.own["visual"])


@pytest.mark.parametrize("clip", [0.0, 1e-3])
def test_a_gradient_is_no_longer_than_its_limit(clip):
    objective = _objective()
    run_phase(objective, _source(), replace(CONFIG, gradient_clip=clip), PHASE, Tools())
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    norm = float(torch.stack([g.norm() for g in gradients]).norm())
    assert (norm <= 1.0001e-3) == bool(clip)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    found = []
    for seed in (3, 3, 4):
        objective = _objective(dropout=0.5)
        run_phase(objective, _source(), CONFIG, replace(PHASE, seed=seed), Tools())
        found.append(next(objective.parameters()).detach())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_dropout_and_order_differ_from_epoch_to_epoch():
    objective = _objective()
    run_phase(objective, _source(), CONFIG, PHASE, Tools())
    first = [batch.features["audio"] for batch, moment, _ in objective.seen if not moment.epoch]
    later = [batch.features["audio"] for batch, moment, _ in objective.seen if moment.epoch == 1]
    assert not torch.equal(first[0], later[0])
    with seeded([0, 0]):
        a = torch.rand(3)
    with seeded([0, 1]):
        b = torch.rand(3)
    assert not torch.equal(a, b)


def _numpy_state():
    return np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002


def test_the_global_generators_are_left_as_they_were():
    torch.manual_seed(5)
    before, numpy_before = torch.get_rng_state(), _numpy_state()
    objective = Nearer({"audio": 6, "visual": 5}, dropout=0.5)
    torch.set_rng_state(before)
    run_phase(objective, _source(), replace(CONFIG, input_noise=0.1), PHASE, Tools())
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(_numpy_state(), numpy_before)


def test_generators_come_back_after_an_error():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="std"), seeded([1]):
        torch.rand(3).normal_(std=-1.0)
    assert torch.equal(torch.get_rng_state(), before)


class _InterruptedError(Exception):
    pass


def _stopping_at(call, scores):
    """Scores one after another; the call with this number is interrupted."""
    numbers = iter(range(len(scores)))

    def validate():
        number = next(numbers)
        if number == call:
            raise _InterruptedError
        return scores[number]

    return validate


@pytest.mark.parametrize("n_done", [0, 1, 3, 5])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, n_done):
    scores = [0.1, 0.5, 0.3, 0.2, 0.6, 0.4]
    config = replace(CONFIG, patience=6, schedule="cosine")
    whole = _objective(dropout=0.5)
    tools = Tools(validate=_stopping_at(None, scores))
    expected = run_phase(whole, _source(), config, PHASE, tools)

    path = tmp_path / "run.safetensors"
    tools = Tools(Checkpoint(path, "r"), validate=_stopping_at(n_done, scores))
    with pytest.raises(_InterruptedError):
        run_phase(_objective(dropout=0.5), _source(), config, PHASE, tools)
    resumed = _objective(dropout=0.5)
    checkpoint = Checkpoint(path, "r", resume=True)
    tools = Tools(checkpoint, validate=_stopping_at(None, scores[n_done:]))
    found = run_phase(resumed, _source(), config, PHASE, tools)

    _assert_same(whole.state_dict(), resumed.state_dict())
    assert found.history == expected.history
    assert found.best_epoch == expected.best_epoch == 5


@pytest.mark.parametrize("n_done", [1, 4])
def test_a_run_without_scores_goes_on_to_the_same_bits(tmp_path, n_done):
    whole, first, resumed = (_objective(dropout=0.5) for _ in range(3))
    expected = run_phase(whole, _source(), CONFIG, PHASE, Tools())
    path = tmp_path / "run.safetensors"
    tools = Tools(Checkpoint(path, "r"))
    run_phase(first, _source(), CONFIG, replace(PHASE, epochs=n_done), tools)
    tools = Tools(Checkpoint(path, "r", resume=True))
    found = run_phase(resumed, _source(), CONFIG, PHASE, tools)
    _assert_same(whole.state_dict(), resumed.state_dict())
    assert found.history == expected.history


def test_a_run_that_is_out_of_patience_does_not_go_on_when_resumed(tmp_path):
    path = tmp_path / "run.safetensors"
    config = replace(CONFIG, patience=2)
    first, _, state = _run([0.5, 0.4, 0.3], config, checkpoint=Checkpoint(path, "r"))
    again, validate, found = _run([], config, checkpoint=Checkpoint(path, "r", resume=True))
    assert validate.weights == []
    assert found.history == state.history
    _assert_same(first.state_dict(), again.state_dict())


def test_the_log_gets_every_epoch_under_the_name_of_the_phase():
    class Log:
        written = []  # noqa: RUF012

        def write(self, phase, entry):
            self.written.append((phase, entry["epoch"]))

    _run([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], log=Log())
    assert Log.written == [("select", epoch) for epoch in range(1, 7)]


def test_the_bar_tells_title_loss_and_best_score(capsys):
    _run([0.1, 0.2, 0.3, 0.4, 0.5, 0.625], phase=replace(PHASE, progress=True))
    shown = capsys.readouterr().err
    assert "a fit" in shown
    assert "6/6" in shown
    assert "best=0.6250" in shown
    run_phase(_objective(), _source(), CONFIG, replace(PHASE, progress=True), Tools())
    assert "best=" not in capsys.readouterr().err


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_refused_with_the_epoch(value):
    class Diverging(Nearer):
        def loss(self, batch, moment):
            parts = super().loss(batch, moment)
            return parts | ({"bad": parts["apart"] * value} if moment.epoch == 2 else {})

    objective = Diverging({"audio": 6, "visual": 5})
    with pytest.raises(DataError, match=r"not finite in epoch 2.*bad.*learning_rate"):
        run_phase(objective, _source(), CONFIG, PHASE, Tools())


def test_a_step_to_weights_that_are_not_finite_is_refused_even_if_it_is_the_last():
    class Cliff(Nearer):
        def loss(self, batch, moment):
            parts = super().loss(batch, moment)
            return {**parts, "root": (0.0 * parts["apart"]).sqrt()}  # 0, its gradient is not

    config = replace(CONFIG, batch_size=500)
    objective = Cliff({"audio": 6, "visual": 5})
    with pytest.raises(DataError, match="smaller learning_rate"):
        run_phase(objective, _source(config), config, replace(PHASE, epochs=1), Tools())


class _Silent(Nearer):
    """Has something to learn from the first batch of an epoch only, or from none."""

    def __init__(self, dimensions, *, first):
        super().__init__(dimensions)
        self._first = first

    def loss(self, batch, moment):
        parts = super().loss(batch, moment)
        epochs = [m.epoch for _, m, _ in self.seen]
        return parts if self._first and epochs.count(moment.epoch) == 1 else {}


def test_a_batch_without_a_loss_is_passed_over():
    objective = _Silent({"audio": 6, "visual": 5}, first=True)
    before = _weights(objective)
    state = run_phase(objective, _source(), CONFIG, PHASE, Tools())
    entry = state.history[0]
    assert entry["loss"] == pytest.approx(float(entry["apart"]) + float(entry["length"]))
    assert not torch.equal(next(iter(before.values())), next(objective.parameters()))


def test_an_epoch_without_any_loss_is_refused():
    objective = _Silent({"audio": 6, "visual": 5}, first=False)
    with pytest.raises(DataError, match="larger batch_size"):
        run_phase(objective, _source(), CONFIG, PHASE, Tools())


def test_an_objective_must_say_its_loss_and_its_head():
    objective = Objective(_objective().network)
    with pytest.raises(NotImplementedError):
        objective.loss(Batch({}, {}, {}), Moment(0.0, 0))
    with pytest.raises(NotImplementedError):
        objective.head({}, {})
