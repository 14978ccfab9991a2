"""From a gradient method to a space: epochs from validation, refit, checkpoints, kills."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.cca.unit_rows import unit_rows
from models.checkpoint import load_tensors
from models.errors import DataError
from models.network_space import NetworkSpace
from tests.training.feature_sets import paired_features, unpaired_features, without_labels
from tests.training.loops.tiny_networks import Nearer, problem_of, tiny
from training.datasets.hide_labels import hide_labels
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.protocol import evaluate, validation_score
from training.loops import network_recipe
from training.loops.checkpoints import Checkpoint
from training.loops.contrastive_recipe import ContrastiveConfig, fit_contrastive
from training.loops.deep_cca_recipe import DeepCCAConfig, fit_cluster_dcca, fit_dcca
from training.loops.gradient_config import GradientConfig
from training.loops.network_problem import pose_problem
from training.loops.network_recipe import Plan, embed_rows, fit_network
from training.loops.recipe import FitContext
from training.loops.registry import RECIPES
from training.loops.schedule import learning_rate

ROOT = Path(__file__).parents[3]
CONFIG = tiny(ContrastiveConfig, epochs=5, patience=5, batch_size=24, dropout=0.3)
DATA = paired_features(seed=0).for_selection()
QUIET = FitContext(progress=False)


def fit(config=CONFIG, data=DATA, **context):
    """Fit with one thread: the order of sums, so the last bits, depends on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            return fit_contrastive(data, config, FitContext(progress=False, **context))
    finally:
        torch.set_num_threads(before)


def _same(first, second):
    a, b = first.space.tensors(), second.space.tensors()
    assert a.keys() == b.keys()
    return all(np.array_equal(a[name], b[name]) for name in a)


def _near_plan(**changes):
    """A plan whose objective can be looked at."""
    built = []

    def build(problem, config):
        del config
        dimensions = {name: view.dimension for name, view in problem.views.items()}
        built.append(Nearer(dimensions, dropout=0.3))
        return built[-1]

    return Plan("near", build, **changes), built


@pytest.fixture(scope="module")
def whole():
    return fit()


def test_the_best_epoch_on_validation_is_refitted_with_train_and_validation_rows(whole):
    scores = [e["validation_score"] for e in whole.history if "validation_score" in e]
    best = int(np.argmax(scores)) + 1
    assert whole.parameters["best_epoch"] == best
    assert whole.parameters["validation_score"] == round(max(scores), 6)
    refit = [entry for entry in whole.history if entry.get("phase") == "refit"]
    assert [entry["epoch"] for entry in refit] == list(range(1, best + 1))
    falling = replace(CONFIG, epochs=best)
    expected = [learning_rate(falling, epoch) for epoch in range(best)]
    assert [entry["learning_rate"] for entry in refit] == expected
    plan, built = _near_plan()
    fit_network(plan, DATA, tiny(GradientConfig, epochs=2, batch_size=500), QUIET)
    select, refitted = built
    assert {len(batch.own["audio"]) for batch, _, _ in select.seen} == {120}
    assert {len(batch.own["audio"]) for batch, _, _ in refitted.seen} == {160}


@pytest.mark.parametrize("method", ["dcca", "c-dcca", "vae-cca", "tnn-c-cca", "contrastive"])
def test_divergence_is_said_whichever_routine_meets_it(method):
    found = RECIPES[method]
    config = tiny(found.config, learning_rate=1e30, gradient_clip=0.0, weight_decay=0.0)
    with pytest.raises(DataError, match=r"finite in epoch \d+.*learning_rate"):
        found.fit(DATA, config, QUIET)


def test_without_a_refit_the_best_weights_of_the_selection_are_the_space():
    plan, built = _near_plan()
    config = tiny(GradientConfig, epochs=4, refit=False)
    result = fit_network(plan, DATA, config, QUIET)
    (objective,) = built
    problem = problem_of(DATA)
    embedded = {n: unit_rows(x) for n, x in embed_rows(objective, problem.validation).items()}
    found = validation_score(embedded, problem.validation, use_labels=True)
    assert found == pytest.approx(float(result.parameters["validation_score"]), abs=1e-6)
    assert len(result.history) <= 4
    assert all("phase" not in entry for entry in result.history)


