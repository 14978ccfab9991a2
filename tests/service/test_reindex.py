"""After a space was trained again, every item finds its way back into it."""

import contextlib
import shutil

import numpy as np
import pytest

from models.errors import ArtefactError
from service.catalog.records import Filter
from service.engine import Engine
from service.reindex import reindex_collection
from tests.service.small_world import SPACE_VIEWS, fit_space


@pytest.fixture
def trained_again(world, tmp_path):
    spaces = shutil.copytree(world.spaces, tmp_path / "spaces")
    fit_space(world.media / "everyday", spaces / "everyday", SPACE_VIEWS["everyday"], ridge=5.0)
    return spaces


def embeddings(engine, space):
    items, _ = engine.collection.items(Filter(), 0, 500)
    placed = {item.id: engine.collection.embedding(item, space) for item in items}
    return {name: e.vector for name, e in placed.items() if e is not None}


def test_items_stay_in_the_spaces_they_lay_in(world, copy_of_indexed, trained_again):
    old = world.settings(copy_of_indexed)
    with contextlib.closing(Engine.open(old)) as engine:
        before = {space: embeddings(engine, space) for space in ("everyday", "songs")}
    new = world.settings(copy_of_indexed, spaces=(trained_again,))
    with pytest.raises(ArtefactError, match="kyomei reindex"):
        Engine.open(new)
    report = reindex_collection(new, progress=False)
    assert report.placed == {"everyday": 72, "songs": 72}
    assert report.skipped == ()
    with contextlib.closing(Engine.open(new)) as engine:
        after = {space: embeddings(engine, space) for space in ("everyday", "songs")}
    assert set(after["everyday"]) == set(before["everyday"])
    assert all(
        np.array_equal(vector, before["songs"][name]) for name, vector in after["songs"].items()
    )
    changed = [
        not np.array_equal(vector, before["everyday"][name])
        for name, vector in after["everyday"].items()
    ]
    assert all(changed)


def test_a_space_that_is_new_takes_all_that_it_covers(world, copy_of_indexed, tmp_path):
    fit_space(world.media / "everyday", tmp_path / "new", ("audio", "image"), name="new")
    settings = world.settings(copy_of_indexed, spaces=(world.spaces, tmp_path / "new"))
    report = reindex_collection(settings, progress=False)
    assert report.placed == {"everyday": 72, "songs": 72, "new": 24 + 24 + 24}


def test_media_that_no_longer_decode_are_left_out_and_named(world, copy_of_indexed, capsys):
    settings = world.settings(copy_of_indexed)
    with contextlib.closing(Engine.open(settings)) as engine:
        items, _ = engine.collection.items(Filter(work_id="everyday/c0/0"), 0, 1)
        engine.collection.media_path(items[0]).write_bytes(b"")
    report = reindex_collection(settings, progress=True)
    assert report.placed == {"everyday": 71, "songs": 72}
    assert [name for name, _ in report.skipped] == [items[0].id]
    assert "72/72" in capsys.readouterr().err
