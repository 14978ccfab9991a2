"""Retrieval examples: order, marks and names."""

import numpy as np
import pytest

from tests.training.evaluation.comparison_report.small_comparison import small_comparison
from training.evaluation.comparison import EmbeddedView
from training.evaluation.comparison_report.examples import (
    N_ANSWERS,
    N_QUERIES,
    PARTNER,
    RIGHT,
    WRONG,
    examples_markdown,
    sample_answers,
)


def _view(angles, ids, labels):
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return EmbeddedView(rows, np.array(ids), None if labels is None else np.array(labels))


def test_answers_are_the_nearest_rows_with_their_cosine():
    queries = _view([0.0], ["q"], [0])
    gallery = _view([0.9, 0.1, 0.5, 3.0], list("abcd"), [0, 0, 1, 1])
    (found,) = sample_answers(queries, gallery, rng=np.random.default_rng(0))
    assert found.query == 0
    assert found.answers.tolist() == [1, 2, 0, 3]
    np.testing.assert_allclose(found.scores, np.cos([0.1, 0.5, 0.9, 3.0]), atol=1e-6)


def test_queries_are_drawn_without_repeats_and_answers_are_cut():
    views = small_comparison(n_folds=1).folds[0].embedded
    found = sample_answers(views["audio"], views["visual"], rng=np.random.default_rng(3))
    assert len({one.query for one in found}) == N_QUERIES
    assert all(len(one.answers) == N_ANSWERS for one in found)


def test_both_directions_of_the_best_method_are_shown():
    text = examples_markdown(small_comparison())
    assert text.startswith("# What tnn-c-cca@published answers")
    assert "## audio → visual" in text
    assert "## visual → audio" in text
    assert text.count("\n| test-0-") == 2 * N_QUERIES
    assert PARTNER + " test" not in text


def test_an_answer_of_the_class_is_right_and_another_wrong():
    comparison = small_comparison(methods={"c-cca": 0.5}, n_folds=1)
    labels = {
        str(name): f"class {label}"
        for view in comparison.folds[0].embedded.values()
        for name, label in zip(view.ids, view.labels, strict=True)
    }
    marks = set()
    for line in examples_markdown(comparison).splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells or cells[0] not in labels:
            continue
        for cell in cells[2:]:
            mark, name, label, _ = cell.replace(",", "").replace("class ", "class-").split()
            marks.add(mark)
            assert (mark == RIGHT) == (labels[name] == labels[cells[0]])
            assert label == labels[name].replace(" ", "-")
    assert marks == {RIGHT, WRONG}


def test_partners_carry_a_star_and_decide_where_there_are_no_classes():
    text = examples_markdown(small_comparison(paired=True, labelled=False, methods={"cca": 0.01}))
    first = next(line for line in text.splitlines() if line.startswith("| test-"))
    identifier = first.split("|")[1].strip()
    assert f"{RIGHT}{PARTNER} {identifier}" in first
    assert first.count(RIGHT) == 1


def test_a_row_without_a_known_class_shows_none():
    comparison = small_comparison(n_folds=1, methods={"c-cca": 0.5})
    for view in comparison.folds[0].embedded.values():
        view.labels[:] = -1
    text = examples_markdown(comparison)
    assert "class 0" not in text


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_draws_the_same_queries(seed):
    one = small_comparison(seed=seed)
    assert examples_markdown(one) == examples_markdown(one)
