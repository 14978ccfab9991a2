"""The small world, an engine on a collection of it, and fresh copies of that collection."""

import shutil
from pathlib import Path

import pytest

from service.engine import Engine
from tests.service.small_world import build_world, indexed_collection


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    return build_world(tmp_path_factory)


@pytest.fixture(scope="session")
def indexed(world, tmp_path_factory):
    return indexed_collection(world, tmp_path_factory)


@pytest.fixture(scope="session")
def engine(world, indexed, tmp_path_factory):
    """On a filled collection; tests must not change it."""
    data = tmp_path_factory.mktemp("engine") / "data"
    shutil.copytree(indexed, data)
    opened = Engine.open(world.settings(data))
    yield opened
    opened.close()


@pytest.fixture
def copy_of_indexed(indexed, tmp_path):
    """Path of a filled data folder that the test may change."""
    return Path(shutil.copytree(indexed, tmp_path / "data"))
