"""UGAAR: ground truth against our CCA, terms against loops, ablations, retrieval, resuming."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.cca.linear_cca import fit_linear_cca
from models.errors import DataError
from tests.training.feature_sets import SPLITS, paired_features, unpaired_features, without_labels
from tests.training.loops.naive_losses import partner_triplets, squared, unit
from tests.training.loops.tiny_networks import evaluated, outputs_of, problem_of, random_batch, tiny
from training.datasets.disturb import drop_partners
from training.datasets.feature_data import FeatureData, FeatureView
from training.evaluation.comparison_report.threads import one_thread
from training.evaluation.protocol import INSTANCE, evaluate
from training.loops import fit_loop, network_recipe, ugaar_recipe
from training.loops.batches import Batch
from training.loops.ground_truth import ground_truth_pair
from training.loops.network_problem import pose_problem
from training.loops.objective import Moment
from training.loops.recipe import FitContext
from training.loops.registry import RECIPES
from training.loops.ugaar_recipe import (
    UgaarConfig,
    UgaarInfoNceConfig,
    fit_ugaar,
)
from training.losses.adversarial import reversal_weight

QUIET = FitContext(progress=False)
DATA = without_labels(paired_features(seed=0, dimensions=(6, 5, 4))).for_selection()
TWO_VIEWS = without_labels(paired_features(seed=0)).for_selection()
CONFIG = tiny(UgaarConfig, dropout=0.0, input_dropout=0.0, generator=(4,), noise=2)
ALL = replace(CONFIG, anchor=0.9, transfer=0.7, adversary=0.3, pair_weight=0.4)
FULL = (6, 5, 4)


def songs(*, seed=0, n_rows=400):
    """Audio and score share eight strong latents; the words show five of them, one squared."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_rows, 8))
    said = np.concatenate([hidden[:, :4], hidden[:, 4:5] ** 2], axis=1)
    ids = np.array([f"song-{i:03d}" for i in range(n_rows)])
    split = np.array([SPLITS[i % 5] for i in range(n_rows)])
    views = {}
    for name, rows in (("lyrics", said), ("score", hidden), ("audio", hidden)):
        x = rows @ rng.normal(size=(rows.shape[1], 16)) + 0.3 * rng.normal(size=(n_rows, 16))
        views[name] = FeatureView(x.astype(np.float32), ids, None, split)
    return FeatureData(views, (), "made here", "CC0")


def _objective(config=CONFIG, data=DATA):
    torch.manual_seed(0)
    return ugaar_recipe._build(problem_of(data), config)


def _names(config, data=DATA):
    objective = _objective(config, data)
    dimensions = tuple(view.features.shape[1] for view in data.views.values())
    return set(evaluated(objective, random_batch(seed=1, size=12, dimensions=dimensions)))


@pytest.mark.parametrize(("power", "constant"), [(0.0, 0.0), (1.0, 0.0), (1.0, 0.8)])
def test_the_ground_truth_is_our_cca_of_the_train_rows(power, constant):
    data = songs()
    n_components = 5 if constant else 4
    config = replace(
        CONFIG, ridge=0.5, correlation_power=power, n_components=n_components, constant=constant
    )
    problem = pose_problem(data.for_selection(), sequences=False)
    truth = ugaar_recipe._build(problem, config).ground_truth
    assert truth is not None
    rows = []
    for name in ("audio", "score"):  # by hand: standardise by the train rows, unit mean variance
        x = data.views[name].only("train").features.astype(np.float64)
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        rows.append(x / np.sqrt(x.var(axis=0).mean()))
    solved = fit_linear_cca(rows, n_components=4, ridge=0.5)
    expected = [
        (x - m) @ w * solved.correlations**power
        for x, m, w in zip(rows, solved.means, solved.weights, strict=True)
    ]
    expected = np.stack(expected) / np.sqrt(np.mean(np.square(expected)))
    for name, wanted in zip(("audio", "score"), expected, strict=True):
        found = truth(name, torch.from_numpy(problem.train[name].features)).numpy()
        np.testing.assert_allclose(found[:, :4], wanted, atol=2e-4)
        assert found.shape == (240, n_components)
        assert (found[:, 4:] == np.float32(constant)).all()


