"""Learning rates by epoch."""

import math
from itertools import pairwise

import pytest

from training.loops.gradient_config import GradientConfig
from training.loops.schedule import LAST_SHARE, learning_rate


def _rates(schedule, epochs=20, beyond=0):
    config = GradientConfig(learning_rate=0.2, epochs=epochs, schedule=schedule)
    return [learning_rate(config, epoch) for epoch in range(epochs + beyond)]


def test_a_constant_rate_does_not_change():
    assert set(_rates("constant")) == {0.2}


def test_a_cosine_starts_at_the_rate_and_falls_in_every_epoch():
    rates = _rates("cosine")
    assert rates[0] == 0.2
    assert all(later < earlier for earlier, later in pairwise(rates))


@pytest.mark.parametrize("epoch", [3, 10, 17])
def test_a_cosine_is_the_half_wave_between_its_ends(epoch):
    low, high = 0.2 * LAST_SHARE, 0.2
    expected = low + (high - low) * math.cos(math.pi * epoch / 40) ** 2
    assert _rates("cosine")[epoch] == pytest.approx(expected, rel=1e-12)


def test_a_cosine_stays_at_its_end_after_the_last_epoch():
    rates = _rates("cosine", beyond=3)
    assert rates[20:] == [pytest.approx(0.2 * LAST_SHARE)] * 3
