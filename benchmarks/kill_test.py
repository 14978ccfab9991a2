"""Kill a collection at random moments while it changes, and see whether anything is lost.

    python benchmarks/kill_test.py --kills 100 --seed 0

Each round starts a process that adds from three threads, deletes from a fourth, saves the indexes
from a fifth and searches from a sixth, and kills it (-9) at a random moment. After every kill,
``kyomei check`` must find nothing, and the collection, opened again, must hold every item that was
acknowledged and none whose deletion was; each item must be found at its own vector.

``--kind full`` does the same on a file system that is full (a tmpfs of ``--megabytes``; needs
root), ``--kind truncated`` cuts a random piece off a random index file before each opening.

Prints one JSON object: what was done, and the counts of what was wrong, all zero when all is well.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.types import Modality
from service.collection import Collection, StorageFullError, writer
from service.collection.check import check_folder
from service.index.options import IndexOptions
from tests.service.collection_cases import AV, new_item, vector

ROOT = Path(__file__).parents[1]
NUMBERS_PER_ROUND = 1_000_000
KEPT_FREE = 20


@dataclass
class Tally:
    """What was told by the killed processes, and what was wrong afterwards."""

    kills: int = 0
    added: int = 0
    deleted: int = 0
    refused_for_space: int = 0
    lost: int = 0
    back: int = 0
    not_found: int = 0
    findings: list[str] = field(default_factory=list)
    there: set[int] = field(default_factory=set)

    @property
    def is_well(self) -> bool:
        """Whether nothing was lost, came back, could not be found or did not fit."""
        return not (self.lost or self.back or self.not_found or self.findings)


class Nursery:
    """A process that has imported everything and gives birth to those that are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.kill_test", "--nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._orders, self._said = self._process.stdin, self._process.stdout

    def killed(self, folder: Path, round_: int, n_lines: int, pause: float) -> list[list[str]]:
        """Start a process, kill it after so many lines and a pause; return the words it said."""
        self._orders.write(f"{round_} {folder}\n")
        self._orders.flush()
        born, pid = self._said.readline().split()
        assert born == "born", born  # noqa: S101
        lines: list[list[str]] = []
        while len(lines) < n_lines and (not lines or lines[-1][0] != "end"):
            lines.append(self._said.readline().split())
        time.sleep(pause)
        os.kill(int(pid), signal.SIGKILL)
        while not lines or lines[-1][0] != "end":
            lines.append(self._said.readline().split())
        return lines[:-1]

    def close(self) -> None:
        """End the process."""
        with self._process:
            self._orders.close()


def _nursery() -> None:
    """Read orders, one a line; each makes a child, and its end is told."""
    for order in sys.stdin:
        round_, folder = order.rstrip("\n").split(" ", 1)
        pid = os.fork()
        if pid == 0:
            _Child(Path(folder), int(round_)).run()
            os._exit(1)
        _say("born", pid)
        os.waitpid(pid, 0)
        _say("end", 0)


def _say(verb: str, number: int) -> None:
    """Tell the one who counts; a line this short gets through a pipe whole or not at all."""
    os.write(1, f"{verb} {number}\n".encode())


def run(
    folder: Path, *, kills: int, seed: int, truncate: bool = False, pause: float = 0.0
) -> Tally:
    """Kill so many times; return what came of it.

    Args:
        folder: Data directory, new.
        kills: How often.
        seed: Of the moments.
        truncate: Whether to cut a piece off an index file after each kill.
        pause: Longest wait after the last line that was read, in seconds.
    """
    chance, tally, nursery = random.Random(seed), Tally(), Nursery()  # noqa: S311
    try:
        for round_ in tqdm(range(kills), unit="kill"):
            moment = (chance.randint(1, 60), chance.uniform(0, pause))
            said = nursery.killed(folder, round_, *moment)
            if truncate:
                _truncate(folder, chance)
            else:
                _check(folder, tally)
            _compare(folder, said, tally)
            if truncate:
                _check(folder, tally)
            tally.kills += 1
    except KeyboardInterrupt:
        pass  # what was done so far is told
    finally:
        nursery.close()
    return tally


def _check(folder: Path, tally: Tally) -> None:
    report = check_folder(folder, [AV], IndexOptions("auto", "cpu", 1), progress=False)
    tally.findings += [f"{finding.kind}: {finding.detail}" for finding in report.findings]


def _truncate(folder: Path, chance: random.Random) -> None:
    files = sorted(path for path in (folder / "indexes").rglob("*") if path.is_file())
    if files:
        path = chance.choice(files)
        os.truncate(path, chance.randint(0, path.stat().st_size))


