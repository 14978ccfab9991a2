"""The demo: indexed once, served, and the printed line works."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from models.errors import DataError
from service.demo import example_query, index_demo
from service.engine import Engine
from tests.service.small_media import sound

ROOT = Path(__file__).parents[2]


@pytest.fixture
def opened(world, tmp_path):
    with contextlib.closing(Engine.open(world.settings(tmp_path / "data"))) as engine:
        yield engine


def test_each_part_goes_into_its_own_space_and_only_once(world, opened):
    reports = dict(index_demo(opened, world.media))
    assert {part: report.added for part, report in reports.items()} == {"everyday": 72, "songs": 72}
    embeddings = opened.collection.statistics().embeddings
    assert {space: sum(counts.values()) for space, counts in embeddings.items()} == {
        "everyday": 72,
        "songs": 72,
    }
    assert dict(index_demo(opened, world.media)) == {}


def test_a_part_that_changed_is_indexed_again(world, opened, tmp_path):
    media = Path(shutil.copytree(world.media, tmp_path / "media"))
    list(index_demo(opened, media))
    (media / "everyday" / "audio" / "c0" / "new.wav").write_bytes(sound(0, 0.4))
    reports = dict(index_demo(opened, media))
    assert list(reports) == ["everyday"]
    assert (reports["everyday"].added, reports["everyday"].present) == (1, 72)


def test_one_part_alone_is_enough(world, opened, tmp_path):
    shutil.copytree(world.media / "songs", tmp_path / "media" / "songs")
    assert [part for part, _ in index_demo(opened, tmp_path / "media")] == ["songs"]


def test_a_part_without_its_space_is_refused(world, tmp_path):
    settings = world.settings(tmp_path / "data", spaces=(world.spaces / "songs",))
    with (
        contextlib.closing(Engine.open(settings)) as engine,
        pytest.raises(DataError, match="spaces named everyday, loaded are songs"),
    ):
        list(index_demo(engine, world.media))


def test_the_example_is_a_sound_to_find_a_video_with(world, engine):
    example = example_query(engine, world.media)
    assert example is not None
    assert (example.source, example.target) == ("audio", "video")
    assert example.file == world.file("everyday", "audio", 0)


def test_without_media_there_is_no_example(engine, tmp_path):
    assert example_query(engine, tmp_path) is None


@pytest.mark.slow
def test_the_printed_line_works_and_a_second_start_indexes_nothing(world, tmp_path):
    media = Path(shutil.copytree(world.media, tmp_path / "my media"))
    for added in ("everyday: 72 added", None):
        with _demo(world, media, tmp_path / "data") as said:
            assert (added is None) != any(str(added) in line for line in said)
            line = said[-1].partition("try:")[2].strip()
            run = subprocess.run(
                ["sh", "-c", f"{line} --silent --retry 9 --retry-connrefused"],
                capture_output=True,
                check=True,
            )
            answer = httpx.Response(200, content=run.stdout).json()
            assert answer["results"][0]["item"]["label"] == "c0"


@contextlib.contextmanager
def _demo(world, media, data):
    settings = {
        "KYOMEI_SPACES": str(world.spaces),
        "KYOMEI_INDEX_DEVICE": "cpu",
        "KYOMEI_LOG_LEVEL": "warning",
        "PYTHONUNBUFFERED": "1",
    }
    arguments = ["demo", "--media", str(media), "--data", str(data), "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "kyomei.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if re.match(r" +try:", line):
                break
        yield said
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        process.wait(timeout=30)
