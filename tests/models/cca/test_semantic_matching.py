"""Posterior spaces against SciPy's softmax.

What every space promises is in ``tests/contracts/test_spaces.py``.
"""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.cca.semantic_matching import PosteriorSpace, PosteriorView, posteriors
from models.cca.typicality import fit_typicality
from models.types import View

VIEWS = {"audio": View("audio", 4), "image": View("image", 3)}


def _space(centre, n_classes=5, *, own=False):
    rng = np.random.default_rng(0)
    views: dict[str, PosteriorView] = {}
    for name, view in VIEWS.items():
        d = view.dimension
        rows = rng.normal(size=(30, d))
        views[name] = PosteriorView(
            rng.normal(size=d),
            rng.uniform(0.5, 2.0, size=d),
            rng.normal(size=(d, n_classes)),
            rng.normal(size=n_classes),
            np.full(n_classes, centre),
            np.eye(2)[len(views)] if own else np.empty(0),
            fit_typicality(rows, rows),
        )
    return PosteriorSpace("sm", VIEWS, views)


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3)))
def test_posteriors_equal_the_softmax_of_scipy(logits):
    found = posteriors(logits)
    np.testing.assert_allclose(found, scipy.special.softmax(logits, axis=1), atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("centre", [0.0, 0.2])
def test_rows_become_unit_posteriors_about_the_centre(centre):
    space = _space(centre)
    rows = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
    view = space._maps["audio"]
    logits = (rows - view.mean) / view.scale @ view.weights + view.bias
    expected = scipy.special.softmax(logits, axis=1) - centre
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(space.project("audio", rows), expected, atol=1e-6)


def test_the_number_of_components_is_that_of_classes():
    assert _space(0.0, n_classes=7).n_components == 7


def test_the_cosine_of_two_views_with_own_components_is_the_product_of_posteriors():
    space, rng = _space(0.0, own=True), np.random.default_rng(1)
    assert space.n_components == 7
    rows = {name: rng.normal(size=(6, v.dimension)).astype(np.float32) for name, v in VIEWS.items()}
    expected = {}
    for name, x in rows.items():
        view = space._maps[name]
        logits = (x - view.mean) / view.scale @ view.weights + view.bias
        expected[name] = scipy.special.softmax(logits, axis=1)
    found = {name: space.project(name, x) for name, x in rows.items()}
    for x in found.values():
        np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(
        found["audio"] @ found["image"].T, expected["audio"] @ expected["image"].T, atol=1e-6
    )


@pytest.mark.parametrize("own", [False, True])
def test_a_space_survives_its_tensors(own):
    space = _space(0.2, own=own)
    loaded = PosteriorSpace.from_tensors("sm", VIEWS, space.tensors())
    rows = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)
    np.testing.assert_allclose(
        loaded.project("image", rows), space.project("image", rows), atol=1e-5
    )
