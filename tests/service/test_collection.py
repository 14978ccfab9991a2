import hashlib
import shutil
from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError, ShapeError
from models.types import Modality
from service.collection import Collection, Embedding, Filter, SpaceRef
from tests.service.collection_cases import (
    AV,
    SONG,
    K,
    media,
    media_files,
    new_item,
    numbers_found,
    sha256,
    vector,
)


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory):
    """Making the tables waits for the disk several times: once is enough."""
    folder = tmp_path_factory.mktemp("empty")
    Collection(folder, [AV, SONG]).close()
    return folder


@pytest.fixture(params=["numpy", "faiss"])
def collection(request, tmp_path, empty_folder):
    folder = shutil.copytree(empty_folder, tmp_path / "data")
    with Collection(folder, [AV, SONG], backend=request.param, device="cpu") as opened:
        yield opened


def test_an_added_item_can_be_got_read_and_found(collection):
    facts = {"tempo": 120, "live": True}
    item, is_new = collection.add(new_item(1, label="bell", work_id="w", metadata=facts))
    assert is_new
    assert collection.get(item.id) == item
    assert collection.media_path(item).read_bytes() == media(1)
    assert (item.bytes, item.sha256) == (len(media(1)), sha256(media(1)))
    assert (item.label, item.work_id, item.metadata) == ("bell", "w", facts)
    (((found, score),),) = collection.search(AV.name, Modality.AUDIO, vector(1)[None], 5)
    assert found == item
    assert score == pytest.approx(1.0, abs=1e-6)


def test_the_id_is_made_from_modality_and_bytes_and_names_the_file(collection):
    item, _ = collection.add(new_item(1))
    expected = hashlib.sha256(f"audio:{sha256(media(1))}".encode()).hexdigest()[:20]
    assert item.id == expected
    path = collection.media_path(item)
    assert path == collection.folder / "media" / expected[:2] / f"{expected}.wav"


