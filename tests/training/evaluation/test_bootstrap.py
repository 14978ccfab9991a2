"""Bootstrap intervals against SciPy and against the normal approximation."""

import numpy as np
import pytest
from scipy import stats

from models.errors import ShapeError
from training.evaluation import bootstrap
from training.evaluation.bootstrap import bootstrap_interval


@pytest.fixture
def values():
    return np.random.default_rng(0).beta(2.0, 3.0, size=120)


def _rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_is_that_of_scipy(values, confidence):
    expected = stats.bootstrap(
        (values,), np.mean, method="percentile", confidence_level=confidence,
        n_resamples=20_000, rng=_rng(2),
    ).confidence_interval  # fmt: skip
    found = bootstrap_interval(values, generator=_rng(), confidence=confidence, n_resamples=20_000)
    assert found.mean == pytest.approx(values.mean())
    assert found.confidence == confidence
    assert found.low == pytest.approx(expected.low, abs=1.5e-3)
    assert found.high == pytest.approx(expected.high, abs=1.5e-3)


def test_the_interval_of_many_values_is_the_normal_one():
    values = _rng(3).random(5_000)
    half = 1.959964 * values.std() / np.sqrt(5_000)
    found = bootstrap_interval(values, generator=_rng())
    assert found.low == pytest.approx(values.mean() - half, abs=half * 0.1)
    assert found.high == pytest.approx(values.mean() + half, abs=half * 0.1)


def test_classes_are_resampled_one_by_one_and_weigh_the_same():
    rng = _rng(4)
    large, small = rng.normal(0.2, 0.1, 900), rng.normal(0.8, 0.3, 100)
    values, strata = np.concatenate([large, small]), np.array(["a"] * 900 + ["b"] * 100)
    order = rng.permutation(1000)
    found = bootstrap_interval(
        values[order], generator=_rng(), strata=strata[order], n_resamples=4_000
    )
    assert found.mean == pytest.approx((large.mean() + small.mean()) / 2)
    half = 1.959964 * np.sqrt(large.var() / 900 + small.var() / 100) / 2
    assert found.low == pytest.approx(found.mean - half, abs=half * 0.1)
    assert found.high == pytest.approx(found.mean + half, abs=half * 0.1)


def test_one_seed_gives_one_interval(values):
    assert bootstrap_interval(values, generator=_rng()) == bootstrap_interval(
        values, generator=_rng()
    )
    assert bootstrap_interval(values, generator=_rng()) != bootstrap_interval(
        values, generator=_rng(9)
    )


def test_resamples_drawn_in_blocks_are_the_same(values, monkeypatch):
    whole = bootstrap_interval(values, generator=_rng(), n_resamples=50)
    monkeypatch.setattr(bootstrap, "DRAWS_AT_ONCE", 7 * len(values))
    assert bootstrap_interval(values, generator=_rng(), n_resamples=50) == whole
    monkeypatch.setattr(bootstrap, "DRAWS_AT_ONCE", 1)
    assert bootstrap_interval(values, generator=_rng(), n_resamples=50) == whole


def test_one_value_has_an_interval_of_no_width():
    found = bootstrap_interval(np.array([0.3]), generator=_rng())
    assert (found.low, found.mean, found.high) == (0.3, 0.3, 0.3)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.empty(0), {}, r"values \(Q,\)"),
        (np.zeros((2, 2)), {}, r"values \(Q,\)"),
        (np.zeros(3), {"strata": np.zeros(2)}, "strata"),
        (np.array([1.0, np.nan]), {}, "finite"),
        (np.zeros(3), {"confidence": 1.0}, "confidence"),
        (np.zeros(3), {"n_resamples": 0}, "n_resamples"),
    ],
)
def test_undefined_cases_are_refused(values, options, message):
    with pytest.raises(ShapeError, match=message):
        bootstrap_interval(values, generator=_rng(), **options)
