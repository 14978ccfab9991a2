"""How long closed-form fits take: at the size of VEGAS, against cca-zoo, and against N, D and C.

    python benchmarks/closed_form_fit.py [--plot PNG]

Prints one JSON object per line. Seconds are the shortest of three runs. With neighbours on the
machine set OPENBLAS_NUM_THREADS=1: threads that wait for each other make every figure random.

``fit``: one CCA and one cluster-CCA of 22,483 rows of 128 and 1,024 dimensions with 10 classes.
``products``: the products X'X, X'Y and Y'Y alone. Every CCA in closed form needs them in some
form, so no other solver in double precision can take less time than this line.
``cca-zoo`` (only where cca-zoo is installed: ``pip install cca-zoo``): the same data through its
solvers, ours run in turn with each of them so that neighbours on the machine disturb both.
``ratio`` is its seconds over ours; ``largest_difference`` that of the canonical correlations.
``CCA`` and ``MCCA`` are one fit without a ridge; ``nine ridges`` is what choosing a ridge costs:
nine fits of its ``RidgeCCA`` against one diagonalisation and nine solutions of ours.
``cost``: seconds against N, D and C, one of them changed at a time. ``--plot`` draws these.

The data are random with ten shared directions; the time does not depend on the values.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from models.cca.cluster_cca import fit_cluster_cca
from models.cca.linalg import Projections, WhitenedMoments
from models.cca.linear_cca import fit_linear_cca
from models.cca.pair_moments import paired_moments
from models.types import Float64Array

N_ROWS, DIMENSIONS, N_CLASSES, N_COMPONENTS = 22_483, (128, 1024), 10, 10
RIDGES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
ROWS_TRIED = (2_500, 5_000, 10_000, 20_000, 40_000)
DIMENSIONS_TRIED = (128, 256, 512, 1024, 2048)
CLASSES_TRIED = (5, 10, 50, 250, 1000)
RUNS = 3
Views = list[Float64Array]


def random_views(n_rows: int, dimensions: Sequence[int]) -> Views:
    """Views (N, D_v) that share ten directions."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(n_rows, 10)) * np.linspace(2.0, 0.2, 10)
    return [
        shared @ rng.normal(size=(10, d)) / np.sqrt(10) + rng.normal(size=(n_rows, d))
        for d in dimensions
    ]


def shortest(*jobs: Callable[[], object]) -> list[float]:
    """Shortest of three runs of each job, in seconds; the jobs take turns."""
    seconds: list[list[float]] = [[] for _ in jobs]
    for _ in range(RUNS):
        for taken, job in zip(seconds, jobs, strict=True):
            started = time.perf_counter()
            job()
            taken.append(time.perf_counter() - started)
    return [min(taken) for taken in seconds]


def show(benchmark: str, **values: Any) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"benchmark": benchmark, **values}) + "\n")
    sys.stdout.flush()


def rounded(seconds: float) -> float:
    """Milliseconds are enough."""
    return round(seconds, 3)


def linear_fit(views: Views, ridge: float = 1.0) -> Projections:
    """Plain CCA."""
    return fit_linear_cca(views, n_components=N_COMPONENTS, ridge=ridge)


def cluster_fit(views: Views, n_classes: int) -> Projections:
    """Cluster-CCA of classes in turn."""
    labels = np.arange(len(views[0])) % n_classes
    return fit_cluster_cca(views, [labels, labels], n_components=N_COMPONENTS, ridge=1.0)


def ridge_path(views: Views) -> list[Projections]:
    """Plain CCA for every ridge, as a search does it."""
    whitened = WhitenedMoments(paired_moments(views))
    return [whitened.solve(n_components=N_COMPONENTS, ridge=ridge) for ridge in RIDGES]


def products(views: Views) -> list[Float64Array]:
    """X'X, X'Y and Y'Y."""
    x, y = views
    return [x.T @ x, x.T @ y, y.T @ y]


def measure_fits(views: Views) -> None:
    """One fit of each kind at the size of VEGAS."""
    threads = max(pool["num_threads"] for pool in threadpool_info())
    size = {"n_rows": N_ROWS, "dimensions": DIMENSIONS, "n_classes": N_CLASSES, "threads": threads}
    jobs = {
        "cca": lambda: linear_fit(views),
        "c-cca": lambda: cluster_fit(views, N_CLASSES),
        "products": lambda: products(views),
    }
    for name, seconds in zip(jobs, shortest(*jobs.values()), strict=True):
        show("fit", method=name, seconds=rounded(seconds), **size)