def test_media_may_be_a_file_which_stays_where_it_is(collection, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "long.wav"
    path.write_bytes(b"0123456789" * 300_000)
    item, _ = collection.add(new_item(1, media=path))
    assert (item.bytes, item.sha256) == (3_000_000, sha256(path.read_bytes()))
    assert collection.media_path(item).read_bytes() == path.read_bytes()


def test_the_same_bytes_a_second_time_change_nothing(collection):
    first, _ = collection.add(new_item(1))
    again, is_new = collection.add(new_item(1, title="other", suffix=".mp3", label="x"))
    assert (again, is_new) == (first, False)
    assert collection.items() == ([first], 1)
    assert media_files(collection.folder) == [f"media/{first.id[:2]}/{first.id}.wav"]


def test_the_same_bytes_in_two_modalities_are_two_items_that_live_and_die_apart(collection):
    sound, _ = collection.add(new_item(1, suffix=".mp4"))
    picture, is_new = collection.add(new_item(1, modality=Modality.VIDEO, suffix=".mp4"))
    assert is_new
    assert sound.id != picture.id
    assert collection.delete(sound.id)
    assert collection.media_path(picture).read_bytes() == media(1)
    assert not collection.media_path(sound).exists()


def test_add_many_tells_what_was_new_in_the_order_given(collection):
    known, _ = collection.add(new_item(2))
    answer = collection.add_many([new_item(n) for n in (3, 2, 4, 3)])
    assert [is_new for _, is_new in answer] == [True, False, True, False]
    assert answer[1][0] == known
    assert answer[3][0] == answer[0][0]
    titles = [item.title for item in collection.items()[0]]
    assert titles == ["sound 2", "sound 3", "sound 4"]
    assert collection.add_many([]) == []


def test_contains_answers_before_anything_is_decoded(collection):
    item, _ = collection.add(new_item(1))
    assert collection.contains(Modality.AUDIO, sha256(media(1))) == item
    assert collection.contains(Modality.VIDEO, sha256(media(1))) is None
    assert collection.contains(Modality.AUDIO, sha256(b"new")) is None


def test_a_deleted_item_is_gone_everywhere(collection):
    item, _ = collection.add(new_item(1))
    other, _ = collection.add(new_item(2))
    assert collection.delete(item.id)
    assert collection.get(item.id) is None
    assert collection.embedding(item, AV.name) is None
    assert numbers_found(collection.search(AV.name, Modality.AUDIO, vector(1)[None], 5)) == [
        [other.number]
    ]
    assert media_files(collection.folder) == [f"media/{other.id[:2]}/{other.id}.wav"]
    assert not collection.delete(item.id)


def test_a_deleted_item_may_be_added_again_under_a_new_number(collection):
    item, _ = collection.add(new_item(1))
    collection.delete(item.id)
    again, is_new = collection.add(new_item(1))
    assert is_new
    assert again.id == item.id
    assert again.number > item.number


def test_embeddings_come_back_bit_by_bit(collection):
    item, _ = collection.add(new_item(1))
    found = collection.embedding(item, AV.name)
    assert np.array_equal(found.vector, vector(1))
    assert found.typicality == 0.5
    assert collection.embedding(item, SONG.name) is None


def test_an_item_is_found_in_each_of_its_spaces_and_in_its_modality_only(collection):
    places = {AV.name: Embedding(vector(1), 1.0), SONG.name: Embedding(vector(2), 1.0)}
    item, _ = collection.add(new_item(1, embeddings=places))
    collection.add(new_item(2, modality=Modality.VIDEO))
    for space, seed in ((AV.name, 1), (SONG.name, 2)):
        hits = collection.search(space, Modality.AUDIO, vector(seed)[None], 5)
        assert numbers_found(hits) == [[item.number]]
        assert hits[0][0][1] == pytest.approx(1.0, abs=1e-6)


@pytest.fixture(scope="module", params=["numpy", "faiss"])
def many(request, tmp_path_factory):
    """Sixty sounds, only to be read."""
    folder = tmp_path_factory.mktemp("many")
    with Collection(folder, [AV], backend=request.param, device="cpu") as collection:
        collection.add_many(
            new_item(n, label="even" if n % 2 == 0 else "odd", metadata={"third": n % 3})
            for n in range(60)
        )
        yield collection


def test_every_item_finds_itself_first(many):
    queries = np.stack([vector(n) for n in range(60)])
    hits = many.search(AV.name, Modality.AUDIO, queries, 1)
    assert [answer[0][0].title for answer in hits] == [f"sound {n}" for n in range(60)]


@pytest.mark.parametrize("chosen", [None, Filter(label="odd"), Filter(metadata={"third": "1"})])
def test_pages_are_pieces_of_one_ranking(many, chosen):
    queries = np.stack([vector(1000), vector(1001)])
    whole = many.search(AV.name, Modality.AUDIO, queries, 60, filter=chosen)
    for offset, k in ((0, 7), (7, 7), (30, 15), (50, 20)):
        page = many.search(AV.name, Modality.AUDIO, queries, k, offset=offset, filter=chosen)
        assert page == [answer[offset : offset + k] for answer in whole]


@pytest.mark.parametrize(
    "chosen",
    [Filter(label="odd"), Filter(metadata={"third": 1}), Filter(label="odd", title="sound 1")],
)
def test_a_filter_keeps_what_the_whole_ranking_has_of_it(many, chosen):
    queries = np.stack([vector(1000), vector(1001)])
    fitting = {item.number for item in many.items(chosen, 0, 200)[0]}
    whole = many.search(AV.name, Modality.AUDIO, queries, 60)
    expected = [[hit for hit in answer if hit[0].number in fitting] for answer in whole]
    assert many.search(AV.name, Modality.AUDIO, queries, 60, filter=chosen) == expected
    assert expected[0]


def test_a_filter_that_keeps_one_item_finds_exactly_it(many):
    hits = many.search(AV.name, Modality.AUDIO, vector(5)[None], 9, filter=Filter(title="d 47"))
    assert [item.title for item, _ in hits[0]] == ["sound 47"]


def test_a_filter_of_another_modality_finds_nothing(many):
    chosen = Filter(modality=Modality.VIDEO)
    assert many.search(AV.name, Modality.AUDIO, vector(5)[None], 9, filter=chosen) == [[]]


def test_an_empty_index_answers_with_nothing(collection):
    queries = np.stack([vector(1), vector(2)])
    assert collection.search(AV.name, Modality.VIDEO, queries, 3) == [[], []]


def test_a_huge_k_returns_all_there_is(many):
    assert len(many.search(AV.name, Modality.AUDIO, vector(1)[None], 10**12)[0]) == 60


@pytest.mark.parametrize(
    ("space", "modality", "queries", "options", "error"),
    [
        ("none", Modality.AUDIO, np.zeros((1, K)), {}, DataError),
        (AV.name, Modality.SCORE, np.zeros((1, K)), {}, DataError),
        (AV.name, Modality.AUDIO, np.zeros((1, K + 1)), {}, ShapeError),
        (AV.name, Modality.AUDIO, np.full((1, K), np.nan), {}, ShapeError),
        (AV.name, Modality.AUDIO, np.zeros((1, K)), {"k": 0}, ShapeError),
        (AV.name, Modality.AUDIO, np.zeros((1, K)), {"offset": -1}, ShapeError),
    ],
    ids=["space", "modality", "dimension", "nan", "k", "offset"],
)
def test_questions_that_make_no_sense_are_refused(
    collection, space, modality, queries, options, error
):
    with pytest.raises(error):
        collection.search(space, modality, queries, **{"k": 3, **options})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": "  "}, DataError),
        ({"suffix": "/../../x"}, DataError),
        ({"suffix": "wav"}, DataError),
        ({"metadata": {"x": float("nan")}}, DataError),
        ({"metadata": {"x": [1]}}, DataError),
        ({"metadata": {3: "x"}}, DataError),
        ({"embeddings": {"none": Embedding(vector(1), 1.0)}}, DataError),
        ({"modality": Modality.SCORE}, DataError),
        ({"embeddings": {AV.name: Embedding(vector(1)[:-1], 1.0)}}, ShapeError),
        ({"embeddings": {AV.name: Embedding(vector(1) * np.nan, 1.0)}}, ShapeError),
        ({"embeddings": {AV.name: Embedding(vector(1), 1.5)}}, DataError),
        ({"embeddings": {AV.name: Embedding(vector(1), float("nan"))}}, DataError),
    ],
)
def test_items_that_cannot_be_stored_or_found_are_refused_whole(collection, changes, error):
    with pytest.raises(error):
        collection.add_many([new_item(1), new_item(2, **changes)])
    assert collection.items() == ([], 0)
    assert media_files(collection.folder) == []


