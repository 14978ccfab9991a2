"""What an approximate index really finds, measured against the exact answer."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.types import Float32Array
from service.index.ann import Effort, Finder
from service.index.eligible import Eligible
from service.index.exact import exact_positions
from service.index.queries import Queries
from service.index.rows import Rows
from service.index.scoring import rescored

_LOG = logging.getLogger(__name__)
DEPTH = 10
N_STORED = 64
_N_MOVED = 192
_MOVE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """Questions to a table of rows with their exact answers.

    The first ``N_STORED`` questions are stored rows, which must find themselves. By the others the
    recall is measured: stored rows moved in a random direction by half the distance to their
    ``DEPTH``-th neighbour, so that they lie between the rows like a query that was never stored.

    Attributes:
        queries: Shape (Q, K), float32.
        scores: Of the ``DEPTH`` nearest rows, exact, descending, shape (Q, DEPTH), float32;
            ``-inf`` where there are fewer rows.
    """

    queries: Float32Array
    scores: Float32Array


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a probe.

    Attributes:
        recall: Share of the exact ``DEPTH`` nearest (or rows as near) that were found, in [0, 1].
        self_found: Share of the stored rows that found themselves (or an equal row) first.
    """

    recall: float
    self_found: float


def make_probe(rows: Rows, threads: int, seed: int = 0) -> Probe:
    """Choose the questions and answer them by a scan of all rows."""
    generator = np.random.default_rng(seed)
    n = min(N_STORED + _N_MOVED, len(rows))
    queries = rows.vectors[np.sort(generator.choice(len(rows), n, replace=False))]
    generator.shuffle(queries, axis=0)
    neighbours = exact_positions(rows, queries, DEPTH, threads)[:, :DEPTH]
    reach = np.linalg.norm(rows.vectors[neighbours[:, -1]] - queries, axis=1, keepdims=True)
    noise = generator.standard_normal(queries.shape)
    noise *= _MOVE * reach / np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-30)
    queries[N_STORED:] += noise[N_STORED:]
    positions = exact_positions(rows, queries, DEPTH, threads)
    return Probe(queries, rescored(rows, Queries(queries), positions, DEPTH).scores)


def measure(rows: Rows, finder: Finder, effort: Effort, probe: Probe) -> Measured:
    """Ask the questions of a probe with some effort."""
    everything = Eligible(len(rows))
    queries = Queries(probe.queries)
    _, positions = finder.search(queries, effort.depth, effort.width, everything)
    found = rescored(rows, queries, positions, DEPTH).scores
    wanted = np.isfinite(probe.scores)
    last = np.where(wanted, probe.scores, np.inf).min(axis=1, keepdims=True)
    hits = ((found >= last) & wanted)[N_STORED:]
    itself = found[:N_STORED, 0] >= probe.scores[:N_STORED, 0]
    return Measured(float(hits.sum() / max(1, wanted[N_STORED:].sum())), float(itself.mean()))


def tune(
    rows: Rows, efforts: Sequence[Effort], finder: Finder, probe: Probe, target: float
) -> tuple[Effort, Measured]:
    """Return the least effort that reaches a recall, or the last of ``efforts``."""
    effort, measured = efforts[0], Measured(0.0, 0.0)
    for effort in efforts:
        measured = measure(rows, finder, effort, probe)
        _LOG.debug("%s gives %s", effort, measured)
        if is_enough(measured, target):
            break
    return effort, measured


def is_enough(measured: Measured, target: float) -> bool:
    """Whether an index may be used: enough recall, and stored rows find themselves."""
    return measured.recall >= target and measured.self_found >= target
