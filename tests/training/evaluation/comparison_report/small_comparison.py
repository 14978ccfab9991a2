"""Small comparisons for tests: classes as directions in space, methods that differ in noise."""

import numpy as np

from training.evaluation.comparison import Comparison, EmbeddedView, FoldResult
from training.evaluation.protocol import measure

METHODS = {"cca": 1.2, "c-cca": 0.8, "tnn-c-cca@published": 0.4}


def small_comparison(
    *,
    seed=0,
    methods=None,
    n_folds=3,
    n_classes=3,
    n_rows=(18, 24),
    views=("audio", "visual"),
    paired=False,
    labelled=True,
    failures=None,
):
    """A comparison on random embeddings; ``methods`` maps a name to its noise."""
    rng = np.random.default_rng(seed)
    folds = [
        _fold(method, noise, fold, rng, n_classes, dict(zip(views, n_rows, strict=True)), paired,
              labelled)
        for method, noise in (methods or METHODS).items()
        for fold in range(n_folds)
    ]  # fmt: skip
    return Comparison(
        data="small set",
        seed=seed,
        n_folds=n_folds,
        classes=tuple(f"class {c}" for c in range(n_classes)) if labelled else (),
        command="kyomei compare --data small.h5 --methods all",
        protocols=tuple(dict.fromkeys(d.protocol for d in folds[0].directions)),
        notes=("made for a test",),
        folds=folds,
        failures=failures or {},
        machine="2 cores",
    )


def _fold(method, noise, fold, rng, n_classes, sizes, paired, labelled):
    test = _embed(rng, noise, fold, n_classes, sizes, paired, labelled, "test")
    longer = {name: 2 * size for name, size in sizes.items()}
    train = _embed(rng, noise, fold, n_classes, longer, paired, labelled, "train")
    directions = measure({name: view.embedding for name, view in test.items()}, test)
    seconds = round(1.0 / noise, 3)
    n_fitted = sum(len(view.ids) for view in train.values()) + 21  # and the validation rows
    return FoldResult(method, fold, directions, seconds, {"ridge": 1.0}, test, train, n_fitted)


def _embed(rng, noise, fold, n_classes, sizes, paired, labelled, part):
    views = {}
    individual = rng.normal(size=(max(sizes.values()), 6)) * 0.5
    for number, (name, n_rows) in enumerate(sizes.items()):
        labels = np.arange(n_rows) % n_classes
        rows = np.eye(6)[labels % 6] + individual[:n_rows] * paired
        rows = rows + 0.15 * np.eye(6)[number] + noise * rng.normal(size=(n_rows, 6))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        owner = "item" if paired else name
        ids = np.array([f"{part}-{fold}-{owner}-{row:03d}" for row in range(n_rows)])
        views[name] = EmbeddedView(
            rows.astype(np.float32), ids, labels.astype(np.int64) if labelled else None
        )
    return views
