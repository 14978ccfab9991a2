"""Folders in, items out: paths become captions, bad files are named, a second run adds nothing."""

import contextlib
import logging
import os
import shutil

import av
import pytest

from models.errors import MediaError
from models.types import Modality
from service.captions import Caption
from service.catalog.records import Filter
from service.engine import Engine, SearchOptions
from service.errors import ProblemError
from service.ingest import index_folder, new_item
from service.ingest.ledger import Stamp
from tests.service.small_media import film, lyric, picture, sound


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


def index(engine, folder, **options):
    return index_folder(engine.embedder, engine.collection, folder, progress=False, **options)


def test_parts_of_a_work_share_its_id(world, fresh):
    report = index(fresh, world.media / "everyday")
    assert (report.added, report.present, report.skipped) == (72, 0, ())
    items, total = fresh.collection.items(Filter(work_id="everyday/c1/2"), 0, 10)
    assert total == 3
    assert {item.modality for item in items} == {"audio", "image", "video"}
    assert {item.label for item in items} == {"c1"}


def test_indexing_twice_adds_nothing(world, fresh):
    index(fresh, world.media / "songs" / "lyrics")
    before = fresh.collection.statistics()
    report = index(fresh, world.media / "songs" / "lyrics")
    assert (report.added, report.present) == (0, 24)
    assert fresh.collection.statistics() == before


def test_bad_files_are_named_and_the_rest_goes_in(fresh, tmp_path):
    folder = write(
        tmp_path / "mixed",
        {
            "audio/good.wav": sound(0),
            "audio/empty.wav": b"",
            "audio/cut.wav": sound(1)[:50],
            "audio/picture.wav": picture(0),
            "image/good.png": picture(1),
            "video/noise.mp4": bytes(range(256)) * 4,
            ".hidden/x.wav": sound(2),
            "audio/.DS_Store": b"junk",
        },
    )
    report = index(fresh, folder)
    assert report.added == 2
    reasons = dict(report.skipped)
    assert set(reasons) == {
        "audio/empty.wav",
        "audio/cut.wav",
        "audio/picture.wav",
        "video/noise.mp4",
    }
    assert "0 bytes" in reasons["audio/empty.wav"]
    assert "expected audio, got a PNG file" in reasons["audio/picture.wav"]
    assert report.seconds > 0


def test_files_beside_folders_of_modalities_are_no_media(fresh, tmp_path):
    folder = write(
        tmp_path / "set", {"audio/one.wav": sound(0), "LICENCE.txt": b"all rights given away"}
    )
    report = index(fresh, folder)
    assert report.added == 1
    assert report.skipped == (("LICENCE.txt", "lies outside the folders named after modalities"),)


def test_a_file_that_cannot_be_read_is_skipped(fresh, tmp_path, monkeypatch):
    folder = write(tmp_path / "f", {"audio/a.wav": sound(0), "audio/b.wav": sound(1)})

    def refuse(path):
        if path.name == "a.wav":
            raise PermissionError(13, "Permission denied")
        return stamp_of(path)

    stamp_of = Stamp.of
    monkeypatch.setattr(Stamp, "of", refuse)
    report = index(fresh, folder)
    assert report.added == 1
    assert report.skipped == (("audio/a.wav", "cannot be read: Permission denied"),)


def test_without_a_modality_in_the_path_the_content_decides(fresh, tmp_path):
    files = {"c/a.x": sound(0), "c/b.x": picture(0), "c/c.x": film(0), "d.x": lyric(0)}
    assert index(fresh, write(tmp_path / "plain", files)).added == 4
    items, _ = fresh.collection.items(Filter(), 0, 10)
    assert {item.title: str(item.modality) for item in items} == {
        "a": "audio",
        "b": "image",
        "c": "video",
        "d": "lyrics",
    }


def test_names_that_are_not_utf_8_are_indexed_and_reported(fresh, tmp_path, caplog):
    folder = write(
        tmp_path / os.fsdecode(b"\xfd"),
        {
            "ok.wav": sound(0),
            "z.wav": sound(1),
            os.fsdecode(b"\xff\xfe.wav"): sound(2),
            os.fsdecode(b"\xff\xfd.wav"): sound(3),
            os.fsdecode(b"cut\xff.wav"): b"",
        },
    )
    with caplog.at_level(logging.INFO):
        report = index_folder(fresh.embedder, fresh.collection, folder, progress=True)
    assert (report.added, report.present) == (4, 0)
    assert [path for path, _ in report.skipped] == ["cut\ufffd.wav"]
    assert "skipped cut\ufffd.wav" in caplog.text
    items, _ = fresh.collection.items(Filter(), 0, 10)
    assert sorted(item.title for item in items) == ["ok", "z", "\ufffd\ufffd", "\ufffd\ufffd"]
    assert len({item.work_id for item in items}) == 4
    assert index(fresh, folder).present == 4


