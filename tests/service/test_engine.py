"""What the engine promises beside what the HTTP tests see."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.features.registry import extractor
from models.media.load import load
from models.types import Modality
from service.catalog.records import Filter
from service.engine import Engine, SearchOptions
from service.errors import ProblemError
from service.index.faiss_backend import FaissIndex
from service.stopwatch import Stopwatch
from tests.service.small_media import sound


def vector_of(engine, data):
    row = engine.embedder.features(
        engine.embedder.decode(data, Modality.AUDIO), "everyday", Modality.AUDIO
    )
    return engine.embedder.project(row, "everyday", Modality.AUDIO).vector


@pytest.mark.parametrize(
    ("options", "whole"), [({}, True), ({"filter": Filter(label="c1")}, False)]
)
def test_only_a_filtered_search_leaves_the_path_of_the_gpu(
    engine, world, monkeypatch, options, whole
):
    """A search of everything must reach the index as such: filters are scanned on the CPU."""
    seen = []
    search = FaissIndex.search

    def watched(self, queries, k, *, allowed=None):
        seen.append(allowed is None)
        return search(self, queries, k, allowed=allowed)

    monkeypatch.setattr(FaissIndex, "search", watched)
    query = world.file("everyday", "audio", 1)
    answer = engine.search(query, Modality.AUDIO, Modality.VIDEO, SearchOptions(k=3, **options))
    assert len(answer.results) == 3
    assert set(seen) == {whole}


def test_the_same_bytes_give_the_same_vector_from_memory_and_file(engine, world):
    path = world.file("everyday", "audio", 1)
    from_file, from_memory = vector_of(engine, path), vector_of(engine, path.read_bytes())
    assert from_file.tobytes() == from_memory.tobytes()


def test_the_same_bytes_give_the_same_vector_alone_and_beside_others(engine):
    files = [sound(label, 0.2) for label in range(6)]
    alone = [vector_of(engine, data) for data in files]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda data: vector_of(engine, data), files))
    assert [v.tobytes() for v in together] == [v.tobytes() for v in alone]


def test_the_stored_vector_is_that_of_the_query(engine, world):
    data = world.file("everyday", "audio", 1).read_bytes()
    answer = engine.search(data, Modality.AUDIO, Modality.AUDIO, SearchOptions(k=1))
    stored = engine.collection.embedding(answer.results[0].item, "everyday")
    assert stored.vector.tobytes() == vector_of(engine, data).tobytes()


def test_features_and_projection_are_those_of_the_models(engine, world):
    """The same steps by hand, without the service."""
    path = world.file("songs", "score", 4)
    row = extractor("staff-image").pooled(load(path, Modality.SCORE))
    space = engine.embedder.spaces["songs"].open()
    expected = space.project("score", row[None])[0]
    placed = engine.embedder.embed(load(path, Modality.SCORE), Modality.SCORE, ["songs"])["songs"]
    assert placed.vector.tobytes() == expected.tobytes()
    assert placed.typicality == space.typicality("score", row[None])[0]


def test_an_extractor_that_two_spaces_share_runs_once(engine, monkeypatch):
    calls = []
    features = engine.embedder.features

    def counted(*args):
        calls.append(1)
        return features(*args)

    monkeypatch.setattr(engine.embedder, "features", counted)
    media = engine.embedder.decode(sound(0), Modality.AUDIO)
    placed = engine.embedder.embed(media, Modality.AUDIO, ["everyday", "songs"])
    assert len(calls) == 1
    assert not np.array_equal(placed["everyday"].vector, placed["songs"].vector)


def test_the_pair_decides_the_space(engine):
    choose = engine.embedder.choose_space
    assert choose(Modality.AUDIO, Modality.AUDIO, None) == "everyday"
    assert choose(Modality.AUDIO, Modality.SCORE, None) == "songs"
    assert choose(Modality.AUDIO, Modality.AUDIO, "songs") == "songs"
    with pytest.raises(ProblemError, match=r"expected one of everyday; asked for space 'songs'"):
        choose(Modality.AUDIO, Modality.VIDEO, "songs")
    with pytest.raises(ProblemError, match=r"image-to-video.*got image-to-score"):
        choose(Modality.IMAGE, Modality.SCORE, None)


def test_an_engine_is_ready_only_when_warm(world, copy_of_indexed, monkeypatch):
    with contextlib.closing(Engine.open(world.settings(copy_of_indexed))) as engine:
        assert engine.waiting_for == "the extractors are warming up"
        monkeypatch.setattr(engine.embedder, "embed", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            engine.warm_up()
        assert engine.waiting_for == "the warm-up failed: division by zero"
        monkeypatch.undo()
        engine.warm_up()
        assert engine.waiting_for is None


def test_limits_below_the_warm_up_files_do_not_stop_the_start(world, tmp_path):
    settings = world.settings(tmp_path / "data", max_pixels=1, max_seconds=0.001)
    with contextlib.closing(Engine.open(settings)) as engine:
        engine.warm_up()
        assert engine.waiting_for is None


def test_steps_add_up_to_no_more_than_the_total():
    watch = Stopwatch()
    with watch.step("decode"):
        sum(range(10_000))
    with watch.step("search"):
        sum(range(10_000))
    took = watch.took_ms()
    assert list(took) == ["decode", "search", "total"]
    assert 0 < took["decode"] + took["search"] <= took["total"] + 0.02


def test_a_second_engine_on_the_same_folder_is_refused(world, engine):
    with pytest.raises(Exception, match=r"open|process|lock"):
        Engine.open(engine.settings)
