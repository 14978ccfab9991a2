"""The spaces that ship: complete, small, and made with the extractors that are installed."""

from pathlib import Path

import numpy as np
import pytest

from models.features.registry import extractor
from models.spaces import load_space

PRETRAINED = Path(__file__).resolve().parents[2] / "models" / "pretrained"
SHIPPED = sorted(p.parent.name for p in PRETRAINED.glob("*/manifest.json"))


def test_the_two_demo_spaces_ship():
    assert SHIPPED == ["everyday", "songs"]


def test_everything_that_ships_is_small():
    assert sum(p.stat().st_size for p in PRETRAINED.rglob("*")) < 25_000_000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_space_was_made_with_the_installed_extractors(name):
    manifest, _ = load_space(PRETRAINED / name)
    assert manifest.name == name
    for view in manifest.views:
        assert view.extractor is not None
        assert extractor(view.extractor).spec.fingerprint == view.extractor_fingerprint


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_space_projects_to_unit_rows(name):
    _, space = load_space(PRETRAINED / name)
    for view in space.views.values():
        rows = np.random.default_rng(0).normal(size=(3, view.dimension)).astype(np.float32)
        found = space.project(view.name, rows)
        assert found.shape == (3, space.n_components)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_model_card_states_data_licence_and_figures_with_chance(name):
    manifest, _ = load_space(PRETRAINED / name)
    card = (PRETRAINED / name / "README.md").read_text()
    assert manifest.dataset
    assert manifest.licence in card
    assert "chance level in brackets" in card
    assert manifest.metrics["split"] == "test"