def _compare(folder: Path, said: list[list[str]], tally: Tally) -> None:
    """Hold what is there against what was told."""
    told = {verb: {int(n) for v, n in said if v == verb} for verb in _VERBS}
    tally.added += len(told["added"])
    tally.deleted += len(told["deleted"])
    tally.refused_for_space += len(told["full"])
    with Collection(folder, [AV], device="cpu") as collection:
        items, _ = collection.items(None, 0, 10**9)
        numbers = {int(item.title.removeprefix("sound ")): item for item in items}
        known = set(numbers)
        expected = (tally.there | told["added"]) - told["deleting"] - told["deleted"]
        tally.lost += len(expected - known)
        tally.back += len(known & told["deleted"])
        queries = np.stack([vector(number) for number in numbers]) if numbers else np.empty((0, 16))
        if len(queries):
            hits = collection.search(AV.name, Modality.AUDIO, queries.astype(np.float32), 1)
            found = [answer[0][0].number for answer in hits]
            tally.not_found += sum(
                item.number != number for item, number in zip(numbers.values(), found, strict=True)
            )
        everything = collection.search(AV.name, Modality.AUDIO, vector(0)[None], len(items) + 9)
        tally.not_found += abs(len(everything[0]) - len(items))
    tally.there = known


_VERBS = ("added", "deleting", "deleted", "full")


class _Child:
    """The process that is killed."""

    def __init__(self, folder: Path, seed: int) -> None:
        writer.SAVE_EVERY = 7
        self._collection = Collection(folder, [AV], device="cpu")
        self._first = (seed + 1) * NUMBERS_PER_ROUND
        self._seed = seed
        self._mine: list[tuple[int, str]] = []
        self._guard = threading.Lock()

    def run(self) -> None:
        """Change the collection until somebody ends it."""
        items, _ = self._collection.items(None, 0, 10**9)
        self._mine = [(int(item.title.removeprefix("sound ")), item.id) for item in items]
        _say("open", 0)
        threads = [threading.Thread(target=self._add, args=(lane,)) for lane in range(3)]
        jobs = (self._delete, self._save, self._search)
        threads += [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _add(self, lane: int) -> None:
        for number in range(self._first + lane, self._first + NUMBERS_PER_ROUND, 3):
            try:
                item, _ = self._collection.add(new_item(number))
            except StorageFullError:
                _say("full", number)
                continue
            _say("added", number)
            with self._guard:
                self._mine.append((number, item.id))

    def _delete(self) -> None:
        chance = random.Random(self._seed)  # noqa: S311  # not for secrets
        while True:
            with self._guard:
                one = None
                if len(self._mine) > KEPT_FREE:
                    one = self._mine.pop(chance.randrange(len(self._mine)))
            if one is None:
                time.sleep(0.001)
                continue
            _say("deleting", one[0])
            with contextlib.suppress(StorageFullError):
                self._collection.delete(one[1])
                _say("deleted", one[0])

    def _save(self) -> None:
        while True:
            with contextlib.suppress(StorageFullError):
                self._collection.save()

    def _search(self) -> None:
        while True:
            self._collection.search(AV.name, Modality.AUDIO, vector(1)[None], 5)


@contextlib.contextmanager
def _small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of that size; needs root."""
    place = Path(tempfile.mkdtemp(prefix="kyomei-full-"))
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    subprocess.run(["mount", *options], check=True)  # noqa: S603, S607
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607
        place.rmdir()


def _full(kills: int, seed: int, megabytes: int) -> Tally:
    """Each round on the same small disk, with just enough given back to open the collection."""
    with _small_disk(megabytes) as disk:
        folder = disk / "data"
        folder.mkdir()
        ballast = disk / "ballast"
        chance, tally, nursery = random.Random(seed), Tally(), Nursery()  # noqa: S311
        try:
            for round_ in tqdm(range(kills), unit="kill"):
                free = shutil.disk_usage(disk).free
                ballast.write_bytes(bytes(max(0, free - chance.randint(100_000, 900_000))))
                said = nursery.killed(folder, round_, chance.randint(1, 60), chance.uniform(0, 0.3))
                ballast.unlink()
                _check(folder, tally)
                _compare(folder, said, tally)
                tally.kills += 1
        except KeyboardInterrupt:
            pass  # what was done so far is told
        finally:
            nursery.close()
        return tally


def main() -> None:
    """Run what the command line asks for and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=["plain", "truncated", "full"], default="plain")
    parser.add_argument("--megabytes", type=int, default=24)
    parser.add_argument("--nursery", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.nursery:
        _nursery()
        return
    start = time.perf_counter()
    if asked.kind == "full":
        tally = _full(asked.kills, asked.seed, asked.megabytes)
    else:
        with tempfile.TemporaryDirectory() as folder:
            truncate = asked.kind == "truncated"
            tally = run(
                Path(folder) / "data",
                kills=asked.kills,
                seed=asked.seed,
                truncate=truncate,
                pause=0.3,
            )
    answer = {
        "kind": asked.kind,
        "seed": asked.seed,
        "kills": tally.kills,
        "acknowledged_adds": tally.added,
        "acknowledged_deletes": tally.deleted,
        "refused_for_space": tally.refused_for_space,
        "items_at_the_end": len(tally.there),
        "acknowledged_items_lost": tally.lost,
        "deleted_items_back": tally.back,
        "items_not_found_by_search": tally.not_found,
        "findings_of_check": tally.findings[:20],
        "is_well": tally.is_well,
        "seconds": round(time.perf_counter() - start, 1),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
    }
    print(json.dumps(answer, indent=2))  # noqa: T201
    sys.exit(not tally.is_well)


if __name__ == "__main__":
    main()
