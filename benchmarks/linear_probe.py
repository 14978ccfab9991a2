"""What a linear classifier reads from frozen features, on real sounds and pictures.

    python benchmarks/linear_probe.py --root DATA [--cache FOLDER] [--fold-weights RUNS] \
        [--audio compact-audio] [--image compact-image] [--tasks esc10,fsdd,mnist,av11]

``DATA`` holds the packs of docs/datasets. Prints JSON: for each task the extractor, the number of
training and test files, the share of test files named rightly, and chance (the largest class).

- ``esc10``: each of the four folds is tested by a network that never saw it: ``RUNS/fold1`` to
  ``RUNS/fold4`` hold its weights (``kyomei train-extractor compact-audio --test-fold 1 ...``, see
  docs/extractors.md). Without ``--fold-weights`` the shipped weights are used, which saw folds 1
  to 3; the answer then says so.
- ``fsdd``, ``mnist``, ``av11``: train and validation parts against the test part of `fsdd-mnist`
  (sounds, pictures) and of `av-animals` (pictures).

The classifier is scikit-learn's logistic regression on standardised rows; its C is chosen by
cross-validation on the training files (for ESC-10 by fold), never on the test files.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from models.features.registry import extractor
from models.features.weights import WEIGHTS_DIR_VARIABLE
from models.media.load import load
from models.types import Modality
from training.datasets.av_animals import open_av_animals
from training.datasets.esc10 import FOLDS, open_esc10
from training.datasets.example import Example
from training.datasets.fsdd_mnist import open_fsdd_mnist
from training.datasets.split import TEST

C_VALUES = [0.003, 0.03, 0.3]
SEED = 0


def rows_of(examples: Sequence[Example], name: str) -> np.ndarray:
    """Pooled features of examples, shape (N, D)."""
    reader = extractor(name)
    shown = tqdm(examples, desc=name, unit="file", disable=None)
    return np.stack([reader.pooled(load(one.source, one.modality)) for one in shown])


def probe(
    rows: np.ndarray, labels: np.ndarray, tested: np.ndarray, groups: np.ndarray | None = None
) -> float:
    """Share of the tested rows that a classifier of the others names rightly."""
    inner = (
        StratifiedKFold(3, shuffle=True, random_state=SEED)
        if groups is None
        else PredefinedSplit(groups[~tested])
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    search = GridSearchCV(model, {"logisticregression__C": C_VALUES}, cv=inner)
    search.fit(rows[~tested], labels[~tested])
    return float(search.score(rows[tested], labels[tested]))


def chance(labels: np.ndarray) -> float:
    """Share of the largest class."""
    return float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def measure(examples: Sequence[Example], name: str) -> dict[str, Any]:
    """Accuracy on the test part of a data set."""
    labels = np.array([one.label for one in examples])
    tested = np.array([one.split == TEST for one in examples])
    accuracy = probe(rows_of(examples, name), labels, tested)
    return {
        "extractor": name,
        "train": int((~tested).sum()),
        "test": int(tested.sum()),
        "accuracy": accuracy,
        "chance": chance(labels[tested]),
    }


def measure_esc10(options: argparse.Namespace) -> dict[str, Any]:
    """Mean accuracy over the four folds."""
    figures, n_clips = [], 0
    shipped = os.environ.get(WEIGHTS_DIR_VARIABLE)
    for fold in FOLDS:
        if options.fold_weights:
            os.environ[WEIGHTS_DIR_VARIABLE] = str(options.fold_weights / f"fold{fold}")
        examples = open_esc10(options.root, cache=options.cache, test_fold=fold).examples()
        labels = np.array([one.label for one in examples])
        folds = np.array([int(one.id.split("/")[1][0]) for one in examples])
        rows = rows_of(examples, options.audio)
        figures.append(probe(rows, labels, folds == fold, folds))
        n_clips = len(examples)
    if shipped is None:
        os.environ.pop(WEIGHTS_DIR_VARIABLE, None)
    else:
        os.environ[WEIGHTS_DIR_VARIABLE] = shipped
    return {
        "extractor": options.audio,
        "clips": n_clips,
        "folds": figures,
        "accuracy": float(np.mean(figures)),
        "chance": 0.1,
        "network_never_saw_the_fold": options.fold_weights is not None,
    }


def only(examples: Sequence[Example], modality: Modality) -> list[Example]:
    """Examples of one modality."""
    return [one for one in examples if one.modality == modality]


def main() -> None:
    """Measure the tasks that were asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--fold-weights", type=Path, default=None)
    parser.add_argument("--audio", default="compact-audio")
    parser.add_argument("--image", default="compact-image")
    parser.add_argument("--tasks", default="esc10,fsdd,mnist,av11")
    options = parser.parse_args()
    results: dict[str, Any] = {"seed": SEED}
    tasks = options.tasks.split(",")
    if "esc10" in tasks:
        results["esc10"] = measure_esc10(options)
    digits = open_fsdd_mnist(options.root, cache=options.cache).examples()
    if "fsdd" in tasks:
        results["fsdd"] = measure(only(digits, Modality.AUDIO), options.audio)
    if "mnist" in tasks:
        results["mnist"] = measure(only(digits, Modality.IMAGE), options.image)
    if "av11" in tasks:
        animals = open_av_animals(options.root, cache=options.cache).examples()
        results["av11"] = measure(only(animals, Modality.IMAGE), options.image)
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
