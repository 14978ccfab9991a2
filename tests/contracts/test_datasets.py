"""What every data set of the table promises."""

import numpy as np
import pytest

from models.errors import DataError
from models.types import Modality
from tests.training.datasets.tiny_packs import (
    write_packs,
    write_picture,
    write_songs,
    write_sound,
    write_triples,
)
from training.datasets.registry import DATASETS, open_dataset
from training.datasets.triples.renditions import RENDITIONS
from training.datasets.triples_dataset import TRIPLE_SETS, dataset_name

MEDIA = sorted(name for name, entry in DATASETS.items() if entry.open is not None)
FEATURES = sorted(set(DATASETS) - set(MEDIA))


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """A small root for every data set of media."""
    packs = write_packs(tmp_path_factory.mktemp("packs"))
    media = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    for label in ("rain", "drum"):
        for number in range(8):
            write_sound(media / f"audio/{label}/{number}.wav", rng)
            write_picture(media / f"image/{label}/{number}.png", rng)
    songs = write_songs(tmp_path_factory.mktemp("songs"))
    triples = write_triples(tmp_path_factory.mktemp("triples"), RENDITIONS)
    sets = {dataset_name(one.name, heard) for one in TRIPLE_SETS for heard in one.renditions}
    return {
        **dict.fromkeys(sets, triples),
        "folder": media,
        "scenes": media,
        "fsdd-mnist": packs,
        "av-animals": packs,
        "esc10": packs,
        "tiny-imagenet": packs,
        "caltech101": packs,
        "songs": songs,
    }


@pytest.fixture(scope="module", params=MEDIA)
def dataset(request, roots):
    return open_dataset(request.param, roots[request.param])


def test_the_table_is_not_empty():
    assert len(MEDIA) >= 5
    assert len(FEATURES) >= 3


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_licence_citation_and_origin_are_stated(name):
    entry = DATASETS[name]

    for words in (entry.licence, entry.citation, entry.how_to_get):
        assert len(words) > 10
        assert words == words.strip()


@pytest.mark.parametrize("name", FEATURES)
def test_features_are_not_opened_as_media_but_say_where_they_are(name, tmp_path):
    with pytest.raises(DataError) as caught:
        open_dataset(name, tmp_path)

    assert DATASETS[name].how_to_get in str(caught.value)
    assert "kyomei train --data" in str(caught.value)


def test_an_open_data_set_carries_the_words_of_the_table(dataset):
    entry = DATASETS[dataset.name]

    assert (dataset.licence, dataset.citation) == (entry.licence, entry.citation)


def test_ids_are_unique_in_each_modality(dataset):
    for modality in Modality:
        ids = [one.id for one in dataset.examples() if one.modality == modality]
        assert len(ids) == len(set(ids))


def test_labels_are_classes_and_every_class_occurs(dataset):
    labels = {one.label for one in dataset.examples()} - {None}

    assert labels == set(dataset.classes)
    assert len(set(dataset.classes)) == len(dataset.classes)


def test_every_modality_has_rows_to_train_and_to_test_on(dataset):
    by_modality: dict[Modality, set[str | None]] = {}
    for one in dataset.examples():
        by_modality.setdefault(one.modality, set()).add(one.split)

    for splits in by_modality.values():
        assert splits <= {"train", "validation", "test"}
        assert splits >= {"train", "test"}


def test_no_id_and_no_file_is_on_two_sides(dataset):
    side_of: dict[object, str | None] = {}
    for one in dataset.examples():
        for key in (one.id, one.source):
            assert side_of.setdefault(key, one.split) == one.split


def test_pairs_are_what_the_data_set_says(dataset):
    ids = [one.id for one in dataset.examples()]

    assert dataset.paired == (len(set(ids)) < len(ids))


def test_opening_again_gives_the_same_examples(dataset, roots):
    again = open_dataset(dataset.name, roots[dataset.name])

    assert list(again.examples()) == list(dataset.examples())


def test_every_source_is_there(dataset):
    for one in dataset.examples():
        assert one.data if one.path is None else one.path.is_file()
