from pathlib import Path

import pytest

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset, check_examples

AUDIO, IMAGE = Modality.AUDIO, Modality.IMAGE


def example(identifier="a", modality=AUDIO, label="dog", split="train"):
    return Example(identifier, modality, label, split, data=b"x")


def test_the_source_is_the_file_or_the_bytes():
    assert Example("a", AUDIO, path=Path("a.wav")).source == Path("a.wav")
    assert Example("a", AUDIO, data=b"RIFF").source == b"RIFF"


@pytest.mark.parametrize("sources", [{}, {"path": Path("a.wav"), "data": b"RIFF"}])
def test_an_example_has_exactly_one_source(sources):
    with pytest.raises(DataError, match="'a': expected either a path or data"):
        Example("a", AUDIO, **sources)


def test_pairs_of_one_class_and_side_are_accepted():
    check_examples([example(), example(modality=IMAGE)], ("dog",))


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "at least one example"),
        ([example(), example()], "audio 'a': expected each id once"),
        ([example(label="cow")], "audio 'a': expected a class of dog, cat, found 'cow'"),
        ([example(split="dev")], "audio 'a': expected a split of train, .*'dev'"),
        (
            [example(), example(modality=IMAGE, split="test")],
            r"image 'a': expected split train and class dog as its partner \(audio\)",
        ),
        ([example(), example(modality=IMAGE, label="cat")], "found train and cat"),
        ([example(), example("b", label=None)], "audio: expected a label for all .* None for 'b'"),
        ([example(), example("b", split=None)], "audio: expected a split for all examples or none"),
    ],
)
def test_examples_that_contradict_each_other_are_refused(examples, message):
    with pytest.raises(DataError, match=message):
        check_examples(examples, ("dog", "cat"))


def test_a_data_set_checks_its_examples():
    with pytest.raises(DataError, match="expected a class"):
        ListedDataset("mine", "", "", ("cat",), False, (example(),))
