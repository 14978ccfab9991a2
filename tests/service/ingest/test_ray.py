"""The same job on a Ray cluster of two nodes, each with processes of its own on this machine."""

import contextlib
import importlib.util
import json
import warnings

import pytest

from models.errors import DataError
from models.types import Modality
from service.catalog.records import Filter
from service.engine import Engine
from service.ingest import index_folder
from tests.service.small_media import lyric, sound

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs kyomei[ray]"),
    # Ray's own: files and sockets that it leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        second = made.add_node(num_cpus=1)
        yield made, second
        made.shutdown()


@pytest.fixture
def fresh(world, tmp_path):
    with contextlib.closing(Engine.open(world.settings(tmp_path / "data"))) as opened:
        yield opened


def write(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def index(engine, folder, reader=None, **options):
    return index_folder(
        engine.embedder, engine.collection, folder, reader=reader, progress=False, **options
    )


def vectors(engine):
    items, _ = engine.collection.items(Filter(), 0, 1000)
    return {item.id: engine.collection.embedding(item, "songs").vector.tobytes() for item in items}


def test_two_nodes_give_the_bits_of_one_machine_and_the_loss_of_one_costs_no_file(
    cluster, fresh, world, tmp_path, monkeypatch
):
    from service.ray_reader import RayReader

    made, second = cluster
    first = write(
        tmp_path / "first",
        {
            **{f"audio/{n}.wav": sound(n) for n in range(3)},
            **{f"lyrics/{n}.txt": lyric(n) for n in range(3)},
            "audio/empty.wav": b"",
            "audio/text.wav": b"no sound at all",
        },
    )
    more = write(tmp_path / "more", {f"lyrics/{n:02}.txt": lyric(n % 6, n) for n in range(6, 30)})
    settings = world.settings(tmp_path / "data")
    with RayReader(made.address, settings) as reader:
        assert reader.workers == 4  # two for each of two actors, and one CPU holds one actor
        report = index(fresh, first, reader, spaces=["songs"], report=tmp_path / "skipped.jsonl")
        assert (report.added, report.n_skipped) == (6, 2)
        lines = (tmp_path / "skipped.jsonl").read_text().splitlines()
        reasons = {line["path"]: line["reason"] for line in map(json.loads, lines)}
        assert "got 0 bytes" in reasons["audio/empty.wav"]
        assert index(fresh, first, reader, spaces=["songs"]).present == 6
        read, seen = reader.read, []

        def read_and_lose_a_node(*arguments):
            seen.append(arguments)
            if len(seen) == 8:
                made.remove_node(second, allow_graceful=False)
            return read(*arguments)

        monkeypatch.setattr(reader, "read", read_and_lose_a_node)
        report = index(fresh, more, reader, spaces=["songs"])
        assert (report.added, report.skipped) == (24, ())
    with contextlib.closing(Engine.open(world.settings(tmp_path / "local"))) as local:
        index(local, first, spaces=["songs"])
        index(local, more, spaces=["songs"])
        assert vectors(fresh) == vectors(local)


def test_an_address_without_a_cluster_is_refused_at_once(world, tmp_path):
    from service.ray_reader import RayReader

    settings = world.settings(tmp_path)
    for address in ("127.0.0.1:1", "nonsense"):
        with pytest.raises(DataError, match=f"--ray {address}: expected the address of a Ray"):
            RayReader(address, settings)


def test_media_of_no_space_are_told_by_what_they_are(cluster, world, tmp_path):
    from service.ray_reader import RayReader

    with RayReader(cluster[0].address, world.settings(tmp_path), workers=1) as reader:
        assert reader.read(sound(0), None, {}) == Modality.AUDIO
