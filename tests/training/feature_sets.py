"""Small feature sets for tests: classes and partners that can be told apart."""

import numpy as np

from training.datasets.feature_data import FeatureData, FeatureView

SPLITS = ("train", "train", "train", "validation", "test")


def paired_features(*, seed, n_rows=200, n_classes=4, dimensions=(6, 5)):
    """Two views of the same items: a class centre plus an individual part, seen with noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) // 5 % n_classes
    hidden = rng.normal(size=(n_classes, 4))[labels] * 2 + rng.normal(size=(n_rows, 4))
    split = np.array([SPLITS[i % 5] for i in range(n_rows)])
    ids = np.array([f"item-{i:03d}" for i in range(n_rows)])
    views = {}
    for name, dimension in zip(("audio", "visual"), dimensions, strict=True):
        noise = 0.3 * rng.normal(size=(n_rows, dimension))
        rows = (hidden @ rng.normal(size=(4, dimension)) + noise).astype(np.float32)
        views[name] = FeatureView(rows, ids, labels.astype(np.int64), split)
    return FeatureData(views, tuple(f"class {c}" for c in range(n_classes)), "made here", "CC0")


def unpaired_features(*, seed, n_classes=4):
    """Two views that share classes but no item, of different length."""
    data = paired_features(seed=seed, n_classes=n_classes)
    views = {}
    for number, (name, view) in enumerate(data.views.items()):
        keep = slice(None) if number == 0 else slice(30, None)
        ids = np.array([f"{name}-{i}" for i in view.ids[keep]])
        assert view.labels is not None
        views[name] = FeatureView(view.features[keep], ids, view.labels[keep], view.split[keep])
    return FeatureData(views, data.classes, data.source, data.licence)
