"""Curves of the spectrum against spectra whose shape is known."""

import numpy as np
import pytest

from models.features.spectral_shape import (
    N_CURVES,
    frame_level,
    onset_strength,
    spectral_curves,
)


def curves_of(power: list[float]) -> dict[str, float]:
    row = np.array([power])
    values = spectral_curves(row, np.log1p(row / 1e-8))
    names = ("centre", "width", "rolloff", "flatness", "dominant")
    return dict(zip(names, values[0].tolist(), strict=True))


def test_one_band_is_its_own_centre():
    shape = curves_of([0.0, 0.0, 0.0, 1.0, 0.0])
    assert shape["centre"] == pytest.approx(0.75)
    assert shape["dominant"] == 0.75
    assert shape["width"] == pytest.approx(0.0, abs=1e-6)
    assert shape["rolloff"] == pytest.approx(3 / 5)


def test_equal_bands_are_flat_and_centred():
    shape = curves_of([0.1] * 5)
    assert shape["centre"] == pytest.approx(0.5)
    assert shape["flatness"] == pytest.approx(1.0)
    assert shape["width"] == pytest.approx(np.std(np.linspace(0.0, 1.0, 5)))


def test_silent_frame_is_finite():
    shape = curves_of([0.0] * 5)
    assert shape == {
        "centre": 0.0,
        "width": 0.0,
        "rolloff": 0.0,
        "flatness": 1.0,
        "dominant": 0.0,
    }
    assert len(shape) == N_CURVES


def test_level_is_zero_in_silence_and_grows_with_power():
    level = frame_level(np.array([[0.0, 0.0], [0.5, 0.5]]))
    assert level.tolist() == [0.0, pytest.approx(np.log1p(1e8))]


def test_onsets_are_rises_only():
    log_power = np.array([[5.0, 0, 0, 0], [6.0, 1, 0, 0], [0.0, 0, 4, 2], [0, 0, 0, 0]])
    np.testing.assert_array_equal(
        onset_strength(log_power, n_groups=2), [[0, 1, 0, 0], [0, 0, 3, 0]]
    )
