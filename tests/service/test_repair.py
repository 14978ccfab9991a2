"""``kyomei check --repair`` on a collection of real media: mended or set aside, nothing lost."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from models.spaces import read_manifest
from service.collection import Collection
from service.repair import check_collection, report_lines, report_values


@pytest.fixture
def settings(world, copy_of_indexed):
    return world.settings(copy_of_indexed)


def check(settings, *, repair=False):
    return check_collection(settings, repair=repair, progress=False)


def execute(settings, statement, *values):
    with closing(sqlite3.connect(settings.data / "catalog.sqlite3")) as database, database:
        assert database.execute(statement, values).rowcount > 0


def rows(settings, query):
    with closing(sqlite3.connect(settings.data / "catalog.sqlite3")) as database:
        return list(database.execute(query))


def media_file(settings, number):
    items = rows(settings, "SELECT number, id, suffix FROM items")
    ((item_id, suffix),) = [item[1:] for item in items if item[0] == number]
    return settings.data / "media" / item_id[:2] / f"{item_id}{suffix}"


def assert_repaired(settings, *done):
    """The repair did exactly this, and a second look finds nothing."""
    assert not check(settings).is_clean
    outcome = check(settings, repair=True)
    assert [repair.done for repair in outcome.repairs] == list(done)
    assert outcome.is_clean
    assert check(settings).is_clean
    assert check(settings).repairs == ()


def test_a_whole_collection_is_left_as_it_is(settings):
    outcome = check(settings, repair=True)
    assert (outcome.is_clean, outcome.repairs) == (True, ())
    assert outcome.report.checked["items"] == 144
    assert list(report_lines(outcome))[-1].endswith("clean")


def test_damaged_and_missing_media_are_set_aside_with_all_that_is_known(settings):
    damaged, missing = media_file(settings, 1), media_file(settings, 2)
    damaged.write_bytes(b"not what it was")
    missing.unlink()
    whole = rows(settings, "SELECT title, sha256 FROM items WHERE number = 2")
    vector = rows(settings, "SELECT vector FROM embeddings WHERE item_number = 2")
    names = (damaged.stem, missing.stem)
    assert_repaired(settings, *(f"set aside, see quarantine/{name}.json" for name in names))
    quarantine = settings.data / "quarantine"
    assert sorted(p.name for p in quarantine.iterdir()) == sorted(
        [damaged.name, *(f"{name}.json" for name in names)]
    )
    assert (quarantine / damaged.name).read_bytes() == b"not what it was"
    note = json.loads((quarantine / f"{missing.stem}.json").read_text())
    assert note["reason"].startswith("media-missing")
    assert [(note["item"]["title"], note["item"]["sha256"])] == whole
    import base64

    ((placed,),) = note["embeddings"].values()
    assert [(base64.b64decode(placed["vector_float32_base64"]),)] == vector


def test_strays_are_moved_and_not_thrown_away(settings):
    for folder in ("aa", "bb"):
        (settings.data / "media" / folder).mkdir(exist_ok=True)
        (settings.data / "media" / folder / "mine.wav").write_text(folder)
    assert_repaired(settings, "moved to lost+found/mine.wav", "moved to lost+found/mine.wav.1")
    found = settings.data / "lost+found"
    assert {p.read_text() for p in found.iterdir()} == {"aa", "bb"}


def test_lost_embeddings_are_made_again_from_the_media(settings):
    before = dict(rows(settings, "SELECT item_number, vector FROM embeddings"))
    broken = np.full(8, np.nan, "<f4").tobytes()
    execute(settings, "UPDATE embeddings SET vector = ? WHERE item_number = 3", broken)
    execute(settings, "UPDATE embeddings SET vector = x'00' WHERE item_number = 4")
    execute(settings, "DELETE FROM embeddings WHERE item_number = 30")
    outcome = check(settings, repair=True)
    assert outcome.is_clean
    after = dict(rows(settings, "SELECT item_number, vector FROM embeddings"))
    assert after.keys() == before.keys()
    for number in (3, 4, 30):
        old, new = (np.frombuffer(kept[number], "<f4") for kept in (before, after))
        assert np.allclose(old, new, atol=1e-6)


def test_a_repaired_item_is_found_again(settings):
    execute(settings, "UPDATE embeddings SET vector = x'00' WHERE item_number = 1")
    check(settings, repair=True)
    with Collection(settings.data, [], device="cpu") as collection:
        item = collection.items()[0][0]
    from service.engine import Engine, SearchOptions

    engine = Engine.open(settings)
    try:
        options = SearchOptions(k=1, space="everyday")
        answer = engine.search(media_file(settings, 1), item.modality, item.modality, options)
        assert answer.results[0].item == item
    finally:
        engine.close()


def test_what_cannot_be_placed_is_said_and_not_clean(settings):
    """A text whose file is right by its hash, but that no decoder reads."""
    ((number,),) = rows(settings, "SELECT max(number) FROM items WHERE modality = 'lyrics'")
    execute(settings, "DELETE FROM embeddings WHERE item_number = ?", number)
    outcome = check_collection(
        settings.model_copy(update={"max_characters": 1}), repair=True, progress=False
    )
    assert not outcome.is_clean
    assert "not mended: expected at most 1 characters" in outcome.repairs[0].done


def test_metadata_is_filed_anew(settings):
    execute(settings, "DELETE FROM item_metadata WHERE item_number = 5")
    execute(settings, "INSERT INTO item_tags VALUES (6, 'nobody said so')")
    assert_repaired(settings, *["metadata and tags filed anew"] * 2)


def test_a_damaged_index_is_built_anew(settings):
    for path in (settings.data / "indexes" / "everyday").glob("audio*"):
        path.write_bytes(b"no index")
    assert_repaired(settings, "built anew from the catalog")


def test_a_space_trained_again_is_left_to_reindex(settings):
    execute(settings, "UPDATE spaces SET fingerprint = 'feedface' WHERE name = 'songs'")
    outcome = check(settings, repair=True)
    assert {finding.kind for finding in outcome.report.findings} == {"other-fingerprint"}
    assert any("kyomei reindex" in line for line in report_lines(outcome))


def test_the_report_for_programs_holds_what_was_found(settings):
    media_file(settings, 1).unlink()
    values = json.loads(json.dumps(report_values(settings, check(settings))))
    assert values["clean"] is False
    (finding,) = values["findings"]
    assert (finding["kind"], finding["repair"]) == (
        "media-missing",
        "the item is set aside in quarantine/",
    )


def test_the_manifest_ties_model_extractor_catalog_and_index_together(settings, world):
    manifest = report_values(settings, check(settings))["manifest"]
    assert (manifest["schema_version"], manifest["items"]) == (3, 144)
    spaces = {space["name"]: space for space in manifest["spaces"]}
    assert set(spaces) == {"everyday", "songs"}
    for name, space in spaces.items():
        said = read_manifest(world.spaces / name)
        assert space["fingerprint"] == space["model"]["fingerprint"] == said.fingerprint
        assert space["model"]["weights_sha256"] == said.weights_sha256
        fingerprints = {
            modality: made["fingerprint"] for modality, made in space["model"]["extractors"].items()
        }
        assert fingerprints == {view.name: view.extractor_fingerprint for view in said.views}
        assert set(space["embeddings"].values()) == {24}
        assert space["index"]["collection_id"] == manifest["collection_id"]
        counts = {modality: file["count"] for modality, file in space["index"]["files"].items()}
        assert counts == space["embeddings"]
