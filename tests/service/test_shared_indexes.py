"""Collections whose vectors lie in Milvus: what is cut short is repeated, nothing is mixed up."""

from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import read_json
from models.errors import ArtefactError
from models.types import Modality
from service.catalog.records import Embedding, SpaceRef
from service.collection import Collection, NewItem
from service.index.errors import IndexSettingError, IndexUnreachableError
from service.index.options import MilvusAddress
from service.settings import Settings

SPACE = SpaceRef("a.space-1", "f00d", (Modality.AUDIO,), 3)


@pytest.fixture(scope="module")
def milvus(tmp_path_factory):
    return MilvusAddress(str(tmp_path_factory.mktemp("milvus") / "lite.db"))


@pytest.fixture
def start(tmp_path, milvus):
    """Open the collection of the test; the last one is closed at the end."""
    opened: list[Collection] = []

    def begin(space=SPACE, repair=False):
        if opened:
            opened.pop().close()
        make = Collection.open_for_repair if repair else Collection
        opened.append(make(tmp_path / "data", [space], backend="milvus", milvus=milvus))
        return opened[-1]

    yield begin
    while opened:
        opened.pop().close()


def new(number):
    vector = np.eye(3, dtype=np.float32)[number % 3]
    return NewItem(
        modality=Modality.AUDIO,
        media=b"sound %d" % number,
        media_type="audio/wav",
        suffix=".wav",
        title=str(number),
        embeddings={SPACE.name: Embedding(vector, 1.0)},
    )


def titles(collection, number):
    query = np.eye(3, dtype=np.float32)[None, number % 3]
    return [
        i.title for i, s in collection.search(SPACE.name, Modality.AUDIO, query, 9)[0] if s > 0.5
    ]


def problems(collection):
    return collection._indexes._open[SPACE.name].problems(collection._catalog)


def test_items_are_found_after_reopening_and_no_vector_lies_in_the_folder(start, tmp_path):
    collection = start()
    collection.add_many([new(0), new(1), new(3)])
    assert titles(collection, 0) == ["0", "3"]
    collection = start()
    assert titles(collection, 0) == ["0", "3"]
    assert problems(collection) == []
    files = [path.name for path in (tmp_path / "data" / "indexes").rglob("*") if path.is_file()]
    assert files == ["milvus.json"]
    told = read_json(tmp_path / "data" / "indexes" / SPACE.name / "milvus.json")
    assert told["sequence"] == 3


@pytest.mark.parametrize("at_once", [True, False])
def test_what_milvus_missed_is_repeated_at_the_next_change_or_opening(start, monkeypatch, at_once):
    collection = start()
    collection.add(new(0))
    gone, _ = collection.add(new(3))
    index = collection._indexes.of(SPACE.name, Modality.AUDIO)

    def refuse(*_):
        raise IndexUnreachableError("Milvus is away")

    with monkeypatch.context() as patch:
        patch.setattr(type(index), "add", refuse)
        patch.setattr(type(index), "remove", refuse)
        with pytest.raises(IndexUnreachableError):
            collection.add(new(6))
        with pytest.raises(IndexUnreachableError):
            collection.delete(gone.id)
    assert collection.get(gone.id) is None
    assert problems(collection) == [
        "index of a.space-1, audio, in Milvus: 1 vectors that the catalog does not have, 1 missing"
    ]
    if at_once:
        collection.add(new(1))
    else:
        collection = start()
    assert titles(collection, 0) == ["0", "6"]
    assert problems(collection) == []
    assert not collection.media_path(gone).exists()


def test_another_version_of_the_space_is_refused_and_reindexed_without_leftovers(
    start, tmp_path, milvus
):
    start().add(new(0))
    other = SpaceRef(SPACE.name, "beef", SPACE.modalities, 3)
    with pytest.raises(ArtefactError, match=r"expected embeddings of fingerprint beef, got f00d"):
        start(other)
    listed = tmp_path / "data" / "indexes" / SPACE.name / "milvus.json"
    (before,) = read_json(listed)["collections"]
    collection = start(other, repair=True)
    vector = np.array([0, 1, 0], np.float32)
    collection.replace_embeddings(other, [(1, Embedding(vector, 1.0))])
    assert titles(collection, 1) == ["0"]
    collection = start(other)
    assert titles(collection, 1) == ["0"]
    (after,) = read_json(listed)["collections"]
    assert after != before
    from pymilvus import MilvusClient

    names = MilvusClient(milvus.uri).list_collections()
    assert after in names
    assert before not in names


def test_the_settings_name_milvus_and_hide_the_token():
    settings = Settings(milvus_uri="http://milvus:19530", milvus_token="me:mellon")  # noqa: S106
    address = MilvusAddress.of(settings)
    assert address == MilvusAddress("http://milvus:19530", "me:mellon", "FLAT")
    assert "mellon" not in f"{settings!r} {address!r}"
    assert MilvusAddress.of(Settings()) is None


def test_without_an_address_or_a_server_the_setting_is_named(tmp_path):
    with pytest.raises(IndexSettingError, match="KYOMEI_MILVUS_URI: expected http"):
        Collection(Path(tmp_path), [SPACE], backend="milvus")
    nowhere = MilvusAddress("http://127.0.0.1:1", "me:mellon")
    with pytest.raises(IndexSettingError, match="KYOMEI_MILVUS_URI") as caught:
        Collection(Path(tmp_path), [SPACE], backend="milvus", milvus=nowhere)
    assert "mellon" not in str(caught.value)
