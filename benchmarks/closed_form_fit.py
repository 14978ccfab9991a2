"""How long a closed-form fit of the size of VEGAS takes.

    python benchmarks/closed_form_fit.py

Prints one line per fit: method, rows, dimensions, classes, seconds (best of three), threads. The
data are random; the time does not depend on the values.
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np

from models.cca.cluster_cca import fit_cluster_cca
from models.cca.linear_cca import fit_linear_cca

N_ROWS, DIMENSIONS, N_CLASSES = 22_483, (128, 1024), 10


def best_of_three(fit: Callable[[], object]) -> float:
    """Shortest of three runs, in seconds."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        fit()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Time both fits."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, N_CLASSES, N_ROWS)
    views = [rng.normal(size=(N_ROWS, d)) for d in DIMENSIONS]
    fits = {
        "cca": lambda: fit_linear_cca(views, n_components=10, ridge=1.0),
        "c-cca": lambda: fit_cluster_cca(views, [labels, labels], n_components=10, ridge=1.0),
    }
    for method, fit in fits.items():
        seconds = best_of_three(fit)
        sys.stdout.write(
            f"{method}: {N_ROWS} rows, {DIMENSIONS[0]} and {DIMENSIONS[1]} dimensions, "
            f"{N_CLASSES} classes: {seconds:.2f} s on {os.cpu_count()} cores\n"
        )


if __name__ == "__main__":
    main()