def test_the_same_bytes_twice_in_a_folder_are_one_item(fresh, tmp_path):
    folder = write(tmp_path / "f", {"audio/a.wav": sound(0), "audio/b.wav": sound(0)})
    report = index(fresh, folder)
    assert (report.added, report.present) == (1, 1)


def test_items_go_only_to_the_named_spaces(fresh, tmp_path):
    folder = write(tmp_path / "f", {"audio/a.wav": sound(0), "image/b.png": picture(0)})
    report = index(fresh, folder, spaces=["songs"])
    assert report.added == 1
    assert "None of songs covers image" in report.skipped[0][1]
    item = fresh.collection.items(Filter(), 0, 1)[0][0]
    assert fresh.collection.embedding(item, "songs") is not None
    assert fresh.collection.embedding(item, "everyday") is None


def test_an_interrupted_run_keeps_what_it_read_and_goes_on(world, fresh, monkeypatch):
    folder = world.media / "songs" / "lyrics"
    calls = []
    read = fresh.embedder.read

    def stop_at_20(source, *arguments, **options):
        calls.append(source)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return read(source, *arguments, **options)

    monkeypatch.setattr(fresh.embedder, "read", stop_at_20)
    with pytest.raises(KeyboardInterrupt):
        index(fresh, folder)
    assert fresh.collection.items(Filter(), 0, 1)[1] == 19
    monkeypatch.undo()
    report = index(fresh, folder)
    assert (report.added, report.present) == (5, 19)


def test_the_report_and_the_bar_agree(world, fresh, capsys):
    folder = world.media / "songs" / "lyrics" / "c0"
    index_folder(fresh.embedder, fresh.collection, folder, progress=True)
    assert "4/4" in capsys.readouterr().err


def test_a_new_item_has_facts_and_a_title_of_its_own(engine):
    made = new_item(engine.embedder, lyric(0), None, Caption())
    assert (made.modality, made.title) == (Modality.LYRICS, "rain falls on the")
    assert made.metadata["lines"] == 3
    assert (made.media_type, made.suffix) == ("text/plain", ".txt")
    assert set(made.embeddings) == {"songs"}
    assert new_item(engine.embedder, sound(0), None, Caption(title=" ")).title == "audio/wav"


def test_what_no_space_covers_cannot_become_an_item(engine):
    with pytest.raises(ProblemError, match="None of everyday covers lyrics"):
        new_item(engine.embedder, lyric(0), Modality.LYRICS, Caption(), spaces=["everyday"])
    with pytest.raises(MediaError):
        new_item(engine.embedder, b"", None, Caption())


def test_a_moved_folder_is_still_known_by_its_content(world, fresh, tmp_path):
    index(fresh, world.media / "everyday" / "image")
    moved = shutil.copytree(world.media / "everyday" / "image", tmp_path / "elsewhere" / "image")
    assert index(fresh, moved.parent).present == 24


@pytest.mark.parametrize("modality", [None, Modality.VIDEO])
def test_no_file_is_opened_by_ffmpeg_in_the_process_of_the_service(
    fresh, tmp_path, monkeypatch, modality
):
    """A crash of FFmpeg must end a worker, never the server."""
    data = film(3, 0.2)
    folder = write(tmp_path / "f", {"c/a.x": film(4, 0.2)})

    def refuse(*_, **__):
        raise AssertionError("FFmpeg ran in the process of the service")

    monkeypatch.setattr(av, "open", refuse)
    made = new_item(fresh.embedder, data, modality, Caption())
    assert (made.modality, made.media_type, made.suffix) == ("video", "video/mp4", ".mp4")
    assert index(fresh, folder).added == 1
    answer = fresh.search(data, Modality.VIDEO, Modality.VIDEO, SearchOptions(k=1))
    assert answer.query.media_type == "video/mp4"
