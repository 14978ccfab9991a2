"""Builds aligned triples: for every excerpt a sheet image, the words, and renditions in sound.

``OUT/test/score/SONG/ID.png``, ``OUT/test/lyrics/SONG/ID.txt`` and, per rendition,
``OUT/test/voice/SONG/ID.flac`` (the melody by one instrument), ``.../accompanied/...`` (with the
other parts on a piano) and ``.../sung/...`` (the words sung). ``triples.jsonl`` has a line for each
excerpt with the SHA-256 of its files, ``triples.json`` the settings and the licence.
"""

import json
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, cast

from tqdm import tqdm

from models.errors import DataError
from training.datasets.triples.manifest import (
    FORMAT,
    MANIFEST,
    ROWS,
    part_path,
    read_part,
)
from training.datasets.triples.renditions import RENDITIONS
from training.datasets.triples.source import Listed, Source
from training.datasets.triples.write import Renderer, RenderSettings
from training.datasets.whole_files import write_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What to build.

    Attributes:
        seed: Chooses the split, instruments, tempi and loudness.
        renditions: Of ``RENDITIONS``.
        soundfont: General MIDI ``.sf2``.
        instruments: Keys of ``INSTRUMENTS`` that may play the voice.
        limit: At most so many songs, spread over the collection; None for all.
        workers: Processes; 1 works in this one.
        progress: Show progress bars.
    """

    seed: int
    renditions: tuple[str, ...]
    soundfont: Path
    instruments: tuple[str, ...]
    limit: int | None = None
    workers: int = 2
    progress: bool = True

    def __post_init__(self) -> None:
        """Refuse what is not known.

        Raises:
            DataError: Naming it.
        """
        unknown = set(self.renditions) - set(RENDITIONS)
        if unknown or not self.renditions:
            raise DataError(
                f"renditions: expected some of {', '.join(RENDITIONS)}, got "
                f"{', '.join(self.renditions) or 'none'}"
            )


def build_triples(source: Source, out: Path, options: BuildOptions) -> int:
    """Write the triples of a source.

    Interrupted, it goes on where it stopped, song by song; the same seed gives the same files
    whatever the number of workers.

    Args:
        source: The songs.
        out: Folder to write to; made if missing.
        options: What to build.

    Returns:
        The number of triples in the folder.

    Raises:
        DataError: If a program is missing or ``out`` holds triples of other settings.
    """
    settings = RenderSettings(
        seed=options.seed,
        renditions=options.renditions,
        soundfont=options.soundfont,
        instruments=options.instruments,
    )
    stated = {"format": FORMAT, "source": source.name} | source.settings | settings.stated()
    _claim(out, stated, source)
    with _pool(options.workers, settings) as pool:
        songs = source.songs(options.seed, partial(_in_parallel, pool, options.progress))
        chosen = _spread(songs, options.limit)
        missing = [song for song in chosen if read_part(out, song.info.id) is None]
        jobs = [(source, song, out) for song in missing]
        done = _mapped(pool, _build_song, jobs, settings)
        bar = tqdm(done, total=len(jobs), desc="triples", unit="song", disable=not options.progress)
        failed = [line for line in bar if line]
    for line in failed:
        logger.warning("left out: %s", line)
    return _write_rows(out, [song.info.id for song in songs])


def _claim(out: Path, stated: dict[str, Any], source: Source) -> None:
    """Refuse a folder that was built otherwise; mark a new one.

    Raises:
        DataError: Naming both settings.
    """
    path = out / MANIFEST
    if path.exists():
        found = json.loads(path.read_text("utf-8")).get("settings")
        if found != json.loads(json.dumps(stated)):
            raise DataError(
                f"{out} holds triples built with {found}, asked for {stated}; delete it or build "
                "elsewhere"
            )
        return
    manifest = {"settings": stated, "licence": source.licence, "citation": source.citation}
    write_whole(path, (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode())


_renderer: Renderer | None = None  # of this worker process


def _start(settings: RenderSettings) -> None:
    global _renderer
    _renderer = Renderer(settings)


def _stop() -> None:
    """Leave no program running behind a build in this process."""
    global _renderer
    if _renderer is not None:
        _renderer.close()
        _renderer = None


@contextmanager
def _pool(workers: int, settings: RenderSettings) -> Iterator[Pool | None]:
    """Open worker processes by spawn, which is safe beside threads; None for a single worker."""
    if workers <= 1:
        try:
            yield None
        finally:
            _stop()
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_start, initargs=(settings,)) as pool:
        yield pool


def _in_parallel(
    pool: Pool | None,
    progress: bool,
    function: Callable[[str], object],
    places: Sequence[str],
    name: str,
) -> Iterable[object]:
    results = pool.imap(function, places, chunksize=8) if pool else map(function, places)
    return tqdm(results, total=len(places), desc=name, unit="song", disable=not progress)


def _mapped(
    pool: Pool | None,
    function: Callable[[Any], str],
    jobs: Sequence[Any],
    settings: RenderSettings,
) -> Iterable[str]:
    if pool:
        return pool.imap_unordered(function, jobs)
    _start(settings)
    return map(function, jobs)


def _spread(songs: Sequence[Listed], limit: int | None) -> Sequence[Listed]:
    """Every song, or ``limit`` of them evenly over each split's share of the list."""
    if limit is None or limit >= len(songs):
        return songs
    step = len(songs) / limit
    return [songs[int(number * step)] for number in range(limit)]


def _build_song(job: tuple[Source, Listed, Path]) -> str:
    """Write all files of a song and then, last, its rows; say why where it cannot be read."""
    source, song, out = job
    renderer = cast("Renderer", _renderer)
    try:
        rows = [renderer.write(out, song.info, excerpt) for excerpt in source.excerpts(song)]
    except DataError as error:
        return f"{song.place}: {error}"
    written = [row for row in rows if row is not None]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written)
    write_whole(part_path(out, song.info.id), lines.encode())
    return ""


def _write_rows(out: Path, names: Sequence[str]) -> int:
    """Put the rows of all songs that are done into one table, in the order of the source."""
    parts = [part for name in names if (part := read_part(out, name)) is not None]
    write_whole(out / ROWS, "".join(parts).encode())
    return sum(part.count("\n") for part in parts)
