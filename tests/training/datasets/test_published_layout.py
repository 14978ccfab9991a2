from pathlib import Path

import h5py
import numpy as np
import pytest

from models.errors import DataError
from training.datasets.feature_file import read_feature_file

SHARED = Path(__file__).parents[4] / "shared" / "data"


def paired(**changes):
    """Arrays of the layout in which VEGAS was published: shared labels, rows are pairs."""
    rng = np.random.default_rng(0)
    arrays = {
        "audio_train": rng.normal(size=(20, 4)),
        "visual_train": rng.normal(size=(20, 6)),
        "lab_train": np.arange(20.0) % 2,
        "audio_test": rng.normal(size=(6, 4)),
        "visual_test": rng.normal(size=(6, 6)),
        "lab_test": np.arange(6.0) % 2,
    }
    return {key: value for key, value in {**arrays, **changes}.items() if value is not None}


def matched(**changes):
    """Arrays of the class-matched variant: each view has labels and row counts of its own."""
    arrays = {
        "audio_train": np.ones((9, 4)),
        "audio_test": np.ones((3, 4)),
        "lab_audio_train": np.arange(9) % 3,
        "lab_audio_test": np.arange(3),
        "visual_train": np.ones((12, 2)),
        "visual_test": np.ones((6, 2)),
        "lab_visual_train": np.arange(12) % 3,
        "lab_visual_test": np.arange(6) % 3,
    }
    return {key: value for key, value in {**arrays, **changes}.items() if value is not None}


@pytest.fixture
def read(tmp_path):
    def read(arrays, **options):
        path = tmp_path / "f.h5"
        with h5py.File(path, "w") as file:
            for key, value in arrays.items():
                file[key] = value
        return read_feature_file(path, **options)

    return read


def test_shared_labels_make_row_i_of_every_view_a_pair(read):
    arrays = paired()

    data = read(arrays)

    assert list(data.views) == ["audio", "visual"]
    assert data.paired
    assert data.views["audio"].ids.tolist() == data.views["visual"].ids.tolist()
    assert data.views["audio"].split.tolist() == data.views["visual"].split.tolist()
    for name in ("audio", "visual"):
        expected = np.concatenate([arrays[f"{name}_train"], arrays[f"{name}_test"]])
        assert np.array_equal(data.views[name].features, expected.astype(np.float32))
        assert data.views[name].labels.tolist() == [0, 1] * 13
    assert data.classes == ("0", "1")


def test_labels_of_each_view_are_no_pairs(read):
    data = read(matched())

    assert not data.paired
    assert not set(data.views["audio"].ids) & set(data.views["visual"].ids)
    assert data.views["visual"].labels.tolist() == [*([0, 1, 2] * 4), *([0, 1, 2] * 2)]


def test_rows_without_any_label_are_pairs(read):
    data = read(paired(lab_train=None, lab_test=None))

    assert data.paired
    assert data.views["audio"].labels is None


def test_test_rows_stay_test_and_validation_comes_out_of_train(read):
    view = read(paired(), seed=3, validation_share=0.2).views["audio"]

    assert len(view.only("test")) == 6
    assert np.bincount(view.only("validation").labels).tolist() == [2, 2]


@pytest.mark.parametrize("suffix", ["validation", "valid", "val"])
def test_a_published_validation_split_is_used(read, suffix):
    extra = {
        f"audio_{suffix}": np.zeros((5, 4)),
        f"visual_{suffix}": np.zeros((5, 6)),
        f"lab_{suffix}": np.zeros(5),
    }

    view = read(paired(**extra)).views["audio"]

    assert view.split.tolist() == ["train"] * 20 + ["validation"] * 5 + ["test"] * 6
    assert not view.only("validation").features.any()