def test_the_parameters_hold_every_setting_as_a_manifest_keeps_it(whole):
    assert whole.parameters["hidden"] == "8"
    assert whole.parameters["epochs"] == 5
    assert whole.parameters["schedule"] == CONFIG.schedule
    assert all(isinstance(value, int | float | str) for value in whole.parameters.values())


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(whole):
    assert _same(whole, fit())
    assert whole.history == fit().history
    assert not _same(whole, fit(seed=1))


def test_the_state_of_the_global_generator_neither_matters_nor_changes(whole):
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert _same(whole, fit())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_space_embeds_as_the_trained_network_does():
    plan, built = _near_plan()
    result = fit_network(plan, DATA, tiny(GradientConfig, epochs=1), QUIET)
    assert isinstance(result.space, NetworkSpace)
    problem = pose_problem(DATA, sequences=False, join=True)
    for name, rows in embed_rows(built[-1], problem.train).items():
        found = result.space.project(name, DATA.views[name].features)
        np.testing.assert_allclose(found, unit_rows(rows), atol=1e-5)


def test_a_head_of_the_outputs_is_part_of_the_space():
    config = tiny(DeepCCAConfig, refit=False)
    result = fit_cluster_dcca(DATA, config, QUIET)
    validation = {name: view.only("validation") for name, view in DATA.views.items()}
    embedded = {n: result.space.project(n, v.features) for n, v in validation.items()}
    found = validation_score(embedded, validation, use_labels=True)
    assert found == pytest.approx(float(result.parameters["validation_score"]), abs=1e-4)


def test_rows_are_embedded_in_parts_of_bounded_size(monkeypatch):
    problem = problem_of(DATA)
    objective = Nearer({"audio": 6, "visual": 5})
    sizes = []
    monkeypatch.setattr(network_recipe, "ROWS_AT_ONCE", 50)
    objective.encoders.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[1])))
    parts = embed_rows(objective, problem.train)
    assert sizes == [50, 50, 20] * 2
    monkeypatch.setattr(network_recipe, "ROWS_AT_ONCE", 4096)
    for name, rows in embed_rows(objective, problem.train).items():
        np.testing.assert_allclose(parts[name], rows, atol=1e-6)
        assert rows.dtype == np.float32


def test_a_method_without_labels_does_not_look_at_them():
    config = tiny(DeepCCAConfig, balanced=True)
    data = hide_labels(paired_features(seed=0), share=0.6, seed=0).for_selection()
    with_labels = fit_dcca(DATA, config, QUIET)
    assert _same(with_labels, fit_dcca(data, config, QUIET))
    assert _same(with_labels, fit_dcca(without_labels(DATA), config, QUIET))


@pytest.mark.parametrize(
    ("uses_labels", "data", "measured_by_labels"),
    [
        (True, DATA, True),
        (False, DATA, False),
        (False, unpaired_features(seed=0).for_selection(), True),
    ],
    ids=["with labels", "without labels", "without labels and without validation pairs"],
)
def test_a_method_without_labels_is_stopped_by_pairs_where_there_are_any(
    monkeypatch, uses_labels, data, measured_by_labels
):
    asked = []

    def score(embedded, views, *, use_labels):
        asked.append(use_labels)
        return 0.5

    monkeypatch.setattr(network_recipe, "validation_score", score)
    plan, _ = _near_plan(uses_labels=uses_labels)
    fit_network(plan, data, tiny(GradientConfig, epochs=1), QUIET)
    assert asked == [measured_by_labels]


def test_cuda_where_there_is_none_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DataError, match=r"CUDA device.*found none; use 'auto'"):
        fit(replace(CONFIG, device="cuda"))


def test_auto_takes_the_cpu_where_there_is_no_cuda(monkeypatch, whole):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = fit(replace(CONFIG, device="auto"))
    assert _same(whole, found)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method", [fit_contrastive, fit_cluster_dcca])
