"""How long TNN-C-CCA with the published settings takes at the size of VEGAS.

    python benchmarks/tnn_c_cca_fit.py

Prints one JSON object: rows, dimensions, classes, epochs, batches per epoch, seconds of the whole
fit (cluster-CCA, ten epochs on train rows, the refit on train and validation rows), threads. The
rows are random around class centres: 22,483 items of 128 and 1,024 numbers in 10 classes, as many
as VEGAS has in the training part of a fold, in about 500 batches of 45.
"""

import json
import sys
import time

import numpy as np
import torch

from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.recipe import FitContext
from training.presets import method_of

N_ROWS, DIMENSIONS, N_CLASSES = 22_483, {"audio": 128, "visual": 1024}, 10


def made_up() -> FeatureData:
    """Paired rows around class centres; a tenth of them validates."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, N_CLASSES, N_ROWS)
    ids = np.array([f"{number:06d}" for number in range(N_ROWS)])
    split = np.where(np.arange(N_ROWS) % 10 == 0, "validation", "train")
    views = {}
    for name, dimension in DIMENSIONS.items():
        centres = rng.normal(size=(N_CLASSES, dimension))
        rows = centres[labels] + 3.0 * rng.normal(size=(N_ROWS, dimension))
        views[name] = FeatureView(rows.astype(np.float32), ids, labels.astype(np.int64), split)
    return FeatureData(views, tuple(str(c) for c in range(N_CLASSES)))


def main() -> None:
    """Fit once and print."""
    data = made_up()
    _, recipe, config = method_of("tnn-c-cca@published")
    started = time.perf_counter()
    result = recipe.fit(data, config, FitContext(progress=True))
    line = {
        "rows": N_ROWS,
        "dimensions": list(DIMENSIONS.values()),
        "classes": N_CLASSES,
        "epochs": config.epochs,
        "batches": -(-N_ROWS * 9 // 10 // config.batch_size),
        "seconds": round(time.perf_counter() - started, 1),
        "threads": torch.get_num_threads(),
        "validation_score": result.parameters["validation_score"],
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
