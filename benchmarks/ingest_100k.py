"""Bulk ingestion: many small files, killed three times on the way; rate, memory, nothing lost.

    python benchmarks/ingest_100k.py [--files 100000] [--workers 2] [--folder DIR]

Makes FILES different files: up to a tenth real ones where ../shared/data is there (spoken digits,
photographs of Caltech-101), the rest generated: PNG pictures of 48 x 48 pixels, lyrics of some
lines, WAV sounds of a quarter of a second; of 100 generated files 50 are lyrics, 40 pictures and 10
sounds. Then ``kyomei index`` takes them into the spaces that ship, in a process of its own. It is
killed (-9) when a fifth, a half and four fifths of the items are in the catalog, and started again.

Prints one JSON object: ``items``, ``different_ids`` and ``media_files`` (all must equal ``files``);
``skipped``; ``added_by_run``: what each run found to do; ``files_per_second`` of all runs together,
starts included; ``cpu_ms_per_file``: processor time of the last run with all its processes, which
other users of the machine hardly change; ``peak_rss_mb`` of the main process and of all its
processes together (summed RSS, so shared libraries count once for each process), sampled five times
a second, with the peak of each run; ``again_seconds`` of a run with nothing to do;
``resume_seconds``: from the start of a killed run's successor to its first new item. The limit is
1,500 MB for both peaks.
"""

import argparse
import json
import os
import platform
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
KILL_AT = (0.2, 0.5, 0.8)
PER_FOLDER = 1_000
SAMPLE_SECONDS = 0.2
WORDS = ["rain", "river", "night", "fire", "heart", "road", "silent", "golden", "winter", "home"]
MB = 1 << 20


