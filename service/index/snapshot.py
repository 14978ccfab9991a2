"""Files of a ``FaissIndex``: its state written, and opened again without reading it all."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ArtefactError
from service.index.ann import STRUCTURES, Effort
from service.index.builder import Builder
from service.index.eligible import Eligible
from service.index.recall import Measured, Probe
from service.index.rows import Rows, largest_norm, new_generation
from service.index.snapshot_file import (
    GatheredRows,
    SnapshotFile,
    Tensor,
    changed_rows,
    open_snapshot,
    write_snapshot,
)
from service.index.state import Base, Learned, State

_LOG = logging.getLogger(__name__)


def write_state(path: Path, state: State) -> State:
    """Write a whole state to one file, and return it as it is opened from there.

    A base that is scanned takes in what came since; a base with an approximate structure stays as
    it is, with the changes beside it in the same file.
    """
    learned = state.base.learned
    if learned is None:
        ids, tables, places = state.parts()
        norm = max(state.base.rows.largest_norm, state.recent.largest_norm)
        tensors: dict[str, Tensor] = {"ids": ids, "vectors": GatheredRows(tables, places)}
        write_snapshot(path, tensors, _facts(norm))
        rows = _rows(open_snapshot(path))
        return State(Base(rows, None, path), Eligible(len(rows)), Rows.empty(rows.vectors.shape[1]))
    rows = state.base.rows
    tensors = {"ids": rows.ids, "vectors": rows.vectors, **_learned_tensors(learned)}
    facts = {
        **_facts(rows.largest_norm),
        "type": learned.structure.kind,
        "width": str(learned.effort.width),
        "depth": str(learned.effort.depth),
        "recall": repr(learned.measured.recall),
        "self_found": repr(learned.measured.self_found),
    }
    write_snapshot(path, {**tensors, **_changes(state)}, facts)
    file = open_snapshot(path)
    mapped = _rows(file)
    structure = type(learned.structure).open(file.tensors["structure"], mapped.vectors)
    finder = structure if learned.finder is learned.structure else learned.finder
    opened = replace(learned, structure=structure, finder=finder)
    return State(Base(mapped, opened, path), state.living, state.recent)


def write_changes(path: Path, state: State) -> None:
    """Write by what a state differs from its base."""
    write_snapshot(path, _changes(state), {})


def loaded_state(path: Path, changes: Path | None, dimension: int, builder: Builder) -> State:
    """Open what ``write_state`` and then ``write_changes`` wrote.

    Raises:
        ArtefactError: When a file is missing, damaged, no index, or of another dimension, or when
            the approximate structure does not find what it found when it was built.
    """
    file = open_snapshot(path)
    rows = _rows(file)
    if rows.vectors.shape[1] != dimension:
        raise ArtefactError(
            f"{path}: expected vectors of {dimension} dimensions, got {rows.vectors.shape[1]}"
        )
    removed, ids, vectors = changed_rows(file if changes is None else open_snapshot(changes))
    living = Eligible(len(rows))
    gone = rows.positions(removed)
    if len(gone):
        mask = living.mask.copy()
        mask[gone] = False
        living = Eligible(len(rows), mask=mask)
    recent = Rows(ids, vectors.reshape(-1, dimension), new_generation(), largest_norm(vectors))
    base = Base(rows, _learned(file, rows, builder), path)
    return State(base, living, recent)


def _rows(file: SnapshotFile) -> Rows:
    ids, vectors = file.rows("ids", "vectors")
    norm = file.facts.get("largest_norm")  # files of the first version have none
    return Rows(
        ids, vectors, new_generation(), largest_norm(vectors) if norm is None else float(norm)
    )


def _facts(norm: float) -> dict[str, str]:
    return {"largest_norm": repr(norm)}


def _learned_tensors(learned: Learned) -> Mapping[str, Tensor]:
    return {
        "structure": learned.structure.data(),
        "probe_queries": learned.probe.queries,
        "probe_scores": learned.probe.scores,
    }


def _changes(state: State) -> dict[str, Tensor]:
    dead: NDArray[Any] = np.empty(0, np.int64)
    if not state.living.is_all:
        dead = state.base.rows.ids[~state.living.mask]
    return {
        "removed_ids": dead,
        "recent_ids": state.recent.ids,
        "recent_vectors": state.recent.vectors,
    }


def _learned(file: SnapshotFile, rows: Rows, builder: Builder) -> Learned | None:
    if "structure" not in file.tensors:
        return None
    try:
        kind = STRUCTURES[file.facts["type"]]
        effort = Effort(int(file.facts["width"]), int(file.facts["depth"]))
        before = Measured(float(file.facts["recall"]), float(file.facts["self_found"]))
        probe = Probe(file.tensors["probe_queries"], file.tensors["probe_scores"])
        data = file.tensors["structure"]
    except (KeyError, ValueError) as error:
        raise ArtefactError(
            f"{file.path}: expected type, effort and recall, got {error}"
        ) from error
    structure = kind.open(data, rows.vectors)
    if structure.index.ntotal != len(rows):
        raise ArtefactError(
            f"{file.path}: expected a structure over {len(rows)} rows, got {structure.index.ntotal}"
        )
    return builder.opened(rows, structure, (effort, probe, before))
