"""Builds the songs data set: score, lyrics and sound of windows of real songs.

The output has the layout of the ``folder`` data set with its split folders, so
``test/score/bach/bwv10-7-bar001.musicxml``, ``test/lyrics/bach/bwv10-7-bar001.txt`` and
``test/audio/bach/bwv10-7-bar001.flac`` are one true trio. ``songs.json`` says where each came from.
"""

import json
import logging
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool
from pathlib import Path

import soundfile
from tqdm import tqdm

from models.errors import DataError
from models.types import Modality
from training.datasets.seeded import named_generator
from training.datasets.songs.corpus import LICENCE_OF_THE_CORPUS, Corpus, find_corpus
from training.datasets.songs.musicxml import read_song, write_window
from training.datasets.songs.plan import PlannedWindow, choose_windows, plan_windows
from training.datasets.songs.song import Song
from training.datasets.songs.synthesis import SAMPLE_RATE_HZ, draw_performance, play
from training.datasets.songs.windows import struck
from training.datasets.songs.words import syllable_count
from training.datasets.whole_files import write_whole

FORMAT = 1
MANIFEST = "songs.json"
MODALITIES = (Modality.SCORE, Modality.LYRICS, Modality.AUDIO)
_CHUNK = 8
logger = logging.getLogger(__name__)


def build_songs(
    out: Path,
    *,
    seed: int = 0,
    split: str | None = None,
    limit: int | None = None,
    workers: int = 2,
    progress: bool = True,
) -> None:
    """Write the songs of the installed music21 corpus as score, lyrics and sound.

    Interrupted, it goes on where it stopped; the same seed gives the same bytes whatever the
    number of workers.

    Args:
        out: Folder to write to; made if missing.
        seed: Chooses split, timbres and tempi.
        split: Build only ``train``, ``validation`` or ``test``; None builds all.
        limit: Build at most so many windows, from as many songs as possible.
        workers: Processes; 1 works in this one.
        progress: Show progress bars.

    Raises:
        DataError: If music21 is not installed, or ``out`` holds songs of other settings.
    """
    corpus = find_corpus()
    settings = {"format": FORMAT, "seed": seed, "music21": corpus.version}
    _claim(out, settings)
    with _pool(workers) as pool:
        songs = _read_songs(corpus, pool, progress=progress)
        planned = plan_windows(songs, seed=seed)
        chosen = choose_windows(planned, split=split, limit=limit)
        missing = [one for one in chosen if not all(_exists(out, one))]
        jobs = [(out, one, seed) for one in missing]
        done = pool.imap_unordered(_write, jobs, chunksize=_CHUNK) if pool else map(_write, jobs)
        for _ in tqdm(done, total=len(jobs), desc="songs", unit="window", disable=not progress):
            pass
    entries = [_entry(one) for one in planned if all(_exists(out, one))]
    _write_manifest(out, settings, entries)
    logger.info("%d windows, %d of them new, in %s", len(entries), len(missing), out)


@contextmanager
def _pool(workers: int) -> Iterator[Pool | None]:
    """Open worker processes by spawn, which is safe beside threads; None for a single worker."""
    if workers <= 1:
        yield None
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield pool


def _claim(out: Path, settings: dict[str, object]) -> None:
    """Refuse a folder that was built otherwise (half of each would be neither); mark a new one.

    Raises:
        DataError: Naming both settings.
    """
    path = out / MANIFEST
    if not path.exists():
        _write_manifest(out, settings, [])
        return
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        found = {key: manifest.get(key) for key in settings}
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path} is damaged ({error}); delete it and build again") from error
    if found != settings:
        raise DataError(
            f"{out} holds songs built with {found}, asked for {settings}; "
            "delete it or build elsewhere"
        )


def _write_manifest(
    out: Path, settings: dict[str, object], entries: list[dict[str, object]]
) -> None:
    manifest = settings | {"licence": LICENCE_OF_THE_CORPUS, "windows": entries}
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    write_whole(out / MANIFEST, (text + "\n").encode())


def _read_songs(corpus: Corpus, pool: Pool | None, *, progress: bool) -> list[Song]:
    jobs = [(corpus, name) for name in corpus.files()]
    read = pool.imap(_read, jobs, chunksize=_CHUNK) if pool else map(_read, jobs)
    bar = tqdm(read, total=len(jobs), desc="corpus", unit="file", disable=not progress)
    return [song for song in bar if song is not None]


def _read(job: tuple[Corpus, str]) -> Song | None:
    """Read one file; a damaged one is reported and left out."""
    corpus, name = job
    try:
        return read_song(corpus.read(name), name)
    except DataError as error:
        logger.warning("left out: %s", error)
        return None


def _exists(out: Path, one: PlannedWindow) -> Iterator[bool]:
    return ((out / one.path(modality)).exists() for modality in MODALITIES)


def _write(job: tuple[Path, PlannedWindow, int]) -> None:
    """Write the three files of one window."""
    out, one, seed = job
    score = write_window(one.window.bars, title=one.song.title, composer=one.song.composer)
    write_whole(out / one.path(Modality.SCORE), score.encode())
    write_whole(out / one.path(Modality.LYRICS), (one.window.text + "\n").encode())
    _write_sound(out / one.path(Modality.AUDIO), one, seed)


def _write_sound(path: Path, one: PlannedWindow, seed: int) -> None:
    rng = named_generator(seed, one.stem)
    notes = struck(one.window.notes)
    performance = draw_performance(rng)
    samples = play(notes, performance, start=one.window.bars[0].start, rng=rng)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    soundfile.write(unfinished, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    unfinished.replace(path)


def _entry(one: PlannedWindow) -> dict[str, object]:
    """Describe one window for the manifest."""
    return {
        "id": one.stem,
        "split": one.split,
        "collection": one.song.collection,
        "title": one.song.title,
        "composer": one.song.composer,
        "source": f"music21/corpus/{one.song.source}",
        "bars": [one.window.first_bar, one.window.last_bar],
        "group": one.group,
        "notes": len(struck(one.window.notes)),
        "syllables": syllable_count(one.window.notes),
        "licence": one.song.licence,
        "files": {modality.value: str(one.path(modality)) for modality in MODALITIES},
    }
