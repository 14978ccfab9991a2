"""Triples as the networks take them: pictures of staves and of sound, and codes of characters.

They are computed once, in parallel, and kept in ``.npy`` files, which training maps into memory.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from tqdm import tqdm

from models.features.songs import log_frequency
from models.features.songs.character_codes import LENGTH, character_codes
from models.features.songs.staff_strip import COLUMNS, ROWS, staff_strips
from models.media.load import load
from models.types import Modality, UInt8Array

SCORE, LYRICS = "score", "lyrics"


@dataclass(frozen=True, slots=True)
class Kind:
    """One face of a triple.

    Attributes:
        modality: How its file is read.
        shape: Of the array of one triple.
        prepare: Decoded media to pieces, of which the first is taken.
    """

    modality: Modality
    shape: tuple[int, ...]
    prepare: Callable[[Any], UInt8Array]


_AUDIO = Kind(
    Modality.AUDIO,
    (log_frequency.ROWS, log_frequency.COLUMNS),
    log_frequency.log_frequency_windows,
)


def kind_of(name: str) -> Kind:
    """Return what a face is: ``score``, ``lyrics``, or any rendition in sound."""
    if name == SCORE:
        return Kind(Modality.SCORE, (ROWS, COLUMNS), lambda score: staff_strips(score.pages))
    if name == LYRICS:
        return Kind(Modality.LYRICS, (LENGTH,), lambda lyrics: character_codes(lyrics.text))
    return _AUDIO


def prepared(
    name: str,
    files: Sequence[Path],
    cache: Path,
    *,
    identity: Sequence[str],
    workers: int = 2,
    progress: bool = True,
) -> NDArray[np.uint8]:
    """Return one face of all triples, from the cache where it is there.

    Args:
        name: ``score``, ``lyrics`` or a rendition.
        files: The file of each triple.
        cache: Folder of the arrays.
        identity: What the files are, such as their hashes; another one is another array.
        workers: Processes.
        progress: Show a bar.

    Returns:
        Shape (N, ...), mapped into memory, read only.
    """
    kind = kind_of(name)
    digest = hashlib.sha256(json.dumps([2, name, list(identity)]).encode()).hexdigest()[:16]
    path = cache / f"{name}-{digest}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        array = open_memmap(partial, "w+", np.uint8, (len(files), *kind.shape))
        for number, one in enumerate(_all(name, files, workers=workers, progress=progress)):
            array[number] = one
        array.flush()
        partial.rename(path)
    return np.asarray(np.load(path, mmap_mode="r"))


def _all(name: str, files: Sequence[Path], *, workers: int, progress: bool) -> Iterable[UInt8Array]:
    jobs = [(name, file) for file in files]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        results = pool.imap(_one, jobs, chunksize=32)
        yield from tqdm(results, total=len(jobs), desc=name, unit="file", disable=not progress)


def _one(job: tuple[str, Path]) -> UInt8Array:
    name, file = job
    kind = kind_of(name)
    return kind.prepare(load(file, kind.modality))[0]