def test_mixed_precision_on_cuda_gives_a_space_of_full_precision(method):
    before = torch.cuda.get_rng_state()
    kind = ContrastiveConfig if method is fit_contrastive else DeepCCAConfig
    config = tiny(kind, device="cuda", mixed_precision=True, epochs=5)
    result = method(DATA, config, QUIET)
    assert torch.equal(torch.cuda.get_rng_state(), before)
    floats = [t for t in result.space.tensors().values() if t.dtype.kind == "f"]
    assert all(t.dtype == np.float32 and np.isfinite(t).all() for t in floats)
    for direction in evaluate(result.space, DATA, split="validation"):
        assert direction.scores.map > direction.chance.map


def test_the_history_is_written_for_tensorboard_where_it_is_asked_for(tmp_path):
    fit(replace(CONFIG, log="tensorboard"), folder=tmp_path)
    (events,) = (tmp_path / "log").iterdir()
    content = events.read_bytes()
    for tag in (b"select/validation_score", b"select/loss", b"refit/loss"):
        assert tag in content
    assert sorted(tmp_path.iterdir()) == [tmp_path / "log"]


def test_without_a_folder_a_log_goes_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(replace(CONFIG, log="tensorboard", epochs=1))
    assert list(tmp_path.iterdir()) == []


class _StoppedError(Exception):
    pass


def _stop_in(monkeypatch, phase, epoch):
    """Interrupt training behind the checkpoint of an epoch."""
    whole_save = Checkpoint.save

    def save(self, objective, optimiser, state):
        whole_save(self, objective, optimiser, state)
        if phase in str(self._path) and state.epoch == epoch:
            raise _StoppedError

    monkeypatch.setattr(Checkpoint, "save", save)


def _stopped(monkeypatch, folder, phase, epoch, **changes):
    with monkeypatch.context() as patch:
        _stop_in(patch, phase, epoch)
        with pytest.raises(_StoppedError):
            fit(folder=folder, **changes)


def _files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_keeps_a_checkpoint_of_each_phase_until_it_is_complete(tmp_path, monkeypatch, whole):
    _stopped(monkeypatch, tmp_path, "refit", 1)
    assert _files(tmp_path) == ["checkpoint_refit.safetensors", "checkpoint_select.safetensors"]
    found = fit(folder=tmp_path, resume=True)
    assert _same(whole, found)
    assert found.history == whole.history
    assert found.parameters == whole.parameters
    assert _files(tmp_path) == []


def test_a_run_that_does_not_resume_starts_from_the_first_epoch(tmp_path, monkeypatch, whole):
    _stopped(monkeypatch, tmp_path, "refit", 1)
    assert _same(whole, fit(folder=tmp_path))


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},
        {"config": replace(CONFIG, temperature=0.3)},
        {"data": paired_features(seed=1).for_selection()},
        {"data": hide_labels(paired_features(seed=0), share=0.5, seed=0).for_selection()},
    ],
    ids=["seed", "settings", "features", "labels"],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, monkeypatch, other):
    _stopped(monkeypatch, tmp_path, "select", 2)
    with pytest.raises(DataError, match="belongs to a run with other settings or data"):
        fit(folder=tmp_path, resume=True, **other)


def test_what_another_run_left_does_not_stop_a_new_one_from_being_resumed(
    tmp_path, monkeypatch, whole
):
    _stopped(monkeypatch, tmp_path, "refit", 1, seed=7)
    _stopped(monkeypatch, tmp_path, "select", 3)  # a new run, not resumed
    assert _same(whole, fit(folder=tmp_path, resume=True))


def test_a_damaged_checkpoint_is_refused_and_stays(tmp_path, monkeypatch):
    _stopped(monkeypatch, tmp_path, "select", 3)
    path = tmp_path / "checkpoint_select.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"checkpoint_select\.safetensors.*without --resume"):
        fit(folder=tmp_path, resume=True)
    assert path.exists()