def test_a_missing_media_file_is_an_error_and_leaves_nothing(collection, tmp_path):
    with pytest.raises(FileNotFoundError):
        collection.add_many([new_item(1), new_item(2, media=tmp_path / "absent.wav")])
    assert collection.items() == ([], 0)
    assert media_files(collection.folder) == []


def test_statistics_count_items_vectors_and_bytes(collection):
    collection.add_many([new_item(1, work_id="w"), new_item(2, work_id="w")])
    statistics = collection.statistics()
    assert statistics.items == {Modality.AUDIO: 2}
    assert statistics.embeddings == {AV.name: {Modality.AUDIO: 2}}
    assert (statistics.works, statistics.media_bytes) == (1, 2 * len(media(1)))


def test_closing_twice_is_harmless_and_reopening_finds_everything(tmp_path):
    collection = Collection(tmp_path, [AV])
    items = [collection.add(new_item(n))[0] for n in range(5)]
    collection.close()
    collection.close()
    with Collection(tmp_path, [AV]) as again:
        assert again.items()[0] == items
        hits = again.search(AV.name, Modality.AUDIO, np.stack([vector(n) for n in range(5)]), 1)
        assert numbers_found(hits) == [[item.number] for item in items]


def test_spaces_need_different_names_that_can_be_folders(tmp_path):
    with pytest.raises(DataError, match="twice"):
        Collection(tmp_path, [AV, AV])
    for name in ("../up", "", ".hidden", "a/b"):
        with pytest.raises(DataError, match="space name"):
            Collection(tmp_path, [replace(AV, name=name)])


def test_the_open_spaces_are_told(collection):
    assert collection.spaces == {AV.name: AV, SONG.name: SONG}
    assert collection.misfits == {}


def test_the_catalog_may_lie_at_a_url(tmp_path):
    (tmp_path / "db").mkdir()
    url = f"sqlite:///{tmp_path}/db/elsewhere.sqlite3"
    with Collection(tmp_path / "data", [AV], database_url=url) as collection:
        collection.add(new_item(1))
    assert (tmp_path / "db" / "elsewhere.sqlite3").exists()
    assert not (tmp_path / "data" / "catalog.sqlite3").exists()


def test_a_space_without_items_needs_no_files(tmp_path):
    with Collection(tmp_path, [SpaceRef("empty", "00", (Modality.IMAGE,), 2)]):
        pass
    assert not (tmp_path / "indexes").exists()
