"""The figures that README states for real data, from the files beside the checkout."""

from pathlib import Path

import pytest

from training.datasets.feature_file import read_feature_file
from training.datasets.registry import open_dataset
from training.evaluation.protocol import CLASS, evaluate
from training.extraction import extract
from training.loops.linear_recipe import LinearConfig, fit_linear_space

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here"),
]


def _class_map(path):
    data = read_feature_file(path)
    space, _, _ = fit_linear_space("c-cca", data, LinearConfig(), progress=False)
    return {(d.query, d.target): d for d in evaluate(space, data) if d.protocol == CLASS}


def test_cluster_cca_relates_real_sounds_and_pictures_of_animals():
    found = _class_map(DATA / "av11_features.h5")
    assert len(found) == 2
    for direction in found.values():
        assert direction.scores.map >= 0.71
        assert direction.chance.map < 0.13


def test_cluster_cca_relates_spoken_and_written_digits_from_raw_media(tmp_path):
    dataset = open_dataset("fsdd-mnist", DATA, cache=tmp_path / "unpacked")
    report = extract(dataset, tmp_path / "f.h5", progress=False)
    assert dict(report.rows) == {"audio": 2700, "image": 7000}
    assert not report.failures
    for direction in _class_map(tmp_path / "f.h5").values():
        assert direction.scores.map >= 0.95
        assert direction.chance.map < 0.13
