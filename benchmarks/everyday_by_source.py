"""The shipped space of sounds, pictures and videos, one data set of its test part at a time.

    python benchmarks/everyday_by_source.py EVERYDAY.h5 [--space models/pretrained/everyday]

``EVERYDAY.h5`` is the merged feature file of docs/compact.md; ids begin with the name of the data
set they come from. Queries and gallery are the test rows of one data set. Prints a line per data
set, protocol and direction: queries, gallery, MAP, MRR and recall@1, chance in brackets.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.spaces import load_space
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.feature_file import read_feature_file
from training.datasets.split import TEST
from training.evaluation.protocol import Direction, evaluate_embedded


def sources(data: FeatureData) -> list[str]:
    """Names of the data sets that were merged, in their order."""
    ids = [one for view in data.views.values() for one in view.ids.tolist()]
    return list(dict.fromkeys(one.partition("/")[0] for one in ids))


def only(view: FeatureView, source: str) -> FeatureView:
    """Test rows of one data set."""
    own = np.char.startswith(view.ids, f"{source}/")
    return view.take(own & (view.split == TEST))


def line(source: str, direction: Direction) -> str:
    """One line of figures."""
    found, chance = direction.scores, direction.chance
    figures = (
        f"MAP {found.map:.3f} ({chance.map:.3f})  MRR {found.mrr:.3f} ({chance.mrr:.3f})  "
        f"R@1 {found.recall[1]:.3f} ({chance.recall[1]:.3f})"
    )
    pair = f"{direction.query} -> {direction.target}"
    counts = f"{found.n_queries:5d} {found.n_gallery:5d}"
    return f"{source:12s} {direction.protocol:15s} {pair:16s} {counts}  {figures}"


def main() -> None:
    """Measure every data set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("features", type=Path)
    parser.add_argument("--space", type=Path, default=Path("models/pretrained/everyday"))
    options = parser.parse_args()
    manifest, space = load_space(options.space)
    data = read_feature_file(options.features, seed=manifest.seed)
    for source in sources(data):
        views = {name: only(view, source) for name, view in data.views.items()}
        views = {name: view for name, view in views.items() if len(view)}
        if len(views) < 2:
            continue
        part = replace(data, views=views)
        embedded = {name: space.project(name, view.features) for name, view in part.views.items()}
        for direction in evaluate_embedded(embedded, part.views, split=TEST):
            if direction.protocol != "class-averaged":
                sys.stdout.write(line(source, direction) + "\n")


if __name__ == "__main__":
    main()
