"""Rows of a data set put in another order, and values looked up by id."""

from dataclasses import replace

import numpy as np

from training.datasets.feature_data import FeatureView


def shuffled(data, *, seed=0):
    """The same rows in another order, views in the opposite order."""
    rng = np.random.default_rng(seed)
    views = {}
    for name, view in reversed(data.views.items()):
        order = rng.permutation(len(view))
        labels = None if view.labels is None else view.labels[order]
        views[name] = FeatureView(view.features[order], view.ids[order], labels, view.split[order])
    return replace(data, views=views)


def by_id(data, column):
    """Value of one column for each (view, id)."""
    return {
        (name, one): value
        for name, view in data.views.items()
        for one, value in zip(view.ids.tolist(), getattr(view, column).tolist(), strict=True)
    }