def test_sequences_and_one_hot_labels_are_accepted(read):
    data = read(
        paired(
            audio_train=np.zeros((20, 10, 4), np.float16),
            audio_test=np.zeros((6, 10, 4), np.float16),
            lab_train=np.eye(3)[np.arange(20) % 3],
            lab_test=np.eye(3)[np.arange(6) % 3],
        )
    )

    assert data.views["audio"].features.shape == (26, 10, 4)
    assert data.classes == ("0", "1", "2")


def test_8_bit_rows_are_put_on_the_scale_of_the_authors(read):
    rng = np.random.default_rng(1)
    stored = {
        f"visual_{split}": rng.integers(0, 256, (rows, 10, 6), dtype=np.uint8)
        for split, rows in (("train", 20), ("test", 6))
    }

    data = read(paired(**stored))

    expected = [(float(x) - 128.0) / 256.0 for key in stored for x in stored[key].ravel()]
    assert data.views["visual"].features.ravel().tolist() == expected
    assert data.views["visual"].features.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float64])
def test_rows_of_other_number_types_keep_their_values(read, dtype):
    rows = np.arange(80).reshape(20, 4).astype(dtype)

    assert np.array_equal(read(paired(audio_train=rows)).views["audio"].features[:20], rows)


def test_names_of_files_are_passed_over(read):
    names = np.array(["x.wav"] * 20, dtype=h5py.string_dtype())

    assert list(read(paired(file_audio_train=names)).views) == ["audio", "visual"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (paired(audio=np.zeros((3, 3))), r"audio: unknown key; expected groups"),
        (paired(_train=np.zeros((3, 3))), r"_train: unknown key"),
        (paired(audio_dev=np.zeros((3, 3))), r"audio_dev: unknown key"),
        (paired(visual_test=None), r"visual_test: missing; found visual_train"),
        (paired(visual_train=None), r"visual_train: missing"),
        (paired(lab_test=None), r"lab_test: missing; found lab_train"),
        (paired(lab_train=np.zeros(19)), r"lab_train: expected 20 labels as audio_train .*19"),
        (paired(audio_train=np.zeros((20, 5))), r"audio_test: expected rows of shape \(5,\)"),
        (paired(audio_train=np.full((20, 4), np.nan)), r"audio_train: expected finite"),
        (
            paired(audio_train=np.zeros((20, 4), np.uint8)),
            r"audio_train: expected all splits .* as uint8 or none, found uint8 beside float64 in "
            r"audio_test",
        ),
        (
            paired(audio_test=np.zeros((6, 4), np.uint8)),
            r"audio_train: expected all splits .*, found float64 beside uint8 in audio_test",
        ),
        (paired(audio_val=np.zeros((5, 4))), r"visual_validation: missing"),
        (paired(lab_audio_train=np.zeros(20)), r"found lab_test and lab_audio_train"),
        (
            paired(visual_train=np.zeros((21, 6)), lab_train=None, lab_test=None),
            r"visual_train: expected 20 rows as audio_train has, found 21",
        ),
        (matched(lab_visual_train=None), r"lab_visual_train: missing; found lab_visual_test"),
        (matched(lab_visual_train=None, lab_visual_test=None), r"lab_visual_test: missing"),
        (matched(lab_text_train=np.zeros(3)), r"lab_text_train: labels of a view 'text'"),
        ({"lab_train": np.zeros(3)}, r"expected at least one view"),
    ],
)
def test_inconsistencies_are_named_by_key(read, arrays, message):
    with pytest.raises(DataError, match=message):
        read(arrays)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data are not here")
def test_the_av11_features_are_read_whole():
    data = read_feature_file(SHARED / "av11_features.h5")

    audio, visual = data.views["audio"], data.views["visual"]
    assert (audio.features.shape, visual.features.shape) == ((778, 1024), (1909, 1280))
    assert (len(audio.only("test")), len(visual.only("test"))) == (156, 382)
    assert data.classes[0] == "dog"
    assert not data.paired
    assert (np.bincount(np.asarray(audio.only("validation").labels), minlength=11) > 0).all()
