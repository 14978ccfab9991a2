"""The figures that README states for real data, from the files beside the checkout."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.features.registry import extractor
from models.media.load import load
from models.spaces import load_space
from tests.weightless import WEIGHTLESS
from training.datasets.esc10 import open_esc10
from training.datasets.feature_file import read_feature_file
from training.datasets.registry import open_dataset
from training.evaluation.protocol import CLASS, evaluate
from training.extraction import ExtractionOptions, extract
from training.loops.linear_recipe import LinearConfig, fit_linear_space

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

PRETRAINED = Path(__file__).resolve().parents[2] / "models" / "pretrained"

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
    options = ExtractionOptions(extractors=WEIGHTLESS)
    report = extract(dataset, tmp_path / "f.h5", options, progress=False)
    assert dict(report.rows) == {"audio": 2700, "image": 7000}
    assert not report.failures
    for direction in _class_map(tmp_path / "f.h5").values():
        assert direction.scores.map >= 0.95
        assert direction.chance.map < 0.13


def test_the_audio_network_that_ships_knows_environmental_sounds_it_never_heard(tmp_path):
    listed = open_esc10(DATA, cache=tmp_path / "unpacked", test_fold=4).examples()
    examples = listed[::2]  # half of the clips of every fold and class
    reader = extractor("compact-audio")
    rows = np.stack([reader.pooled(load(one.source, one.modality)) for one in examples])
    labels = np.array([one.label for one in examples])
    tested = np.array([one.split == "test" for one in examples])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=1000))

    accuracy = model.fit(rows[~tested], labels[~tested]).score(rows[tested], labels[tested])

    assert tested.sum() == 40
    assert accuracy >= 0.92


def test_the_space_that_ships_relates_animals_it_never_met(tmp_path):
    dataset = open_dataset("av-animals", DATA, cache=tmp_path / "unpacked")
    test_part = [one for one in dataset.examples() if one.split == "test"][::2]
    _, space = load_space(PRETRAINED / "everyday")
    points, labels = {}, {}
    for view in ("audio", "image"):
        own = [one for one in test_part if one.modality == view]
        reader = extractor(space.views[view].extractor or "")
        rows = np.stack([reader.pooled(load(one.source, one.modality)) for one in own])
        points[view] = space.project(view, rows)
        labels[view] = np.array([one.label for one in own])

    for query, target in (("audio", "image"), ("image", "audio")):
        scores = points[query] @ points[target].T
        relevant = labels[query][:, None] == labels[target][None, :]
        precisions = [
            average_precision_score(right, row) for right, row in zip(relevant, scores, strict=True)
        ]
        assert np.mean(precisions) >= 0.72
        assert relevant.mean() < 0.13
