"""Small feature sets for tests: classes and partners that can be told apart."""

from dataclasses import replace

import numpy as np

from training.datasets.feature_data import FeatureData, FeatureView

SPLITS = ("train", "train", "train", "validation", "test")
NAMES = ("audio", "visual", "text")


def paired_features(*, seed, n_rows=200, n_classes=4, dimensions=(6, 5)):
    """Views of the same items: a class centre plus an individual part, seen with noise.

    Two dimensions give an audio and a visual view, three a text view as well.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n_rows) // 5 % n_classes
    hidden = rng.normal(size=(n_classes, 4))[labels] * 2 + rng.normal(size=(n_rows, 4))
    split = np.array([SPLITS[i % 5] for i in range(n_rows)])
    ids = np.array([f"item-{i:03d}" for i in range(n_rows)])
    views = {}
    for name, dimension in zip(NAMES[: len(dimensions)], dimensions, strict=True):
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


def sequence_features(*, seed, n_rows=100, n_classes=4, steps=(4, 3), dimensions=(6, 5)):
    """Sequences (N, T, D) of the same items: in both views they rise and fall together."""
    data = paired_features(seed=seed, n_rows=n_rows, n_classes=n_classes, dimensions=dimensions)
    heights = np.random.default_rng([seed, 1]).normal(size=(n_rows, 2))  # at start and end
    views = {}
    for (name, view), n_steps in zip(data.views.items(), steps, strict=True):
        time = np.linspace(0.0, 1.0, n_steps)
        course = heights[:, :1] * (1.0 - time) + heights[:, 1:] * time  # (N, T)
        rows = view.features[:, None, :] + course[:, :, None]
        views[name] = replace(view, features=rows.astype(np.float32))
    return replace(data, views=views)


def without_labels(data):
    """The same rows, none of which has a class."""
    views = {name: replace(view, labels=None) for name, view in data.views.items()}
    return replace(data, views=views, classes=())
