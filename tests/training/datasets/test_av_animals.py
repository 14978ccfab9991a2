from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import CALLS, ESC10, N_PICTURES, write_packs, write_sound
from training.datasets.av_animals import open_av_animals
from training.datasets.av_animals_copies import COPIES

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    return write_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def own_packs(tmp_path):
    return write_packs(tmp_path)


def _splits(dataset):
    return {one.id: one.split for one in dataset.examples()}


def test_eleven_classes_have_sounds_and_pictures(packs):
    dataset = open_av_animals(packs)

    assert dataset.classes == (*CALLS, "helicopter", "sea waves")
    assert not dataset.paired
    held = {(one.label, one.modality.value) for one in dataset.examples()}
    assert held == {(label, kind) for label in dataset.classes for kind in ("audio", "image")}


def test_classes_outside_the_mapping_are_left_out(packs):
    paths = [str(one.path) for one in open_av_animals(packs).examples()]

    assert not [path for path in paths if "Rain" in path or "watch" in path]


def test_environmental_sounds_are_split_by_fold(packs):
    splits = _splits(open_av_animals(packs))

    assert [splits[f"dog/{fold}-1001-A"] for fold in range(1, 5)] == [
        "train",
        "train",
        "validation",
        "test",
    ]


def test_animal_calls_are_split_into_blocks_of_numbers(packs):
    splits = _splits(open_av_animals(packs))

    blocks = [splits[f"bird/Kus_{number}"] for number in range(1, 11)]
    assert blocks == ["train"] * 6 + ["validation"] * 2 + ["test"] * 2


def test_copies_follow_the_first_of_their_group(packs):
    splits = _splits(open_av_animals(packs))

    assert splits["sheep/koyun_4"] == "train"
    assert splits["sheep/koyun_10"] == "train"  # its number alone would make it test


def test_copies_of_an_environmental_sound_follow_its_fold(own_packs):
    esc10, calls = own_packs / "esc10/ESC-10", own_packs / "animal_sounds/Animal-Sound-Dataset"
    rng = np.random.default_rng(0)
    write_sound(esc10 / ESC10[0] / "3-155312-A.ogg", rng)
    write_sound(calls / "dog/dog_14.ogg", rng)

    splits = _splits(open_av_animals(own_packs))

    assert splits["dog/dog_14"] == splits["dog/3-155312-A"] == "validation"


def test_no_clip_is_in_two_groups_of_copies():
    clips = [clip for group in COPIES for clip in group]

    assert len(clips) == len(set(clips))
    assert all(len(group) > 1 for group in COPIES)


def test_pictures_are_spread_over_synsets_up_to_the_limit(packs):
    dataset = open_av_animals(packs, images_per_class=7)

    chosen = [one for one in dataset.examples() if one.modality == "image"]
    per_class = Counter(one.label for one in chosen)
    assert per_class["dog"] == 7
    assert per_class["cow"] == N_PICTURES
    synsets = Counter(Path(str(one.path)).parents[1].name for one in chosen if one.label == "dog")
    assert sorted(synsets.values()) == [1, 1, 1, 1, 1, 2]


def test_the_seed_chooses_the_pictures_and_leaves_the_sounds(packs):
    first, again, other = (
        open_av_animals(packs, images_per_class=4, seed=seed).examples() for seed in (0, 0, 1)
    )

    assert first == again
    assert [e for e in first if e.modality == "audio"] == [
        e for e in other if e.modality == "audio"
    ]
    assert {e.id for e in first} != {e.id for e in other}


def test_byte_identical_pictures_are_taken_once(own_packs):
    folder = own_packs / "tiny_imagenet_subset/tiny-imagenet-200/train/n02403003/images"
    original = (folder / "n02403003_0.JPEG").read_bytes()
    (folder / "n02403003_9.JPEG").write_bytes(original)

    pictures = [one for one in open_av_animals(own_packs).examples() if one.modality == "image"]

    assert sum(Path(str(one.path)).read_bytes() == original for one in pictures) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("esc10/ESC-10/001 - Dog bark/1-1001-A.ogg", "9-1001-A.ogg"), "expected a fold of 1 to 4"),
        (
            ("animal_sounds/Animal-Sound-Dataset/dog/dog_1.ogg", "dog_one.ogg"),
            "expected a number at the end",
        ),
        (("esc10/ESC-10/001 - Dog bark", "001 - Hound"), "expected a folder like '001 - Dog bark'"),
        (("animal_sounds/Animal-Sound-Dataset/cat", "kitten"), "cat: expected .ogg files"),
        (
            ("tiny_imagenet_subset/tiny-imagenet-200/words.txt", "names.txt"),
            "words.txt: expected the names of the synsets",
        ),
        (
            ("tiny_imagenet_subset/tiny-imagenet-200/train/n02123045", "n1"),
            "expected a synset named 'tabby'",
        ),
        (("caltech101_subset/101_ObjectCategories/rooster", "hen"), "rooster: expected .JPEG or"),
        (("caltech101_subset", "caltech"), "caltech101_subset/101_ObjectCategories or"),
    ],
)
def test_packs_laid_out_otherwise_are_refused(own_packs, change, message):
    path = own_packs / change[0]
    path.rename(path.with_name(change[1]))

    with pytest.raises(DataError, match=message):
        open_av_animals(own_packs, cache=own_packs / "cache")


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data are not here")
def test_the_real_packs_have_the_known_counts(tmp_path):
    dataset = open_av_animals(SHARED, cache=tmp_path)

    sounds = Counter(one.label for one in dataset.examples() if one.modality == "audio")
    pictures = Counter(one.label for one in dataset.examples() if one.modality == "image")
    assert sounds == {
        "dog": 189,
        "cat": 158,
        "bird": 153,
        "cow": 57,
        "lion": 30,
        "sheep": 29,
        "frog": 27,
        "chicken": 53,
        "monkey": 18,
        "helicopter": 32,
        "sea waves": 32,
    }
    full = dict.fromkeys(dataset.classes, 200)
    assert pictures == full | {"chicken": 39, "helicopter": 70}
    splits = _splits(dataset)
    for group in COPIES:
        sides = {splits[one] for one in splits if one.rpartition("/")[2] in group}
        assert len(sides) == 1, group
