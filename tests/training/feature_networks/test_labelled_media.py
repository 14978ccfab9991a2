"""Files to learn from: nothing that a data set tests with, nor a copy of it."""

import pytest

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.feature_networks.labelled_media import gather


def dataset(name, *rows, modality=Modality.AUDIO):
    """(id, label, split, content) a row."""
    examples = tuple(
        Example(one, modality, label, split, data=content) for one, label, split, content in rows
    )
    classes = tuple(sorted({label for _, label, _, _ in rows}))
    return ListedDataset(name, "CC0", "nobody", classes, paired=False, listed=examples)


def sources(files):
    return [(one.task, one.label, one.source) for one in files]


def test_files_carry_the_position_of_their_data_set_and_class():
    first = dataset("first", ("a", "dog", "train", b"1"), ("b", "cat", "train", b"2"))
    second = dataset("second", ("a", "zero", "train", b"3"), ("b", "zero", "validation", b"4"))

    media = gather([first, second], Modality.AUDIO)

    assert [task.classes for task in media.tasks] == [("cat", "dog"), ("zero",)]
    assert (1, 0, b"4") in sources(media.validation)
    assert {*sources(media.train), *sources(media.validation)} == {
        (0, 1, b"1"),
        (0, 0, b"2"),
        (1, 0, b"3"),
        (1, 0, b"4"),
    }


def test_a_file_that_another_set_tests_with_is_left_out_by_its_bytes():
    first = dataset("first", ("a", "dog", "train", b"same"), ("b", "dog", "train", b"other"))
    second = dataset("second", ("c", "dog", "test", b"same"), ("d", "dog", "train", b"more"))

    media = gather([first, second], Modality.AUDIO)

    everything = [one.source for one in (*media.train, *media.validation)]
    assert sorted(everything) == [b"more", b"other"]
    assert media.n_left_out == 1


def test_copies_of_a_test_file_are_left_out_by_their_names(tmp_path):
    paths = [tmp_path / f"{stem}.wav" for stem in ("tested", "copy", "fresh", "newer")]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]))
    examples = tuple(
        Example(path.stem, Modality.AUDIO, "dog", split, path=path)
        for path, split in zip(paths, ("test", "train", "train", "validation"), strict=True)
    )
    listed = ListedDataset("one", "CC0", "nobody", ("dog",), paired=False, listed=examples)

    media = gather([listed], Modality.AUDIO, apart=[("tested", "copy")])

    assert [one.source for one in media.train] == [paths[2]]
    assert media.n_left_out == 1


def test_a_tenth_validates_where_the_set_does_not_say_which():
    rows = [(f"{k}", "dog", "train", bytes([k])) for k in range(40)]

    media = gather([dataset("one", *rows)], Modality.AUDIO, seed=3)

    assert len(media.validation) == 4
    assert len(media.train) == 36
    turned = gather([dataset("one", *rows[::-1])], Modality.AUDIO, seed=3)
    assert {one.source for one in turned.validation} == {one.source for one in media.validation}


def test_a_set_without_labelled_files_of_the_modality_is_refused():
    pictures = dataset("pictures", ("a", "dog", "train", b"1"), modality=Modality.IMAGE)

    with pytest.raises(DataError, match="pictures: expected labelled audio to train with"):
        gather([pictures], Modality.AUDIO)
