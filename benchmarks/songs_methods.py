"""UGAAR beside CCA, deep CCA and InfoNCE on songs: audio, score and lyrics find each other.

    python benchmarks/songs_methods.py --data F.h5 --out FOLDER [--methods all] [--seeds 0]
        [--pool 1000] [--views audio,score,lyrics] [--set ugaar:epochs=40 ...]

``F.h5`` is a feature file with the three views (docs/feature_file.md); its own split is used.
Every method is fitted on the train and validation rows with its default settings, changed by
``--set METHOD:key=value`` where asked for (METHOD may be ``*``: all that have the key):

- ``cca``: multi-view CCA of the three views, in closed form;
- ``dcca``: deep CCA of each pair of views, three fits, each measured on its own pair;
- ``contrastive``: InfoNCE over the true pairs of the three views;
- ``ugaar``, ``ugaar-info-nce``: docs/methods/ugaar.md;
- ``ugaar-no-adversary``, ``ugaar-no-ground-truth``, ``ugaar-no-transfer``: its ablations, and the
  same three of ``ugaar-info-nce``.

Labels are taken away, so that all methods see true pairs alone. Test items that all views hold are
the collection; of more than ``--pool`` so many are drawn by the seed of the pool (0 for every
method and seed, so that all are measured on the same items). Protocol ``instance``: relevant is the
partner with the same id; all queries and the whole pool count; the random order stands beside.

``FOLDER/METHOD-SEED.json`` is written when a method is done; a call with the same arguments goes on
with what is missing, and refuses results of other data or settings. At the end a Markdown table
(mean over seeds, spread in brackets from two seeds on) is printed and written to
``FOLDER/table.md``, and ``FOLDER/results.json``:
``{"data": {"file": NAME, "sha256": ...}, "pool": N, "rows": [{"method": ..., "seed": ...,
"query": ..., "target": ..., "mrr": ..., "recall@1": ..., "recall@5": ..., "recall@10": ...,
"recall@25": ..., "median_rank": ..., "chance": {same keys}, "n_queries": Q, "n_gallery": G,
"fit_seconds": ...}, ...]}``.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from models.errors import DataError
from training.config import load_config
from training.datasets.feature_data import FeatureData, rows_of_common_ids
from training.datasets.feature_file import read_feature_file
from training.datasets.seeded import rank_ids
from training.datasets.split import TEST
from training.evaluation.chance import chance_first_rank
from training.evaluation.protocol import INSTANCE, Direction, evaluate
from training.loops.recipe import FitContext
from training.loops.registry import recipe

RECALL_25 = 25
FIGURES = ("mrr", "recall@1", "recall@5", "recall@10", "recall@25", "median_rank")
VIEWS = "audio,score,lyrics"
POOL_SEED = 0


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of the comparison.

    Attributes:
        method: Key in ``RECIPES``.
        settings: What differs from its defaults, ``key=value``.
        by_pairs: Fitted on each pair of views by itself.
    """

    method: str
    settings: tuple[str, ...] = ()
    by_pairs: bool = False


ABLATIONS = {
    "no-adversary": ("adversary=0.0",),
    "no-ground-truth": ("ground_truth=false",),
    "no-transfer": ("transfer=0.0",),
}
CONTENDERS = {
    "cca": Contender("cca"),
    "dcca": Contender("dcca", by_pairs=True),
    "contrastive": Contender("contrastive"),
    **{
        label: Contender(method, settings)
        for method in ("ugaar", "ugaar-info-nce")
        for label, settings in {
            method: (),
            **{f"{method}-{name}": changes for name, changes in ABLATIONS.items()},
        }.items()
    },
}


def songs(path: Path, views: Sequence[str], pool: int) -> FeatureData:
    """The views that are compared, without labels, the test items of the pool alone.

    Raises:
        DataError: If a view is missing or no test item has all of them.
    """
    data = read_feature_file(path)
    missing = sorted(set(views) - set(data.views))
    if missing:
        raise DataError(f"expected the views {list(views)}, found {sorted(data.views)}")
    kept = {name: replace(data.views[name], labels=None) for name in views}
    tested = {name: view.only(TEST) for name, view in kept.items()}
    rows = rows_of_common_ids(tested)
    first = tested[views[0]]
    ids = first.ids[rows[views[0]]].tolist()
    if not ids:
        raise DataError(f"expected test items that all of {list(views)} hold, found none")
    chosen = rank_ids(ids, seed=POOL_SEED, purpose="pool")[:pool]
    for name, view in kept.items():
        kept[name] = view.take((view.split != TEST) | np.isin(view.ids, chosen))
    return replace(data, views=kept, classes=())


def only(data: FeatureData, views: Sequence[str]) -> FeatureData:
    """Some of the views."""
    return replace(data, views={name: data.views[name] for name in views})


