"""MAP against the share of training items that lack a modality, and against noise on the input.

    python benchmarks/missing_modalities.py FEATURES.h5 [--methods vae-cca,tnn-c-cca,c-cca]
        [--views audio,video] [--seed 0] [--plot PNG]

Prints one JSON object per line:
``{"disturbance": "missing" or "noise", "level": ..., "method": ..., "map": ..., "chance": ...}``.
``missing`` is the share of training items from which one view, drawn at random, is taken away;
``noise`` the standard deviation, in those of the training rows, of Gaussian noise on test rows (the
spaces are trained on clean rows). MAP is that of the protocol ``class`` on the test split, mean of
all directions; the file's own split is used.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.spaces import SharedSpace
from training.datasets.disturb import add_noise, drop_partners
from training.datasets.feature_data import FeatureData
from training.datasets.feature_file import read_feature_file
from training.datasets.split import TEST
from training.evaluation.comparison_report.sweep import SweepPoint, write_sweep
from training.evaluation.protocol import CLASS, evaluate
from training.loops.recipe import FitContext
from training.presets import method_of

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LEVELS = (0.0, 0.25, 0.5, 1.0, 2.0)


def fitted(label: str, data: FeatureData, seed: int) -> SharedSpace:
    """Fit a method with its default settings."""
    _, recipe, config = method_of(label)
    context = FitContext(seed=seed, progress=False)
    return recipe.fit(data.for_selection(), config, context).space


def class_map(space: SharedSpace, data: FeatureData) -> tuple[float, float]:
    """Class MAP on the test split and chance, means of all directions."""
    found = [d for d in evaluate(space, data, split=TEST) if d.protocol == CLASS]
    return (
        float(np.mean([d.scores.map for d in found])),
        float(np.mean([d.chance.map for d in found])),
    )


def curves(label: str, data: FeatureData, seed: int) -> Iterator[tuple[str, float, float, float]]:
    """(disturbance, level, MAP, chance) of one method."""
    for share in SHARES:
        space = fitted(label, drop_partners(data, share=share, seed=seed), seed)
        yield "missing", share, *class_map(space, data)
    space = fitted(label, data, seed)
    for level in LEVELS:
        noisy = add_noise(data, level=level, seed=seed, splits=(TEST,))
        yield "noise", level, *class_map(space, noisy)


def main() -> None:
    """Print the lines and draw the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features", type=Path)
    parser.add_argument("--methods", default="vae-cca,tnn-c-cca,c-cca")
    parser.add_argument("--views", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    data = read_feature_file(options.features, seed=options.seed)
    names = options.views.split(",") if options.views else list(data.views)
    data = replace(data, views={name: data.views[name] for name in names})
    points: dict[str, list[SweepPoint]] = {"missing": [], "noise": []}
    for label in options.methods.split(","):
        for kind, level, value, chance in curves(label, data, options.seed):
            line = {"disturbance": kind, "level": level, "method": label}
            line |= {"map": round(value, 4), "chance": round(chance, 4)}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
            points[kind].append((level, label, "all directions", value))
    if options.plot is not None:
        for kind, drawn in points.items():
            path = options.plot.with_stem(f"{options.plot.stem}_{kind}")
            write_sweep(drawn, path, setting=kind)


if __name__ == "__main__":
    main()
