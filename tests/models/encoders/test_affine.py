"""The fixed affine map of a closed-form CCA."""

import numpy as np
import torch

from models.cca.linear_cca import fit_linear_cca
from models.encoders.affine import Affine, affine_specification, affine_state


def fitted(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 5)) + 2.0
    y = x @ rng.normal(size=(5, 4)) + rng.normal(size=(40, 4))
    return x, fit_linear_cca([x, y], n_components=3, ridge=0.1)


def loaded(fit):
    stage = Affine(affine_specification(5, 3))
    stage.load_state_dict(affine_state(fit.means[0], fit.weights[0]))
    return stage


def test_rows_are_projected_as_the_closed_form_does():
    x, fit = fitted()
    found = loaded(fit)(torch.from_numpy(x).float())
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, (x - fit.means[0]) @ fit.weights[0], atol=1e-5)


def test_sequences_are_projected_step_by_step():
    x, fit = fitted()
    stage, rows = loaded(fit), torch.from_numpy(x).float()
    torch.testing.assert_close(stage(rows.reshape(8, 5, 5)).reshape(40, 3), stage(rows))


def test_gradient_steps_do_not_change_it_but_pass_through():
    stage = Affine(affine_specification(5, 3))
    assert list(stage.parameters()) == []
    rows = torch.ones(2, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(loaded(fitted()[1])(rows).sum(), rows)
    assert gradient.abs().sum() > 0.0


def test_sizes_are_plain_numbers_even_from_numpy():
    specification = affine_specification(*np.array([5, 3]))
    assert [type(specification[key]) for key in ("in", "out")] == [int, int]