def test_validation_and_test_rows_do_not_move_the_ground_truth():
    data = songs()
    views = {}
    for name, view in data.views.items():
        factors = np.where(view.split == "train", 1.0, 9.0).astype(np.float32)
        views[name] = replace(view, features=view.features * factors[:, None])
    first, second = (
        ugaar_recipe._build(pose_problem(one.for_selection(), sequences=False), CONFIG)
        for one in (data, replace(data, views=views))
    )
    assert first.ground_truth is not None
    assert second.ground_truth is not None
    pairs = zip(first.ground_truth.buffers(), second.ground_truth.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_training_does_not_change_the_ground_truth():
    objective = _objective(ALL).train()
    before = [x.clone() for x in objective.ground_truth.buffers()]
    optimiser = torch.optim.AdamW(objective.parameters(), lr=0.1)
    sum(objective.loss(random_batch(dimensions=FULL), Moment(0.5, 1)).values()).backward()
    optimiser.step()
    assert all(map(torch.equal, before, objective.ground_truth.buffers()))


def test_distances_equal_loops_over_rows_and_partners():
    objective, batch = _objective(ALL), random_batch(seed=1, size=12, dimensions=FULL)
    outputs = outputs_of(objective, batch)
    objective.network.generate = lambda rows: torch.stack([rows + 1.0, rows - 1.0], dim=1)
    truth = {
        name: objective.ground_truth(name, batch.features[name]).double().numpy()
        for name in ("audio", "visual")
    }
    anchored = [
        squared(x, y) / 3 for name in truth for x, y in zip(outputs[name], truth[name], strict=True)
    ]
    transferred = []
    for name, shift in (("audio", 1.0), ("visual", -1.0)):
        rows = [i for i in range(12) if batch.own["text"][i] and batch.own[name][i]]
        for moved in (0.0, shift):
            errors = [squared(outputs["text"][i] + moved, truth[name][i]) / 3 for i in rows]
            transferred.append(np.mean(errors))
    parts = evaluated(objective, batch)
    assert parts["ground truth"] == pytest.approx(0.9 * np.mean(anchored), rel=1e-4)
    assert parts["transfer"] == pytest.approx(0.7 * np.mean(transferred), rel=1e-4)


def test_the_game_is_the_cross_entropy_of_right_generated_and_mismatched_pairs():
    objective = _objective(ALL)
    batch = random_batch(seed=1, size=12, dimensions=FULL, missing=0.1)
    objective.network.generate = lambda rows: torch.stack([rows + 1.0, rows - 1.0], dim=1)
    with torch.inference_mode():
        text = objective.eval().encoders("text", batch.features["text"])
        truth = [objective.ground_truth(n, batch.features[n]) for n in ("audio", "visual")]
    whole = [i for i in range(12) if all(bool(batch.own[name][i]) for name in batch.names)]
    assert len(whole) >= 3

    def probability(audio, visual, i):
        row = torch.cat([audio, visual, text[i]])
        return 1.0 / (1.0 + math.exp(-objective.network.discriminator(row[None]).item()))

    right = [probability(truth[0][i], truth[1][i], i) for i in whole]
    wrong = [probability(text[i] + 1.0, text[i] - 1.0, i) for i in whole]
    before = dict(zip(whole, [whole[-1], *whole[:-1]], strict=True))
    wrong += [probability(truth[0][before[i]], truth[1][before[i]], i) for i in whole]
    expected = -np.mean([math.log(p) for p in right]) - np.mean([math.log(1 - p) for p in wrong])
    assert evaluated(objective, batch)["game"] == pytest.approx(0.3 * expected / 2, rel=1e-4)


def test_the_generator_gets_the_gradient_of_the_game_turned_round(monkeypatch):
    """And the discriminator as it is; the embedding is moved through the generator alone."""
    config = replace(CONFIG, anchor=0.0, transfer=0.0, adversary=1.0)
    batch = random_batch(seed=1, size=12, dimensions=FULL, missing=0.0)

    def gradients():
        objective = _objective(config)
        torch.manual_seed(1)
        objective.loss(batch, Moment(0.3, 0))["game"].backward()
        network = objective.network
        parts = (network.generator, network.encoders.of("text"), network.discriminator)
        return [[p.grad for p in part.parameters()] for part in parts]

    turned = gradients()
    monkeypatch.setattr(ugaar_recipe, "reverse_gradient", lambda rows, _: rows)
    plain, weight = gradients(), reversal_weight(0.3)
    for part, same, factor in zip(turned, plain, (-weight, -weight, 1.0), strict=True):
        for found, gradient in zip(part, same, strict=True):
            torch.testing.assert_close(found, factor * gradient, rtol=1e-3, atol=1e-7)


def test_without_ground_truth_the_two_views_learn_by_triplets_of_partners():
    objective = _objective(replace(ALL, ground_truth=False))
    batch = random_batch(seed=1, size=12, dimensions=FULL)
    rows = {name: unit(x) for name, x in outputs_of(objective, batch).items()}
    expected = np.mean(
        [
            partner_triplets(rows, batch, d, margin=CONFIG.margin)
            for d in (("audio", "visual"), ("visual", "audio"))
        ]
    )
    assert objective.ground_truth is None
    assert evaluated(objective, batch)["ground truth"] == pytest.approx(0.9 * expected, rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({}, {"ground truth", "transfer", "game"}),
        ({"adversary": 0.0}, {"ground truth", "transfer"}),
        ({"transfer": 0.0}, {"ground truth", "game"}),
        ({"anchor": 0.0}, {"transfer", "game"}),
        ({"pair_weight": 1.0}, {"ground truth", "transfer", "game", "pairs"}),
    ],
)
def test_a_term_of_weight_zero_is_not_there(changes, terms):
    assert _names(replace(CONFIG, **changes)) == terms