def write_files(folder: Path, n_files: int) -> dict[str, int]:
    """Write the files below MODALITY/NUMBER/ and return how many there are of each kind."""
    counts = dict.fromkeys(("real", "image", "lyrics", "audio"), 0)
    for path, data in real_files(folder, n_files // 10):
        path.write_bytes(data)
        counts["real"] += 1
    for number in range(counts["real"], n_files):
        kind = "lyrics" if number % 10 < 5 else "image" if number % 10 < 9 else "audio"
        path = place(folder, kind, number) / f"{number}{SUFFIXES[kind]}"
        MAKERS[kind](path, number)
        counts[kind] += 1
    return counts


def place(folder: Path, kind: str, number: int) -> Path:
    """Folder of a file, made if it is not there."""
    target = folder / kind / str(number // PER_FOLDER)
    target.mkdir(parents=True, exist_ok=True)
    return target


def real_files(folder: Path, most: int) -> Iterator[tuple[Path, bytes]]:
    """Different sounds and pictures of the shared data sets, at most so many."""
    seen: set[int] = set()
    archives = {"audio": ("fsdd.tar", ".flac"), "image": ("caltech101_subset.tar", ".jpg")}
    for kind, (name, suffix) in archives.items():
        if not (SHARED / name).is_file():
            continue
        with tarfile.open(SHARED / name) as archive:
            for member in archive:
                if len(seen) >= most // (2 if kind == "audio" else 1):
                    break
                file = archive.extractfile(member) if member.name.endswith(suffix) else None
                data = b"" if file is None else file.read()
                if data and hash(data) not in seen:
                    seen.add(hash(data))
                    yield place(folder, kind, len(seen)) / f"real-{len(seen)}{suffix}", data


def write_picture(path: Path, number: int) -> None:
    """A soft pattern with the number in its first pixels."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (6, 6, 3), np.uint8)
    picture = np.array(Image.fromarray(small).resize((48, 48), Image.Resampling.BICUBIC))
    picture[0, :4, 0] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
    Image.fromarray(picture).save(path)


def write_lyrics(path: Path, number: int) -> None:
    """Some lines of words; the number is the last word."""
    words = np.random.default_rng(number).choice(WORDS, (5, 6))
    path.write_text("\n".join(map(" ".join, words)) + f"\nverse {number}\n")


def write_sound(path: Path, number: int) -> None:
    """A quarter of a second of two tones with noise."""
    rng = np.random.default_rng(number)
    t = np.arange(4_000) / 16_000
    tones = sum(np.sin(2 * np.pi * f * t) for f in rng.uniform(100, 4_000, 2))
    samples = 8_000 * (tones + 0.1 * rng.standard_normal(len(t)))
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(samples.astype("<i2").tobytes())


MAKERS = {"image": write_picture, "lyrics": write_lyrics, "audio": write_sound}
SUFFIXES = {"image": ".png", "lyrics": ".txt", "audio": ".wav"}


class Run:
    """One ``kyomei index``: started, watched, perhaps killed."""

    def __init__(self, media: Path, data: Path, workers: int) -> None:
        command = [sys.executable, "kyomei.py", "index", str(media), "--data", str(data)]
        options = ["--workers", str(workers), "--report", str(data.parent / "skipped.jsonl")]
        self.log = data.parent / "log"
        self.peak_main = self.peak_all = 0.0
        self.first_item_seconds = 0.0
        self._data = data
        with self.log.open("w") as log:
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            self.process = subprocess.Popen(  # noqa: S603
                [*command, *options], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def watch(self, kill_at: int | None) -> float:
        """Wait for the end, or kill at so many items; return the seconds it took."""
        start, before = time.monotonic(), count_items(self._data)
        while self.process.poll() is None:
            self._sample()
            n_items = count_items(self._data)
            if n_items > before and not self.first_item_seconds:
                self.first_item_seconds = time.monotonic() - start
            if kill_at is not None and n_items >= kill_at:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
            time.sleep(SAMPLE_SECONDS)
        return time.monotonic() - start

    def _sample(self) -> None:
        sizes = [rss_mb(pid) for pid in family(self.process.pid)]
        self.peak_main = max(self.peak_main, sizes[0])
        self.peak_all = max(self.peak_all, sum(sizes))


def cpu_seconds() -> float:
    """Processor time of all processes that were started here and have ended by themselves."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    """A process and everything that it started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found.extend(map(int, children.read_text().split()))
            except OSError:
                continue
    return found


def rss_mb(pid: int) -> float:
    """Resident memory of a process, 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def ask(data: Path, question: str) -> Any:
    """One value from the catalog."""
    with sqlite3.connect(f"file:{data / 'catalog.sqlite3'}?mode=ro", uri=True) as catalog:
        return catalog.execute(question).fetchone()[0]


def count_items(data: Path) -> int:
    """Items in the catalog, 0 before there is one."""
    try:
        return int(ask(data, "SELECT count(*) FROM items"))
    except sqlite3.OperationalError:
        return 0


def measure(folder: Path, n_files: int, workers: int) -> dict[str, Any]:
    """Make the files, index them, kill three times, and look at what is there."""
    media, data = folder / "media", folder / "data"
    start = time.monotonic()
    kinds = write_files(media, n_files)
    made_seconds = time.monotonic() - start
    seconds, added, peaks, resumes = 0.0, [], [], []
    for share in (*KILL_AT, None):
        before, cpu_before = count_items(data), cpu_seconds()
        run = Run(media, data, workers)
        seconds += run.watch(None if share is None else round(share * n_files))
        added.append(count_items(data) - before)
        peaks.append((run.peak_main, run.peak_all))
        resumes.append(round(run.first_item_seconds, 1))
        sys.stderr.write(f"{count_items(data)} items after {seconds:.0f} s\n")
    cpu = cpu_seconds() - cpu_before
    again = Run(media, data, workers)
    again_seconds = again.watch(None)
    told = re.search(r"(\d+) added, (\d+) already there, (\d+) skipped", again.log.read_text())
    return {
        "files": n_files,
        "kinds": kinds,
        "items": count_items(data),
        "different_ids": ask(data, "SELECT count(DISTINCT id) FROM items"),
        "media_files": sum(1 for path in (data / "media").rglob("*") if path.is_file()),
        "skipped": None if told is None else int(told[3]),
        "added_again": None if told is None else int(told[1]),
        "killed_at": [round(share * n_files) for share in KILL_AT],
        "added_by_run": added,
        "resume_seconds": resumes[1:],
        "files_per_second": round(n_files / seconds, 1),
        "cpu_ms_per_file": round(1000 * cpu / added[-1], 1),
        "seconds": round(seconds, 1),
        "again_seconds": round(again_seconds, 1),
        "made_files_seconds": round(made_seconds, 1),
        "peak_rss_mb": {
            "main": round(max(main for main, _ in peaks)),
            "all": round(max(together for _, together in peaks)),
            "all_by_run": [round(together) for _, together in peaks],
        },
        "workers": workers,
        "machine": {"cpus": os.cpu_count(), "processor": platform.processor() or machine()},
    }


def machine() -> str:
    """Name of the processor."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="Where to work; a passing one if left out.")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kyomei-ingest-", dir=options.folder))
    try:
        result = measure(folder, options.files, options.workers)
    finally:
        shutil.rmtree(folder)
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    main()