def settings_of(label: str, changes: Sequence[str]) -> Any:
    """The configuration of a contender with the changes that are meant for it."""
    contender = CONTENDERS[label]
    found = recipe(contender.method)
    known = {field.name for field in fields(found.config)}
    wanted = list(contender.settings)
    for change in changes:
        name, _, assignment = change.partition(":")
        key = assignment.partition("=")[0].strip()
        if name == label or (name == "*" and key in known):
            wanted.append(assignment)
    return load_config(found.config, None, wanted)


def measured(label: str, data: FeatureData, config: Any, seed: int) -> list[dict[str, Any]]:
    """Fit a contender and measure it on the pool, one row per direction."""
    contender = CONTENDERS[label]
    names = list(data.views)
    whole: list[tuple[str, ...]] = [tuple(names)]
    groups = [*combinations(names, 2)] if contender.by_pairs else whole
    rows = []
    for group in groups:
        part = only(data, group)
        started = time.perf_counter()
        context = FitContext(seed=seed, progress=sys.stderr.isatty())
        fitted = recipe(contender.method).fit(part.for_selection(), config, context)
        seconds = round(time.perf_counter() - started, 1)
        found = [d for d in evaluate(fitted.space, part) if d.protocol == INSTANCE]
        extra = {"method": label, "seed": seed, "fit_seconds": seconds}
        extra["validation_score"] = fitted.parameters["validation_score"]
        rows += [{**extra, **figures(direction)} for direction in found]
    return rows


def figures(direction: Direction) -> dict[str, Any]:
    """The figures of one direction, chance beside them."""
    scores, random = direction.scores, direction.chance
    found, by_chance = scores.as_dict(), random.as_dict()
    found[f"recall@{RECALL_25}"] = float(np.mean(scores.ranks <= RECALL_25))
    first = chance_first_rank(scores.n_gallery, 1)
    by_chance[f"recall@{RECALL_25}"] = float(first[:RECALL_25].sum())
    return {
        "query": direction.query,
        "target": direction.target,
        **{name: found[name] for name in FIGURES},
        "chance": {name: by_chance[name] for name in FIGURES},
        "n_queries": scores.n_queries,
        "n_gallery": scores.n_gallery,
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: one line per method and direction, chance last."""
    head = ["method", "query → target", "MRR", "R@1", "R@5", "R@10", "R@25", "median rank"]
    lines = [head, ["---"] * len(head)]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    by_chance: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        direction = f"{row['query']} → {row['target']}"
        groups.setdefault((row["method"], direction), []).append(row)
        by_chance[direction] = row["chance"]
    for (method, direction), same in groups.items():
        lines.append([f"`{method}`", direction, *(_cell(name, same) for name in FIGURES)])
    for direction, chance in by_chance.items():
        lines.append(["chance", direction, *(_cell(name, [chance]) for name in FIGURES)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Mean over seeds, and the spread where there are several."""
    values = [float(row[name]) for row in rows]
    digits = 0 if name == "median_rank" else 3
    spread = f" ± {np.std(values):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def kept(path: Path, identity: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of an earlier call, or None.

    Raises:
        DataError: If they were made from other data or settings.
    """
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["identity"] != identity:
        raise DataError(f"{path} was made from other data or settings; choose another --out")
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def write(path: Path, value: Any) -> None:
    """Write JSON whole or not at all."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every contender with every seed, those that are done read from the folder."""
    labels = list(CONTENDERS) if options.methods == "all" else options.methods.split(",")
    unknown = sorted(set(labels) - set(CONTENDERS))
    if unknown:
        raise DataError(f"unknown method {unknown[0]!r}, expected of {list(CONTENDERS)}")
    data = songs(options.data, options.views.split(","), options.pool)
    digest = hashlib.sha256(options.data.read_bytes()).hexdigest()
    runs = [(label, int(seed)) for seed in options.seeds.split(",") for label in labels]
    rows = []
    for label, seed in tqdm(runs, desc="songs", unit="fit", disable=None):
        config = settings_of(label, options.set)
        identity = {"sha256": digest, "pool": options.pool, "views": options.views}
        identity |= {"config": json.loads(json.dumps(asdict(config)))}
        path = options.out / f"{label}-{seed}.json"
        found = kept(path, identity)
        if found is None:
            found = measured(label, data, config, seed)
            write(path, {"identity": identity, "rows": found})
        rows += found
    named = {"file": options.data.name, "sha256": digest}
    write(options.out / "results.json", {"data": named, "pool": options.pool, "rows": rows})
    return rows


def main() -> None:
    """Fit, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--methods", default="all")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--pool", type=int, default=1000)
    parser.add_argument("--views", default=VIEWS)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    text = table(compare(options))
    (options.out / "table.md").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