def test_two_views_have_a_ground_truth_and_nothing_to_transfer_it_to():
    assert _names(CONFIG, TWO_VIEWS) == {"ground truth"}


def test_the_variant_is_ugaar_with_info_nce():
    assert RECIPES["ugaar-info-nce"].config is UgaarInfoNceConfig
    assert UgaarConfig().pair_weight == 0.0
    assert "pairs" in _names(tiny(UgaarInfoNceConfig))


def test_a_batch_without_a_whole_item_plays_no_game():
    batch = random_batch(seed=2, dimensions=FULL)
    own = {**batch.own, "audio": torch.zeros(10, dtype=torch.bool)}
    assert evaluated(_objective(), Batch(batch.features, batch.labels, own))["game"] == 0.0


SONGS = songs()
LEARN = {
    "hidden": (32,), "n_components": 8, "epochs": 25, "patience": 25, "batch_size": 48,
    "dropout": 0.0, "input_dropout": 0.0, "generator": (16,), "discriminator": (16,), "noise": 2,
}  # fmt: skip


def _mrr(space):
    return {
        (d.query, d.target): (d.scores.mrr, d.chance.mrr)
        for d in evaluate(space, SONGS)
        if d.protocol == INSTANCE
    }


@pytest.mark.parametrize("method", ["ugaar", "ugaar-info-nce"])
def test_songs_never_seen_are_found_far_above_chance_in_all_six_directions(method):
    fit, kind = RECIPES[method].fit, RECIPES[method].config
    found = _mrr(fit(SONGS.for_selection(), tiny(kind, **LEARN), QUIET).space)
    assert len(found) == 6
    for directions, (value, chance) in found.items():
        assert value > (2.5 if "lyrics" in directions else 10.0) * chance


