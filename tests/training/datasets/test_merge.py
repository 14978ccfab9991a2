"""Several data sets as one: classes by name, pairs stay pairs, nothing else becomes one."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.merge import merge_features


def view(ids, labels, *, split="train", dimension=3):
    features = np.arange(len(ids) * dimension, dtype=np.float32).reshape(-1, dimension)
    return FeatureView(
        features, np.array(ids), np.array(labels, np.int64), np.array([split] * len(ids))
    )


SCENES = FeatureData(
    {"audio": view(["a", "b"], [0, 1]), "video": view(["b", "a"], [1, 0])},
    ("sea", "dog"),
    "scenes",
    "CC0",
    {"audio": ("stats", "1"), "video": ("frames", "2")},
)
CALLS = FeatureData(
    {"audio": view(["a", "c"], [1, -1], split="test")},
    ("cat", "sea waves"),
    "calls",
    "none",
    {"audio": ("stats", "1")},
)


def test_rows_follow_each_other_with_their_classes_by_name():
    merged = merge_features({"s": SCENES, "c": CALLS}, same={"sea": "sea waves"})

    assert merged.classes == ("sea waves", "dog", "cat")
    audio = merged.views["audio"]
    assert audio.ids.tolist() == ["s/a", "s/b", "c/a", "c/c"]
    assert np.asarray(audio.labels).tolist() == [0, 1, 0, -1]
    assert audio.split.tolist() == ["train", "train", "test", "test"]
    assert np.array_equal(audio.features[2:], CALLS.views["audio"].features)
    assert np.asarray(merged.views["video"].labels).tolist() == [1, 0]
    assert merged.extractors == SCENES.extractors
    assert merged.licence == "s: CC0; c: none"


def test_pairs_stay_pairs_and_equal_ids_of_two_parts_do_not_become_one():
    merged = merge_features({"s": SCENES, "c": CALLS})

    rows = merged.true_pairs("audio", "video")
    assert merged.views["audio"].ids[rows[0]].tolist() == ["s/a", "s/b"]
    assert merged.views["video"].ids[rows[1]].tolist() == ["s/a", "s/b"]


def test_other_extractors_sizes_and_unknown_classes_are_refused():
    other = replace(CALLS, extractors={"audio": ("stats", "9")})
    with pytest.raises(DataError, match="c, audio: expected features of stats 1, found stats 9"):
        merge_features({"s": SCENES, "c": other})
    wide = replace(CALLS, views={"audio": view(["a"], [0], dimension=4)})
    with pytest.raises(DataError, match=r"expected rows of shape \(3,\), found \(4,\)"):
        merge_features({"s": SCENES, "c": wide})
    with pytest.raises(DataError, match="got 'cow'"):
        merge_features({"s": SCENES, "c": CALLS}, same={"cow": "cat"})
    bare = replace(CALLS, views={"audio": replace(CALLS.views["audio"], labels=None)})
    with pytest.raises(DataError, match="c, audio: expected classes, found none"):
        merge_features({"c": bare})
    with pytest.raises(DataError, match="at least one feature file"):
        merge_features({})


def test_parts_without_classes_give_pairs_without_classes():
    bare = {name: replace(one, labels=None) for name, one in SCENES.views.items()}
    parameters = {"audio": {"windows": 1}}
    part = replace(SCENES, views=bare, classes=(), extractor_parameters=parameters)
    merged = merge_features({"one": part, "two": part})

    assert merged.classes == ()
    assert merged.views["audio"].labels is None
    assert merged.views["audio"].ids.tolist() == ["one/a", "one/b", "two/a", "two/b"]
    assert len(merged.true_pairs("audio", "video")[0]) == 4
    assert merged.extractor_parameters == parameters
