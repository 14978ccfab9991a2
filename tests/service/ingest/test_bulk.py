"""Bulk ingestion: the bits of an upload, resumable after kill -9, constant memory, a report."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from models.errors import DataError
from models.types import Modality
from service.captions import Caption
from service.catalog.records import Embedding, Filter
from service.engine import Engine
from service.errors import ProblemError
from service.ingest import bulk, index_folder, new_item
from service.ingest.ledger import Stamp
from service.ingest.new_item import described
from tests.service.small_media import MAKERS, SUFFIXES, lyric, picture, sound

ROOT = Path(__file__).parents[3]


@pytest.fixture
def fresh(world, tmp_path):
    """An engine on an empty collection."""
    with contextlib.closing(Engine.open(world.settings(tmp_path / "data"))) as opened:
        yield opened


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def index(engine, origin, **options):
    return index_folder(engine.embedder, engine.collection, origin, progress=False, **options)


def items(engine, chosen=None):
    return engine.collection.items(chosen or Filter(), 0, 1000)[0]


def forbid_reading(engine, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError(f"read again: {arguments}")

    monkeypatch.setattr(engine.embedder, "read", refuse)


def test_an_item_indexed_in_bulk_has_the_vector_of_an_upload_and_of_a_query(fresh, tmp_path):
    files = {m: [MAKERS[m](label, 2) for label in range(3)] for m in ("audio", "score", "video")}
    folder = write(
        tmp_path / "m",
        {
            f"{m}/{n}{SUFFIXES[m]}": data
            for m, datas in files.items()
            for n, data in enumerate(datas)
        },
    )
    assert index(fresh, folder).added == 9
    for item in items(fresh):
        data = files[item.modality][int(item.title)]
        uploaded = new_item(fresh.embedder, data, None, Caption()).embeddings
        media = fresh.embedder.decode(data, item.modality)
        queried = fresh.embedder.embed(media, item.modality, list(uploaded))
        for space, embedding in uploaded.items():
            stored = fresh.collection.embedding(item, space)
            assert isinstance(embedding, Embedding)
            assert stored.vector.tobytes() == embedding.vector.tobytes()
            assert stored.vector.tobytes() == queried[space].vector.tobytes()
            assert stored.typicality == embedding.typicality == queried[space].typicality


def test_a_second_run_reads_no_file_and_a_lost_ledger_costs_hashing_only(
    fresh, tmp_path, monkeypatch
):
    folder = write(tmp_path / "m", {f"audio/{n}.wav": sound(n) for n in range(3)})
    assert index(fresh, folder).added == 3
    forbid_reading(fresh, monkeypatch)
    (tmp_path / "data" / "ingested.sqlite3").write_bytes(b"no database" * 1000)
    assert index(fresh, folder).present == 3
    monkeypatch.setattr(bulk, "sha256_of", None)  # the ledger knows them now
    assert index(fresh, folder).present == 3


def test_a_file_that_changed_is_read_again_and_a_deleted_item_comes_back(fresh, tmp_path):
    folder = write(tmp_path / "m", {"audio/a.wav": sound(0), "audio/b.wav": sound(1)})
    index(fresh, folder)
    gone = items(fresh, Filter(title="b"))[0]
    fresh.collection.delete(gone.id)
    write(folder, {"audio/a.wav": sound(2)})
    report = index(fresh, folder)
    assert (report.added, report.present) == (2, 0)
    assert len(items(fresh)) == 3


def test_a_manifest_is_indexed_with_its_columns(fresh, tmp_path):
    write(tmp_path, {"x/page.png": picture(0), "song.txt": lyric(0)})
    (tmp_path / "list.csv").write_text(
        "path,modality,title,label,year\n"
        "x/page.png,image,A page,paper,1900\n"
        "song.txt,,,,\n"
        "absent.wav,audio,,,\n"
    )
    report = index(fresh, tmp_path / "list.csv")
    assert report.added == 2
    assert report.skipped == (("absent.wav", "cannot be read: No such file or directory"),)
    (page,) = items(fresh, Filter(metadata={"year": "1900"}))
    assert (page.modality, page.title, page.label) == (Modality.IMAGE, "A page", "paper")
    assert page.metadata["width"] == 96
    (song,) = items(fresh, Filter(modality=Modality.LYRICS))
    assert song.title == "song"


def test_the_report_names_every_skipped_file_and_the_answer_the_first(fresh, tmp_path, monkeypatch):
    monkeypatch.setattr("service.ingest.report._MOST_KEPT", 2)
    folder = write(tmp_path / "m", {f"audio/{n}.wav": b"" for n in range(4)})
    report = index(fresh, folder, report=tmp_path / "skipped.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "skipped.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines] == [f"audio/{n}.wav" for n in range(4)]
    assert all("0 bytes" in line["reason"] for line in lines)
    assert (report.n_skipped, len(report.skipped)) == (4, 2)


def test_a_report_that_cannot_be_written_ends_before_anything_is_read(fresh, tmp_path, monkeypatch):
    forbid_reading(fresh, monkeypatch)
    folder = write(tmp_path / "m", {"audio/a.wav": sound(0)})
    with pytest.raises(DataError, match="expected to write the report"):
        index(fresh, folder, report=tmp_path / "nowhere" / "skipped.jsonl")


def test_neither_folder_nor_manifest_is_refused(fresh, tmp_path):
    with pytest.raises(DataError, match=r"a folder of media or a manifest \(\.csv, \.jsonl\)"):
        index(fresh, write(tmp_path, {"a.wav": sound(0)}) / "a.wav")


def test_one_item_that_cannot_be_stored_does_not_take_its_batch_along(fresh, tmp_path, monkeypatch):
    folder = write(tmp_path / "m", {f"audio/{n}.wav": sound(n) for n in range(3)})

    def spoil(source, *rest):
        made = described(source, *rest)
        if source.name == "1.wav":
            source.unlink()
        return made

    monkeypatch.setattr(bulk, "described", spoil)
    report = index(fresh, folder)
    assert report.added == 2
    assert [name for name, _ in report.skipped] == ["audio/1.wav"]
    assert "No such file" in report.skipped[0][1]


def test_a_file_that_changes_while_it_is_read_is_not_stored(fresh, tmp_path, monkeypatch):
    folder = write(tmp_path / "m", {"audio/a.wav": sound(0)})

    def change(source, *rest):
        write(folder, {"audio/a.wav": sound(1)})
        return described(source, *rest)

    monkeypatch.setattr(bulk, "described", change)
    report = index(fresh, folder)
    assert report.skipped == (("audio/a.wav", "was changed while it was read"),)
    assert (report.added, items(fresh)) == (0, [])


def test_without_workers_the_run_ends_at_once(fresh, tmp_path, monkeypatch):
    folder = write(tmp_path / "m", {f"audio/{n}.wav": sound(n) for n in range(3)})

    def refuse(*_, **__):
        raise ProblemError("decoders-down", "No file can be read")

    monkeypatch.setattr(fresh.embedder, "read", refuse)
    with pytest.raises(ProblemError, match="No file can be read"):
        index(fresh, folder)


def test_what_is_in_flight_does_not_grow_with_the_folder(fresh, tmp_path, monkeypatch):
    """Back-pressure: no file is looked at further ahead than two batches before the commits."""
    monkeypatch.setattr(bulk, "_BATCH", 4)
    folder = write(tmp_path / "m", {f"lyrics/{n:02}.txt": lyric(n % 6, n) for n in range(40)})
    looked, furthest = [], 0
    stamp_of = Stamp.of
    add_many = fresh.collection.add_many

    def look(path):
        looked.append(path)
        return stamp_of(path)

    def store(news):
        nonlocal furthest
        assert len(news) <= 4
        stored = fresh.collection.statistics().items.get(Modality.LYRICS, 0)
        furthest = max(furthest, len(looked) - stored)
        return add_many(news)

    monkeypatch.setattr(Stamp, "of", look)
    monkeypatch.setattr(fresh.collection, "add_many", store)
    assert index(fresh, folder).added == 40
    assert furthest <= 12


@pytest.mark.slow
def test_a_run_killed_at_random_is_resumed_and_nothing_is_done_twice(world, tmp_path):
    folder = write(tmp_path / "m", {f"lyrics/{n:03}.txt": lyric(n % 6, n // 6) for n in range(300)})
    data = tmp_path / "data"
    environment = {
        **os.environ,
        "KYOMEI_SPACES": str(world.spaces),
        "KYOMEI_DECODE_WORKERS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "kyomei.py", "index", str(folder), "--data", str(data)]
    chance = random.Random(0)  # noqa: S311  # where to kill
    for _ in range(2):
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        stop_at = chance.randrange(10, 250)
        with process.stderr as said:
            for piece in iter(lambda: said.read(16), ""):
                done = piece.rpartition("/300")[0].rpartition("|")[2].strip()
                if done.isdigit() and int(done) >= stop_at:
                    break
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ", 0 skipped" in finished.stdout
    added, present = [int(word) for word in finished.stdout.split() if word.isdigit()][:2]
    assert added + present == 300
    with sqlite3.connect(data / "catalog.sqlite3") as catalog:
        assert catalog.execute("SELECT count(*), count(DISTINCT id) FROM items").fetchone() == (
            300,
            300,
        )
    media = [path for path in (data / "media").rglob("*") if path.is_file()]
    assert len(media) == 300