def measure_cca_zoo(views: Views) -> None:
    """The same data through cca-zoo."""
    try:
        from cca_zoo.linear import CCA, MCCA, RidgeCCA
    except ImportError:
        show("cca-zoo", skipped="cca-zoo is not installed here; pip install cca-zoo")
        return
    correlations = linear_fit(views, ridge=0.0).correlations
    zoo: dict[str, Callable[[], Any]] = {
        "CCA": lambda: CCA(n_components=N_COMPONENTS).fit(views),
        "MCCA": lambda: MCCA(n_components=N_COMPONENTS).fit(views),
    }
    for name, job in zoo.items():
        theirs, ours = shortest(job, lambda: linear_fit(views, ridge=0.0))
        scores = job().transform(views)
        found = [np.corrcoef(*(z[:, k] for z in scores))[0, 1] for k in range(N_COMPONENTS)]
        difference = float(np.abs(np.array(found) - correlations).max())
        show_ratio(name, theirs, ours, largest_difference=difference)
    shares = [ridge / (1.0 + ridge) for ridge in RIDGES]  # (1 - c) S + c I is S + r I, scaled

    def nine_fits() -> None:
        for share in shares:
            RidgeCCA(n_components=N_COMPONENTS, shrinkage=share).fit(views)

    show_ratio("nine ridges", *shortest(nine_fits, lambda: ridge_path(views)))


def show_ratio(solver: str, theirs: float, ours: float, **values: Any) -> None:
    """Print one comparison."""
    show(
        "cca-zoo",
        solver=solver,
        version=version("cca-zoo"),
        seconds=rounded(theirs),
        our_seconds=rounded(ours),
        ratio=round(theirs / ours, 1),
        **values,
    )


def measure_costs() -> dict[str, dict[int, list[float]]]:
    """Seconds of CCA and cluster-CCA against N, D (of the second view) and C."""
    costs: dict[str, dict[int, list[float]]] = {"N": {}, "D": {}, "C": {}}
    for n_rows in ROWS_TRIED:
        costs["N"][n_rows] = both_fits(random_views(n_rows, DIMENSIONS), N_CLASSES)
    for dimension in DIMENSIONS_TRIED:
        costs["D"][dimension] = both_fits(random_views(10_000, (128, dimension)), N_CLASSES)
    views = random_views(10_000, DIMENSIONS)
    for n_classes in CLASSES_TRIED:
        costs["C"][n_classes] = both_fits(views, n_classes)
    for axis, found in costs.items():
        for value, (linear, cluster) in found.items():
            show("cost", axis=axis, value=value, cca=rounded(linear), c_cca=rounded(cluster))
    return costs


def both_fits(views: Views, n_classes: int) -> list[float]:
    """Seconds of CCA and of cluster-CCA."""
    return shortest(lambda: linear_fit(views), lambda: cluster_fit(views, n_classes))


def plot_costs(costs: dict[str, dict[int, list[float]]], path: Path) -> None:
    """Draw seconds against N, D and C."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    titles = {
        "N": "rows N (D = 128 and 1,024)",
        "D": "dimension D of the second view (N = 10,000)",
        "C": "classes C (N = 10,000, D = 1,024)",
    }
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for axis, (name, found) in zip(axes, costs.items(), strict=True):
        seconds = np.array(list(found.values()))
        for column, method in enumerate(("cca", "c-cca")):
            axis.plot(list(found), seconds[:, column], marker="o", label=method)
        axis.set(xlabel=titles[name], ylabel="seconds", xscale="log", ylim=(0.0, None))
        axis.set_xticks(list(found), labels=[f"{value:,}" for value in found])
        axis.minorticks_off()
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Run every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="PNG of the cost against N, D and C")
    arguments = parser.parse_args()
    views = random_views(N_ROWS, DIMENSIONS)
    measure_fits(views)
    measure_cca_zoo(views)
    costs = measure_costs()
    if arguments.plot is not None:
        plot_costs(costs, arguments.plot)


if __name__ == "__main__":
    main()
