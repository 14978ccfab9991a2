"""The projection of a kernel space against the written-out kernel expansion.

What every space promises is in ``tests/contracts/test_spaces.py``.
"""

from dataclasses import replace

import numpy as np
import pytest

from models.cca.kernel_cca import fit_kernel_cca
from models.cca.kernel_map import fit_kernel_map
from models.cca.kernel_space import KernelSpace, KernelView, expand
from models.cca.typicality import fit_typicality
from models.types import View

VIEWS = {"audio": View("audio", 4), "image": View("image", 3)}


def _fitted(seed):
    """Standardised rows, and a kernel CCA of them as a space about another mean and scale."""
    rng = np.random.default_rng(seed)
    rows = {name: rng.normal(size=(25, view.dimension)) for name, view in VIEWS.items()}
    maps = {name: fit_kernel_map(x[:15], 0.3) for name, x in rows.items()}
    fit = fit_kernel_cca(list(rows.values()), list(maps.values()), n_components=2, ridge=0.01)
    views = {}
    for name, mean, weights in zip(rows, fit.means, fit.weights, strict=True):
        expansion, centre = expand(maps[name], mean, weights)
        d = VIEWS[name].dimension
        views[name] = KernelView(
            rng.normal(size=d),
            rng.uniform(0.5, 2.0, size=d),
            maps[name].landmarks,
            np.array([maps[name].gamma]),
            expansion,
            centre,
            fit_typicality(rows[name], rows[name]),
        )
    return rows, maps, fit, KernelSpace("kcca", VIEWS, views)


def _raw(space, name, rows):
    view = space._maps[name]
    return (rows * view.scale + view.mean).astype(np.float32)


@pytest.mark.parametrize(("number", "name"), [(0, "audio"), (1, "image")])
def test_rows_are_projected_as_the_feature_map_and_the_fit_say(number, name):
    rows, maps, fit, space = _fitted(0)
    expected = (maps[name](rows[name]) - fit.means[number]) @ fit.weights[number]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = space.project(name, _raw(space, name, rows[name]))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_row_is_the_sum_of_kernel_values_of_the_landmarks():
    _, _, _, space = _fitted(1)
    view = space._maps["audio"]
    row = np.random.default_rng(2).normal(size=4)
    expected = -view.centre.copy()
    for landmark, weights in zip(view.landmarks, view.weights, strict=True):
        expected += np.exp(-0.3 * sum((row - landmark) ** 2)) * weights
    np.testing.assert_allclose(view.embed(row), expected, atol=1e-10)


def test_a_row_at_the_centre_becomes_zeros():
    _, _, _, space = _fitted(2)
    view = space._maps["audio"]
    row = view.mean.astype(np.float32)
    moved = replace(view, mean=row.astype(np.float64), centre=np.zeros(2))
    centred = replace(moved, centre=moved.embed(np.zeros(4)))
    space = KernelSpace("kcca", VIEWS, {**space._maps, "audio": centred})
    np.testing.assert_array_equal(space.project("audio", row[None]), np.zeros((1, 2)))


def test_a_fitted_space_loses_little_in_single_precision():
    rows, _, _, space = _fitted(3)
    loaded = KernelSpace.from_tensors("kcca", VIEWS, space.tensors())
    assert loaded.n_components == 2
    for name, x in rows.items():
        raw = _raw(space, name, x)
        np.testing.assert_allclose(loaded.project(name, raw), space.project(name, raw), atol=1e-3)