def test_the_words_are_learned_by_transfer():
    without = tiny(UgaarConfig, **LEARN, transfer=0.0, adversary=0.0)
    found = _mrr(fit_ugaar(SONGS.for_selection(), without, QUIET).space)
    for directions, (value, chance) in found.items():
        if "lyrics" in directions:
            assert value < 2.0 * chance


def test_the_branches_approach_the_ground_truth():
    history = fit_ugaar(SONGS.for_selection(), tiny(UgaarConfig, **LEARN), QUIET).history
    errors = [float(e["ground truth"]) for e in history if e.get("phase") != "refit"]
    assert errors[-1] < 0.1 * errors[0]


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    def fit(folder=None, *, resume=False):
        context = FitContext(progress=False, folder=folder, resume=resume)
        with one_thread():
            return fit_ugaar(DATA, replace(ALL, epochs=4, dropout=0.2), context).space.tensors()

    whole, run = fit(), fit_loop.run_phase

    def stopping(objective, source, config, phase, tools):
        if phase.name == "select":
            run(objective, source, config, replace(phase, epochs=2), tools)
            raise KeyboardInterrupt
        return run(objective, source, config, phase, tools)

    monkeypatch.setattr(network_recipe, "run_phase", stopping)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path)
    assert list(tmp_path.glob("checkpoint_select*"))
    monkeypatch.undo()
    resumed = fit(tmp_path, resume=True)
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_training_works_when_no_item_has_all_three_views():
    result = fit_ugaar(drop_partners(DATA, share=1.0, seed=0), CONFIG, QUIET)
    assert all(np.isfinite(t).all() for t in result.space.tensors().values())


@pytest.mark.parametrize(
    ("names", "wanted", "pair"),
    [
        (["lyrics", "score", "audio"], ("audio", "score"), ("audio", "score")),
        (["audio", "visual", "text"], ("audio", "score"), ("audio", "visual")),
        (["audio", "visual", "text"], ("visual", "text"), ("visual", "text")),
    ],
)
def test_audio_and_score_are_the_ground_truth_else_the_first_two_or_those_named(
    names, wanted, pair
):
    assert ground_truth_pair(names, wanted) == pair


def test_views_that_are_not_there_are_refused_by_name():
    config = replace(CONFIG, ground_truth_views=("audio", "image"))
    with pytest.raises(DataError, match=r"ground_truth_views of.*audio.*got.*image"):
        fit_ugaar(DATA, config, QUIET)


def test_a_pair_without_partners_is_refused_by_name():
    with pytest.raises(DataError, match=r"true pairs .* of audio and visual"):
        fit_ugaar(unpaired_features(seed=0).for_selection(), CONFIG, QUIET)


def test_a_transferred_view_without_partners_is_refused_by_name():
    text = DATA.views["text"]
    ids = np.array([f"other-{one}" for one in text.ids])
    data = replace(DATA, views={**DATA.views, "text": replace(text, ids=ids)})
    with pytest.raises(DataError, match=r"true pairs .* of text with audio or visual"):
        fit_ugaar(data, CONFIG, QUIET)


def test_a_loss_of_nothing_is_refused():
    config = replace(CONFIG, anchor=0.0, transfer=0.0, adversary=0.0)
    with pytest.raises(DataError, match="weight above 0"):
        fit_ugaar(DATA, config, QUIET)


@pytest.mark.parametrize(
    "values",
    [
        {"anchor": -1.0}, {"transfer": -1.0}, {"adversary": -1.0}, {"pair_weight": -1.0},
        {"ridge": 0.0}, {"margin": 0.0}, {"temperature": 0.0}, {"correlation_power": -1.0},
        {"constant": -1.0}, {"head_power": -1.0},
        {"generator": ()}, {"discriminator": (0,)}, {"noise": 0},
        {"ground_truth_views": ("audio", "audio")}, {"ground_truth_views": ("audio",)},
        {"epochs": 0},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused_by_name(values):
    with pytest.raises(DataError, match=next(iter(values))):
        tiny(UgaarConfig, **values)
