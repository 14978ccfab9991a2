"""Builds the ``scenes`` data set: any number of scenes, in parallel, resumable."""

import logging
import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from models.errors import DataError
from training.datasets.scenes.files import scene_paths, write_scene
from training.datasets.scenes.manifest import check_manifest, write_manifest
from training.datasets.scenes.parameters import scene_parameters
from training.datasets.scenes.scene import SceneParameters

_logger = logging.getLogger(__name__)

_CHUNK = 8  # scenes per message to a worker: few messages, and the bar still moves every second


def build_scenes(
    out: Path,
    *,
    count: int,
    seed: int = 0,
    first: int = 0,
    workers: int = 2,
    progress: bool = True,
) -> None:
    """Write scenes ``first`` .. ``first + count - 1`` of a seed; those that are there stay.

    The folder has the layout of the ``folder`` data set: ``video/<kind>``, ``audio/<kind>`` and
    ``image/<kind>``, one stem per scene, and ``scenes.json``. An interrupted run is continued by
    the same call. Other seeds give other scenes, and so do other indexes: scenes that training must
    not see are those of another range.

    Args:
        out: The data set folder.
        count: Number of scenes, >= 1.
        seed: Seed of the data set, >= 0.
        first: Index of the first scene, >= 0.
        workers: Processes that render; 1 renders in this one.
        progress: Show a bar with rate and time left.

    Raises:
        DataError: If an argument is out of range, or ``out`` is a file or holds scenes of another
            seed or version.
    """
    if count < 1 or first < 0 or seed < 0 or workers < 1:
        raise DataError(
            "expected count >= 1, first >= 0, seed >= 0 and workers >= 1, "
            f"got count={count}, first={first}, seed={seed} and workers={workers}"
        )
    if out.exists() and not out.is_dir():
        raise DataError(f"expected a folder to write scenes to, but {out} is a file")
    check_manifest(out, seed=seed)
    scenes = [scene_parameters(seed, index) for index in range(first, first + count)]
    missing = [scene for scene in scenes if not scene_paths(scene, out).complete()]
    write_manifest(out, [], seed=seed)  # a run that breaks off has claimed the folder
    with tqdm(
        total=count, initial=count - len(missing), unit="scene", desc="scenes", disable=not progress
    ) as bar:
        for written in _write_all(missing, out, workers):
            bar.update(written)
    write_manifest(out, scenes, seed=seed)
    _logger.info("%s: %s scenes written, %s were there", out, len(missing), count - len(missing))


def _write_all(scenes: list[SceneParameters], folder: Path, workers: int) -> Iterator[int]:
    """Write scenes in chunks and yield how many each finished chunk had."""
    chunks = [scenes[start : start + _CHUNK] for start in range(0, len(scenes), _CHUNK)]
    if workers == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield _write_chunk(chunk, folder)
        return
    with _pool(min(workers, len(chunks))) as pool:
        for future in as_completed([pool.submit(_write_chunk, chunk, folder) for chunk in chunks]):
            yield future.result()


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes; waiting work is dropped when the caller is interrupted."""
    context = multiprocessing.get_context("spawn")  # fork would copy threads of other libraries
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Make this worker end when its parent does: one that was killed cannot tell its workers."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)  # from a thread, nothing gentler ends the process; files are whole or absent

    threading.Thread(target=watch, daemon=True).start()


def _write_chunk(scenes: list[SceneParameters], folder: Path) -> int:
    """Write some scenes, in a worker process, and return how many."""
    for scene in scenes:
        write_scene(scene, folder)
    return len(scenes)
