"""The application in process on a filled collection, and copies that a test may change."""

import contextlib
import shutil
import time

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from tests.service.small_world import build_world, indexed_collection


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    return build_world(tmp_path_factory)


@pytest.fixture(scope="session")
def indexed(world, tmp_path_factory):
    return indexed_collection(world, tmp_path_factory)


def until_ready(client, seconds=60):
    deadline = time.monotonic() + seconds
    while client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline, client.get("/health/ready").text
        time.sleep(0.05)


@contextlib.contextmanager
def started(settings):
    """A client of an application with its lifespan run; server errors become responses."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        until_ready(client)
        yield client


@pytest.fixture(scope="session")
def client(world, indexed, tmp_path_factory):
    """Answers from the filled collection; tests must not change it."""
    data = shutil.copytree(indexed, tmp_path_factory.mktemp("http") / "data")
    with started(world.settings(data)) as running:
        yield running


@pytest.fixture(scope="session")
def scratch(world, indexed, tmp_path_factory):
    """Like ``client``, but tests may add items of their own to it, and delete those."""
    data = shutil.copytree(indexed, tmp_path_factory.mktemp("scratch") / "data")
    with started(world.settings(data)) as running:
        yield running


@pytest.fixture
def start(world, indexed, tmp_path):
    """Start an application on a copy of the filled collection: ``start(max_pixels=9)``."""
    with contextlib.ExitStack() as stack:

        def begin(**changes):
            data = shutil.copytree(indexed, tmp_path / "data", dirs_exist_ok=True)
            return stack.enter_context(started(world.settings(data, **changes)))

        yield begin
