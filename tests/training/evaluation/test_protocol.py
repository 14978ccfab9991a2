"""The protocols: what is relevant, what is in the gallery, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError, ShapeError
from models.types import View
from tests.training.feature_sets import paired_features, unpaired_features
from training.evaluation import protocol
from training.evaluation.protocol import (
    CLASS,
    INSTANCE,
    evaluate,
    measure,
    pooled_rows,
    refuse_test_rows,
    rows_for,
    validation_score,
)
from training.evaluation.retrieval import score_retrieval


class FirstColumns:
    """A space that keeps the first columns of a row, for a view of sequences their last step."""

    method, n_components = "first-columns", 4

    def __init__(self, steps=None, keep=slice(None)):
        self.views = {"audio": View("audio", 6, steps=steps), "visual": View("visual", 5)}
        self._keep = keep

    def project(self, view, features):
        rows = (features[:, -1] if self.views[view].steps else features)[self._keep, :4]
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def typicality(self, view, features):
        raise NotImplementedError

    def tensors(self):
        raise NotImplementedError


def _embedded(views):
    space = FirstColumns()
    return {name: space.project(name, view.features) for name, view in views.items()}


def _only(data, split):
    return {name: view.only(split) for name, view in data.views.items()}


def _without_labels(views):
    return {name: replace(view, labels=None) for name, view in views.items()}


def _with_unknown(view, unknown):
    labels = view.labels.copy()
    labels[unknown] = -1
    return replace(view, labels=labels)


def _kinds(directions):
    return [(d.protocol, d.query, d.target) for d in directions]


def test_paired_and_labelled_data_is_measured_under_every_protocol_in_both_directions():
    views = _only(paired_features(seed=0), "test")
    assert _kinds(measure(_embedded(views), views)) == [
        ("class", "audio", "visual"),
        ("class-averaged", "audio", "visual"),
        ("instance", "audio", "visual"),
        ("class", "visual", "audio"),
        ("class-averaged", "visual", "audio"),
        ("instance", "visual", "audio"),
    ]


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [((CLASS, INSTANCE), {CLASS, INSTANCE}), (["class-averaged"], {"class-averaged"}), ((), set())],
)
def test_only_the_protocols_asked_for_are_measured(protocols, expected):
    views = _only(paired_features(seed=0), "test")
    directions = measure(_embedded(views), views, protocols=protocols)
    assert {d.protocol for d in directions} == expected


def test_class_and_class_averaged_share_one_ranking(monkeypatch):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return score_retrieval(*arguments)

    monkeypatch.setattr(protocol, "score_retrieval", counted)
    views = _only(unpaired_features(seed=0), "test")
    assert len(measure(_embedded(views), views)) == 4
    assert len(calls) == 2


def test_class_averaged_figures_are_means_over_classes_with_their_own_chance():
    views = _only(unpaired_features(seed=0), "test")
    views["audio"] = replace(views["audio"], labels=np.array([0] * 25 + [1] * 10 + [2] * 5))
    plain, averaged = measure(_embedded(views), views)[:2]
    rows = [views["audio"].labels == c for c in range(3)]
    expected = np.mean([plain.scores.average_precisions[r].mean() for r in rows])
    assert averaged.scores.map == pytest.approx(expected)
    expected = np.mean([plain.chance.average_precisions[r].mean() for r in rows])
    assert averaged.chance.map == pytest.approx(expected)
    assert averaged.scores.map != pytest.approx(plain.scores.map)


def test_without_chance_the_scores_stand_in_its_place():
    views = _only(paired_features(seed=0), "test")
    for direction in measure(_embedded(views), views, chance=False):
        assert direction.chance is direction.scores


def test_unpaired_data_has_no_instance_protocol():
    views = _only(unpaired_features(seed=0), "test")
    directions = measure(_embedded(views), views)
    assert {d.protocol for d in directions} == {"class", "class-averaged"}


def test_a_view_without_labels_leaves_the_instance_protocol():
    views = _only(paired_features(seed=0), "test")
    views["visual"] = replace(views["visual"], labels=None)
    assert {d.protocol for d in measure(_embedded(views), views)} == {"instance"}


def test_rows_of_unknown_class_are_neither_queries_nor_in_the_gallery_of_a_class():
    views = _only(paired_features(seed=0), "test")
    views["audio"] = _with_unknown(views["audio"], slice(0, 7))
    views["visual"] = _with_unknown(views["visual"], slice(5, 10))
    sizes = {
        (d.protocol, d.query): (d.scores.n_queries, d.scores.n_gallery)
        for d in measure(_embedded(views), views)
    }
    assert sizes["class", "audio"] == sizes["class-averaged", "audio"] == (33, 35)
    assert sizes["class", "visual"] == (35, 33)
    assert sizes["instance", "audio"] == sizes["instance", "visual"] == (40, 40)


def test_only_unknown_classes_leave_nothing_to_find():
    views = _only(unpaired_features(seed=0), "test")
    views["visual"] = _with_unknown(views["visual"], slice(None))
    assert measure(_embedded(views), views) == []


def test_a_query_without_partner_is_left_out_and_its_item_stays_in_the_gallery():
    views = _without_labels(_only(paired_features(seed=0), "test"))
    ids = views["audio"].ids.copy()
    ids[:3] = ["alone 1", "alone 2", "alone 3"]
    views["audio"] = replace(views["audio"], ids=ids)
    to_visual, to_audio = measure(_embedded(views), views)
    assert (to_visual.scores.n_queries, to_visual.scores.n_gallery) == (37, 40)
    assert (to_audio.scores.n_queries, to_audio.scores.n_gallery) == (37, 40)


def test_an_unknown_protocol_is_refused():
    views = _only(paired_features(seed=0), "test")
    with pytest.raises(DataError, match="unknown protocol 'clas'"):
        measure(_embedded(views), views, protocols=("clas",))


def test_a_row_that_was_not_embedded_is_refused():
    views = _only(paired_features(seed=0), "test")
    embedded = _embedded(views)
    embedded["visual"] = embedded["visual"][:-8]  # a loader that drops its last batch
    with pytest.raises(ShapeError, match="every one of the 40 visual rows"):
        measure(embedded, views)
    with pytest.raises(ShapeError, match="every one of the 40 audio rows"):
        evaluate(FirstColumns(keep=slice(0, -8)), paired_features(seed=0))


@pytest.mark.parametrize("data", [paired_features(seed=0), unpaired_features(seed=0)])
def test_every_test_row_is_a_query_and_in_the_gallery(data):
    for direction in evaluate(FirstColumns(), data):
        assert direction.scores.n_queries == len(data.views[direction.query].only("test"))
        assert direction.scores.n_gallery == len(data.views[direction.target].only("test"))


@pytest.mark.parametrize("labelled", [True, False])
def test_an_evaluation_that_lost_queries_is_an_error(labelled, monkeypatch):
    data = paired_features(seed=0)
    views = data.views if labelled else _without_labels(data.views)

    def careless(embedded, views):
        few = {name: view.only("test") for name, view in views.items()}
        few["audio"] = replace(
            few["audio"],
            **{name: getattr(few["audio"], name)[5:] for name in ("features", "ids", "split")},
            labels=few["audio"].labels[5:] if labelled else None,
        )
        return measure(_embedded(few), few)

    monkeypatch.setattr(protocol, "measure", careless)
    with pytest.raises(DataError, match=r"expected .* = \(40, 40\) to be scored, found \(35, 40\)"):
        evaluate(FirstColumns(), replace(data, views=views))


def test_an_evaluation_by_classes_that_the_rows_do_not_have_is_an_error(monkeypatch):
    data = paired_features(seed=0)
    views = _only(data, "test")
    directions = measure(_embedded(views), views)
    monkeypatch.setattr(protocol, "measure", lambda *_: directions)
    with pytest.raises(DataError, match=r"expected .* = \(0, 0\) to be scored"):
        evaluate(FirstColumns(), replace(data, views=_without_labels(data.views)))


def test_sequences_are_averaged_over_time():
    view = paired_features(seed=0).views["audio"]
    longer = replace(view, features=np.stack([view.features - 1, view.features + 1], axis=1))
    np.testing.assert_allclose(pooled_rows(longer), view.features, atol=1e-5)
    np.testing.assert_array_equal(rows_for(longer, View("audio", 6)), pooled_rows(longer))


def test_a_space_of_sequences_takes_every_step_and_pooled_rows_as_one_step():
    view = paired_features(seed=0).views["audio"]
    longer = replace(view, features=np.stack([view.features, view.features + 1], axis=1))
    wanted = View("audio", 6, steps=2)
    assert rows_for(longer, wanted) is longer.features
    np.testing.assert_array_equal(rows_for(view, wanted), view.features[:, None, :])


def test_a_space_is_evaluated_on_the_rows_it_takes():
    data = paired_features(seed=0)
    audio = data.views["audio"]
    longer = replace(audio, features=np.stack([-audio.features, audio.features], axis=1))
    sequences = replace(data, views={**data.views, "audio": longer})
    found = evaluate(FirstColumns(steps=2), sequences)
    for one, other in zip(found, evaluate(FirstColumns(), data), strict=True):
        assert one.scores.as_dict() == other.scores.as_dict()


def test_a_file_without_a_view_of_the_space_is_refused():
    data = paired_features(seed=0)
    del data.views["visual"]
    with pytest.raises(DataError, match="view visual"):
        evaluate(FirstColumns(), data)


def test_features_of_another_dimension_are_refused():
    with pytest.raises(DataError, match="D = 6, found 7"):
        evaluate(FirstColumns(), paired_features(seed=0, dimensions=(7, 5)))


def test_a_split_without_rows_is_refused():
    data = paired_features(seed=0)
    with pytest.raises(DataError, match="test rows"):
        evaluate(FirstColumns(), replace(data, views=_only(data, "train")))


def test_rows_without_labels_or_partners_are_refused():
    data = unpaired_features(seed=0)
    with pytest.raises(DataError, match="neither"):
        evaluate(FirstColumns(), replace(data, views=_without_labels(data.views)))


def test_choosing_by_labels_and_pairs_is_the_mean_of_class_map_and_partner_mrr():
    views = _only(paired_features(seed=0), "validation")
    found = {(d.protocol, d.query): d.scores for d in measure(_embedded(views), views)}
    by_class = np.mean([found[CLASS, name].map for name in views])
    by_partner = np.mean([found[INSTANCE, name].mrr for name in views])
    score = validation_score(_embedded(views), views, use_labels=True)
    assert score == pytest.approx((by_class + by_partner) / 2)
    score = validation_score(_embedded(views), views, use_labels=False)
    assert score == pytest.approx(by_partner)


def test_choosing_without_pairs_is_by_class_map():
    views = _only(unpaired_features(seed=0), "validation")
    found = measure(_embedded(views), views, protocols=(CLASS,))
    score = validation_score(_embedded(views), views, use_labels=True)
    assert score == pytest.approx(np.mean([d.scores.map for d in found]))


@pytest.mark.parametrize(("use_labels", "wanted"), [(True, "labels or true"), (False, "true")])
def test_choosing_by_nothing_is_refused(use_labels, wanted):
    views = _only(unpaired_features(seed=0), "validation")
    if use_labels:
        views = _without_labels(views)
    with pytest.raises(DataError, match=f"expected {wanted} pairs in the validation split"):
        validation_score(_embedded(views), views, use_labels=use_labels)


def test_choosing_on_test_rows_is_refused():
    views = paired_features(seed=0).for_selection().views
    refuse_test_rows(views)
    views["visual"] = replace(views["visual"], split=np.array(["train"] * 158 + ["test"] * 2))
    with pytest.raises(DataError, match="found 2 in view visual"):
        validation_score(_embedded(views), views, use_labels=True)
