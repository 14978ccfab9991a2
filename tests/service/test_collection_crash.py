"""An acknowledged item survives a kill at any moment; what was not acknowledged leaves no trace."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from benchmarks import kill_test
from models.errors import ArtefactError
from models.types import Modality
from service.collection import Collection, StorageFullError
from tests.service.collection_cases import (
    AV,
    media,
    media_files,
    new_item,
    numbers_found,
    vector,
)

ROOT = Path(__file__).parents[2]


def child(folder, program):
    """Run a program that has an open collection, in a process of its own."""
    preamble = f"""
        import sys
        from pathlib import Path
        import service.collection.writer as writer
        from service.collection import Collection
        from tests.service.collection_cases import AV, new_item
        writer.SAVE_EVERY = 3
        collection = Collection(Path({str(folder)!r}), [AV], backend="numpy")
        def say(*words):
            print(*words, flush=True)
        say("open")
    """
    code = textwrap.dedent(preamble) + textwrap.dedent(program)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def kill(process):
    """Kill a child and return the lines that nobody has read yet.

    `communicate` would read the bare pipe, past the lines that `readline` already holds in its
    buffer: on a busy machine it loses some, or begins in the middle of one.
    """
    with process:
        process.send_signal(signal.SIGKILL)
        return process.stdout.read().splitlines()


def assert_whole(collection):
    """Every item has its media and is found at its vector; there are no other files."""
    items, total = collection.items(None, 0, 10_000)
    expected_files = []
    for item in items:
        number = int(item.title.removeprefix("sound "))
        assert collection.media_path(item).read_bytes() == media(number)
        hits = collection.search(AV.name, Modality.AUDIO, vector(number)[None], 1)
        assert numbers_found(hits) == [[item.number]]
        expected_files.append(f"media/{item.id[:2]}/{item.id}.wav")
    everything = collection.search(AV.name, Modality.AUDIO, vector(0)[None], 10_000)
    assert len(everything[0]) == total
    assert media_files(collection.folder) == sorted(expected_files)


@pytest.mark.slow
@pytest.mark.parametrize("truncate", [False, True], ids=["plain", "index files cut"])
def test_no_acknowledged_change_is_lost_by_a_kill_at_a_random_moment(tmp_path, truncate):
    """The short form of ``benchmarks/kill_test.py``."""
    tally = kill_test.run(tmp_path / "data", kills=2, seed=3, truncate=truncate)
    assert tally.is_well, tally
    assert tally.kills == 2
    assert tally.added > 10


KILLED_AT = {
    "media staged": ("service.collection.media_files.MediaFiles", "publish", "before"),
    "media published": ("service.collection.media_files.MediaFiles", "publish", "after"),
    "committed": ("service.catalog.catalog.Catalog", "insert_missing", "after"),
    "indexed": ("service.collection.index_set.IndexSet", "add", "after"),
    "index file written": ("service.index.numpy_backend.NumpyIndex", "save", "after"),
    "deletion marked": ("service.collection.media_files.MediaFiles", "mark", "after"),
    "deletion committed": ("service.catalog.catalog.Catalog", "delete", "after"),
    "unindexed": ("service.collection.index_set.IndexSet", "remove", "after"),
}


@pytest.mark.parametrize("moment", KILLED_AT)
def test_a_kill_at_each_step_leaves_a_whole_collection(tmp_path, moment):
    place, method, when = KILLED_AT[moment]
    module, name = place.rsplit(".", 1)
    program = f"""
        collection.add_many([new_item(1), new_item(2)])
        import os, signal
        from {module} import {name}
        original = {name}.{method}
        def deadly(self, *args, **options):
            if "{when}" == "after":
                original(self, *args, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        {name}.{method} = deadly
        collection.add(new_item(3))
        collection.delete(collection.items()[0][0].id)
        collection.save()
        say("survived")
    """
    process = child(tmp_path, program)
    output, _ = process.communicate(timeout=60)
    assert "survived" not in output
    assert process.returncode == -signal.SIGKILL
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        assert_whole(collection)
        titles = [item.title for item in collection.items()[0]]
    is_added = moment not in ("media staged", "media published")
    is_deleted = moment in ("deletion committed", "unindexed")
    assert ("sound 3" in titles) == is_added
    assert ("sound 1" in titles) != is_deleted
    assert "sound 2" in titles


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stores_nothing_and_says_so(tmp_path, monkeypatch, code):
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        collection.add(new_item(1))
        real_sync, calls = os.fsync, []

        def full_at_the_second_file(descriptor):
            calls.append(descriptor)
            if len(calls) == 2:
                raise OSError(code, os.strerror(code))
            real_sync(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_at_the_second_file)
            with pytest.raises(StorageFullError, match=f"no space left in {tmp_path}"):
                collection.add_many([new_item(2), new_item(3), new_item(4)])
        assert len(calls) >= 2
        assert_whole(collection)
        assert collection.items()[1] == 1
        assert collection.add(new_item(2))[1]
        assert_whole(collection)


def test_a_full_disk_when_names_are_made_lasting_takes_the_media_back(tmp_path, monkeypatch):
    with Collection(tmp_path, [AV], backend="numpy") as collection:

        def full(folder):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("service.collection.media_files.sync_folder", full)
            with pytest.raises(StorageFullError):
                collection.add(new_item(1))
        assert_whole(collection)
        assert collection.items()[1] == 0


def test_other_disk_errors_keep_their_kind(tmp_path, monkeypatch):
    def broken(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with Collection(tmp_path, [AV], backend="numpy") as collection:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", broken)
            with pytest.raises(OSError, match="Input/output") as caught:
                collection.add(new_item(1))
        assert not isinstance(caught.value, StorageFullError)
        assert_whole(collection)


def test_an_index_that_cannot_be_saved_does_not_fail_the_upload(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("service.collection.writer.SAVE_EVERY", 1)

    def full(path, value):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Collection(tmp_path, [AV], backend="numpy") as collection:
        with monkeypatch.context() as patch:
            patch.setattr("service.collection.space_indexes.write_json", full)
            item, is_new = collection.add(new_item(1))
            with pytest.raises(StorageFullError):
                collection.save()
        assert is_new
        assert "the items are safe" in caplog.text
        assert_whole(collection)
    with Collection(tmp_path, [AV], backend="numpy") as collection:
        assert collection.get(item.id) == item
        assert_whole(collection)


def test_a_second_process_is_told_to_upload_through_the_server(tmp_path):
    process = child(tmp_path, "input()")
    try:
        pattern = rf"open in another process \(number {process.pid}\).*POST /items"
        with pytest.raises(ArtefactError, match=pattern):
            Collection(tmp_path, [AV])
    finally:
        kill(process)
    Collection(tmp_path, [AV]).close()


def test_a_second_collection_in_the_same_process_is_refused(tmp_path):
    with (
        Collection(tmp_path, [AV]),
        pytest.raises(ArtefactError, match=f"number {os.getpid()}"),
    ):
        Collection(tmp_path, [AV])


def test_a_forked_worker_does_not_keep_the_lock(tmp_path):
    process = child(
        tmp_path,
        """
        import os, time
        heard, said = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.write(said, b"x")  # runs, so what Python does after a fork is done
            time.sleep(60)
            os._exit(0)
        os.read(heard, 1)
        say(worker)
        time.sleep(60)
        """,
    )
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)
    try:
        Collection(tmp_path, [AV]).close()
    finally:
        os.kill(worker, signal.SIGKILL)
        process.stdout.close()


def test_media_without_a_marker_are_never_touched(tmp_path):
    with Collection(tmp_path, [AV]) as collection:
        collection.add(new_item(1))
    (tmp_path / "media" / "note.txt").write_text("mine")
    (tmp_path / "catalog.sqlite3").unlink()
    for path in tmp_path.glob("catalog.sqlite3-*"):
        path.unlink()
    with pytest.raises(ArtefactError, match="collection_id"):
        Collection(tmp_path, [AV])
    assert len(media_files(tmp_path)) == 2


def test_vectors_on_the_disk_equal_those_that_were_searched(tmp_path):
    queries = np.stack([vector(n) for n in range(100, 110)])
    with Collection(tmp_path, [AV], device="cpu") as collection:
        collection.add_many(new_item(n) for n in range(50))
        before = collection.search(AV.name, Modality.AUDIO, queries, 50)
    with Collection(tmp_path, [AV], device="cpu") as collection:
        assert collection.search(AV.name, Modality.AUDIO, queries, 50) == before
