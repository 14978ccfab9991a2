"""Building the big part of an index: which type, over which rows, with what recall."""

import logging
import os
import time
from dataclasses import replace

import faiss
import numpy as np

from models.errors import ArtefactError
from service.index.ann import STRUCTURES, Effort, Stop, Structure
from service.index.auto import choose, next_more_exact
from service.index.eligible import Mask
from service.index.gpu import GpuIvf
from service.index.options import IndexOptions
from service.index.recall import Measured, Probe, is_enough, make_probe, measure, tune
from service.index.rows import Rows, largest_norm, new_generation
from service.index.state import Base, Learned, State, gathered

_LOG = logging.getLogger(__name__)
# Beside an approximate base so many recent rows are scanned before they are built into it ...
_FEWEST_RECENT = 4096
_RECENT_SHARE = 1 / 32
# ... and with so many dead or unlinkable rows it is built anew.
_STALE_SHARE = 1 / 4
# By how much a recall may differ after reloading, on another processor or a GPU.
_TOLERANCE = 0.02


class Builder:
    """Decides what base an index should have, and builds it; knows nothing of locks.

    Attributes:
        on_gpu: Whether flat and IVF live on a GPU.
    """

    def __init__(self, dimension: int, options: IndexOptions, *, on_gpu: bool) -> None:
        self.on_gpu = on_gpu
        self._dimension = dimension
        self._options = options
        self._better: dict[str, str] = {}  # what took the place of a type that found too little
        self._threads = max(options.threads, (os.cpu_count() or 1) // 2)

    def wanted_kind(self, n_rows: int) -> str:
        """Return the type for so many rows, after what was learnt from building it."""
        kind = choose(n_rows, self._dimension, self._options, on_gpu=self.on_gpu)
        while kind in self._better:
            kind = self._better[kind]
        return kind

    def is_due(self, state: State) -> bool:
        """Whether a state should get another base."""
        kind = self.wanted_kind(len(state))
        if kind == "flat":
            return state.base.kind != "flat" and len(state) * 2 < len(state.base.rows)
        return kind != state.base.kind or state.n_changed > max(
            _FEWEST_RECENT, len(state.base.rows) * _RECENT_SHARE
        )

    def build(self, state: State, stop: Stop) -> tuple[Base, Mask]:
        """Build the base that a state should have, and tell which of its rows are living.

        Raises:
            BuildStopped: When ``stop`` says so.
        """
        faiss.omp_set_num_threads(self._threads)
        kind = self.wanted_kind(len(state))
        started = time.perf_counter()
        if kind == "flat":
            rows = _compact(state)
            return Base(rows), np.ones(len(rows), np.bool_)
        if kind == state.base.kind and self._can_grow(state):
            rows, valid = _grown(state)
            structure = _structure(state).extended(rows.vectors, stop)
        else:
            rows = _compact(state)
            valid = np.ones(len(rows), np.bool_)
            structure = STRUCTURES[kind].build(rows.vectors, stop)
        learned = self.learn(rows, structure)
        _LOG.info(
            "index of type %s built over %d vectors in %.1f s: recall@10 %.3f with %s",
            *(kind, len(rows), time.perf_counter() - started),
            *(learned.measured.recall, learned.effort),
        )
        if is_enough(learned.measured, self._options.recall):
            return Base(rows, learned), valid
        return self._too_little(kind, Base(rows, learned), valid, state, stop)

    def learn(self, rows: Rows, structure: Structure) -> Learned:
        """Measure a structure and choose its effort."""
        probe = make_probe(rows, self._threads)
        finder = self.finder(structure)
        effort, measured = tune(rows, structure.efforts, finder, probe, self._options.recall)
        return Learned(structure, finder, effort, probe, measured)

    def opened(
        self, rows: Rows, structure: Structure, was: tuple[Effort, Probe, Measured]
    ) -> Learned:
        """Ask a structure that was read from a file the questions of its building again.

        Args:
            rows: What it stands over.
            structure: As it was read.
            was: Its effort, the questions, and what it found when it was built.

        Raises:
            ArtefactError: When it finds less now.
        """
        effort, probe, before = was
        finder = self.finder(structure)
        faiss.omp_set_num_threads(self._options.threads)
        now = measure(rows, finder, effort, probe)
        if min(now.recall - before.recall, now.self_found - before.self_found) < -_TOLERANCE:
            raise ArtefactError(
                f"the index of type {structure.kind} does not find what it found when it was "
                f"built: expected {before}, got {now}"
            )
        return Learned(structure, finder, effort, probe, now)

    def finder(self, structure: Structure) -> "Structure | GpuIvf":
        """Return who searches a structure: its copy on the GPU where there can be one."""
        return GpuIvf(structure) if self.on_gpu and structure.is_ivf else structure

    def _too_little(
        self, kind: str, base: Base, valid: Mask, state: State, stop: Stop
    ) -> tuple[Base, Mask]:
        """Go on to a more exact type where the type is ours to choose."""
        measured = base.learned.measured if base.learned else None
        if self._options.backend != "auto":
            _LOG.warning(
                "index of type %s: expected a recall of %.3f, measured %s; it is used because "
                "KYOMEI_INDEX_BACKEND asks for it: set that to auto for a type that reaches it",
                *(kind, self._options.recall, measured),
            )
            return base, valid
        self._better[kind] = next_more_exact(kind)
        _LOG.warning(
            "index of type %s: expected a recall of %.3f, measured %s; building %s instead",
            *(kind, self._options.recall, measured, self._better[kind]),
        )
        return self.build(replace(state), stop)

    def _can_grow(self, state: State) -> bool:
        last = state.base.rows.ids[-1] if len(state.base.rows) else -1
        stale = state.n_dead + int(np.searchsorted(state.recent.ids, last, side="right"))
        return stale <= len(state.base.rows) * _STALE_SHARE


def _structure(state: State) -> Structure:
    if state.base.learned is None:
        raise ValueError("expected a base with an approximate structure")
    return state.base.learned.structure


def _compact(state: State) -> Rows:
    """All living rows in one table; the base's own when nothing changed."""
    if not state.n_changed:
        return state.base.rows
    ids, tables, places = state.parts()
    vectors = gathered(tables, places)
    return Rows(ids, vectors, new_generation(), largest_norm(vectors))


def _grown(state: State) -> tuple[Rows, Mask]:
    """The base's rows, dead ones included, with those behind them that are newer than its last."""
    base, recent = state.base.rows, state.recent
    start = int(np.searchsorted(recent.ids, base.ids[-1], side="right"))
    rows = Rows(
        np.concatenate([base.ids, recent.ids[start:]]),
        np.concatenate([base.vectors, recent.vectors[start:]]),
        new_generation(),
        max(base.largest_norm, recent.largest_norm),
    )
    valid = np.concatenate([state.living.mask, np.ones(len(recent) - start, np.bool_)])
    return rows, valid