# At which call a process is killed, and the epochs that are then on disk. The selection has 5
# epochs of 5 batches, the refit epochs of 7.
BEST = None  # the number of epochs that the selection finds
KILLS: dict[str, tuple[str, int, dict[str, int | None]]] = {
    "in the first epoch": ("loss", 3, {}),
    "in the third epoch": ("loss", 12, {"select": 2}),
    "while the second checkpoint is half written": ("write", 2, {"select": 1}),
    "behind the second checkpoint": ("saved", 2, {"select": 2}),
    "in the first epoch of the refit": ("loss", 28, {"select": 5}),
    "while the first checkpoint of the refit is half written": ("write", 6, {"select": 5}),
    "behind the first checkpoint of the refit": ("saved", 6, {"select": 5, "refit": 1}),
    "when all is trained": ("space", 1, {"select": 5, "refit": BEST}),
}
PROGRAM = """
    import os, signal, sys
    from pathlib import Path
    import torch._dynamo  # as the first step of an optimiser does, once for all
    import models.checkpoint
    from tests.training.loops import test_network_recipe as tests
    from training.loops import network_recipe
    from training.loops.checkpoints import Checkpoint
    from training.loops.contrastive_recipe import Contrastive

    def killing(function, number, behind=False, before_death=lambda *_: None):
        calls = []
        def wrapped(*values, **named):
            calls.append(None)
            if len(calls) == number and not behind:
                before_death(*values)
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*values, **named)
            if len(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result
        return wrapped

    def arm(moment, number):
        if moment == "loss":
            Contrastive.loss = killing(Contrastive.loss, number)
        if moment == "write":
            half = lambda file: os.ftruncate(file, os.fstat(file).st_size // 2)
            models.checkpoint.os.fsync = killing(os.fsync, number, before_death=half)
        if moment == "saved":
            Checkpoint.save = killing(Checkpoint.save, number, behind=True)
        if moment == "space":
            network_recipe._space = killing(network_recipe._space, number)

    for line in sys.stdin:
        folder, moment, number = line.split()
        child = os.fork()
        if not child:
            arm(moment, int(number))
            tests.fit(folder=Path(folder))
            os._exit(0)
        print(os.WTERMSIG(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders of runs that were killed, each in a process of its own."""
    folders = {name: tmp_path_factory.mktemp("killed") for name in KILLS}
    lines = [f"{folders[name]} {KILLS[name][0]} {KILLS[name][1]}" for name in KILLS]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == [str(int(signal.SIGKILL))] * len(KILLS), done.stderr
    return folders


def _epochs_in(path):
    return json.loads(load_tensors(path)["meta"].tobytes())["epoch"]


@pytest.mark.slow
@pytest.mark.parametrize("moment", KILLS)
def test_a_killed_run_leaves_its_last_epoch_and_goes_on_to_the_same_bits(killed, whole, moment):
    folder = killed[moment]
    *_, epochs = KILLS[moment]
    assert {
        path.stem.removeprefix("checkpoint_"): _epochs_in(path)
        for path in folder.glob("checkpoint_*.safetensors")
    } == {phase: n or whole.parameters["best_epoch"] for phase, n in epochs.items()}
    half_written = list(folder.glob(".*"))
    assert bool(half_written) == ("half written" in moment)
    found = fit(folder=folder, resume=True)
    assert _same(whole, found)
    assert found.history == whole.history
    assert _files(folder) == []


def test_the_strength_of_dropout_with_the_best_validation_score_is_refitted(tmp_path):
    config = replace(CONFIG, dropout=0.8, dropout_factors=(1.0, 0.25))
    found = fit(config, folder=tmp_path)
    alone = [fit(config.with_dropout(factor)) for factor in config.dropout_factors]
    best = max(alone, key=lambda result: result.parameters["validation_score"])
    assert found.parameters == best.parameters
    assert _same(found, best)
    strengths = {entry["dropout"] for entry in found.history if "validation_score" in entry}
    assert strengths == {0.8, 0.2}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("factors", [(), (1.5,), (-0.1,)])
def test_strengths_of_dropout_out_of_range_are_refused(factors):
    with pytest.raises(DataError, match="dropout_factors"):
        replace(CONFIG, dropout_factors=factors)
