import os
from collections import Counter

import pytest

from models.errors import DataError
from models.types import Modality
from training.datasets.folder import open_folder


@pytest.fixture
def make(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path

    return make


def _pairs(n=20):
    kinds = ("audio/{}/{:02d}.wav", "video/{}/{:02d}.mp4")
    return [kind.format(c, row) for kind in kinds for c in ("dog", "cat") for row in range(n)]


def test_class_folders_are_labels_and_equal_stems_are_pairs(make):
    dataset = open_folder(make(*_pairs()))

    examples = dataset.examples()
    assert dataset.classes == ("cat", "dog")
    assert dataset.paired
    assert len(examples) == 80
    assert examples[0].id == "cat/00"
    assert examples[0].label == "cat"
    assert str(examples[0].path).endswith("audio/cat/00.wav")
    by_modality = [{e.id: e.split for e in examples if e.modality == m} for m in ("audio", "video")]
    assert by_modality[0] == by_modality[1]


def test_the_split_is_stratified_70_15_15(make):
    examples = open_folder(make(*_pairs(20))).examples()

    counts = Counter((one.label, one.split) for one in examples if one.modality == "audio")

    for label in ("dog", "cat"):
        assert [counts[label, s] for s in ("train", "validation", "test")] == [14, 3, 3]


def test_the_seed_chooses_the_split(make):
    root = make(*_pairs())

    first, again, other = (open_folder(root, seed=seed).examples() for seed in (0, 0, 1))

    assert first == again
    assert first != other


def test_files_without_class_folder_are_unlabelled(make):
    dataset = open_folder(make("lyrics/a.txt", "lyrics/b.txt", "score/a.mid", "score/b.mid"))

    assert dataset.classes == ()
    assert {one.label for one in dataset.examples()} == {None}
    assert dataset.paired


def test_stems_of_different_classes_are_no_pair(make):
    dataset = open_folder(
        make("audio/dog/1.wav", "audio/dog/2.wav", "image/cat/1.png", "image/cat/2.png")
    )

    assert not dataset.paired


def test_deeper_folders_belong_to_the_id(make):
    dataset = open_folder(make("audio/dog/big/1.wav", "audio/dog/small/1.wav"))

    assert [one.id for one in dataset.examples()] == ["dog/big/1", "dog/small/1"]
    assert dataset.classes == ("dog",)


def test_dots_in_a_stem_stay(make):
    examples = open_folder(make("audio/a.1.wav", "audio/a.2.wav")).examples()

    assert [one.id for one in examples] == ["a.1", "a.2"]


def test_names_that_are_not_utf_8_keep_ids_of_their_own(make):
    names = (
        *(b"audio/\xe9/\xff.wav", b"audio/\xe9/\xfe.wav", b"audio/\xe9/ok.wav"),
        *(b"image/\xe9/\xff.png", b"image/\xe9/\xfe.png", "image/cat/�.png".encode()),
    )
    dataset = open_folder(make(*map(os.fsdecode, names)))

    held = Counter(one.id for one in dataset.examples())
    assert sorted(held.values()) == [1, 1, 2, 2]
    assert "cat/�" in held
    assert dataset.classes == ("cat", "�")
    assert "".join(held).encode("utf-8")


def test_two_files_of_one_id_are_named_in_text_that_can_be_printed(make):
    root = make(*(os.fsdecode(name) for name in (b"audio/\xff.wav", b"audio/\xff.mp3")))

    with pytest.raises(DataError, match=r"�\.wav: expected another stem than �\.mp3"):
        open_folder(root)


def test_split_folders_are_the_split(make):
    root = make(
        "train/audio/dog/1.wav", "validation/audio/dog/1.wav", "test/audio/dog/1.wav", "notes.md"
    )

    examples = open_folder(root).examples()

    assert [(one.id, one.split) for one in examples] == [
        ("test/dog/1", "test"),
        ("train/dog/1", "train"),
        ("validation/dog/1", "validation"),
    ]


def test_hidden_files_and_folders_are_left_out(make):
    root = make(
        "audio/dog/1.wav", "audio/dog/.DS_Store", "audio/.cache/x", ".git/config", "readme.txt"
    )

    assert [one.id for one in open_folder(root).examples()] == ["dog/1"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.wav"], "expected folders named audio, .*found none"),
        (["sounds/a.wav"], "expected folders named audio.*found sounds"),
        (["audio/a.wav", "pictures/a.png"], "found pictures"),
        (["audio/dog/1.wav", "audio/dog/1.mp3"], r"1.wav: expected another stem than 1.mp3"),
        (["audio/dog/1.wav", "audio/2.wav"], "expected a label for all examples or none"),
        (["audio/.hidden"], "expected at least one example"),
        (["train/audio/1.wav"], r"expected folders train and test, found \['train'\]"),
        (["train/audio/1.wav", "test/audio/1.wav", "audio/1.wav"], "expected only train.*audio"),
        (["train/dog/1.wav", "test/dog/1.wav"], "expected folders named audio.*found dog"),
    ],
)
def test_another_layout_is_refused(make, names, message):
    with pytest.raises(DataError, match=message):
        open_folder(make(*names))


def test_a_missing_folder_says_how_to_lay_it_out(tmp_path):
    with pytest.raises(DataError, match="expected a folder, found none; put media into"):
        open_folder(tmp_path / "none")


def test_every_modality_is_known_by_its_folder(make):
    dataset = open_folder(make(*[f"{m}/{n}.x" for m in Modality for n in range(3)]))

    assert {one.modality for one in dataset.examples()} == set(Modality)
