import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.errors import DataError
from training.datasets.feature_data import FeatureData, FeatureView
from training.datasets.feature_file import read_feature_file, write_feature_file

SPLITS = ["train"] * 8 + ["validation"] * 2 + ["test"] * 2


def view(dimension=3, *, prefix="", labels=True, seed=0):
    rng = np.random.default_rng(seed)
    shape = (12, *np.atleast_1d(dimension))
    return FeatureView(
        rng.normal(size=shape).astype(np.float32),
        np.array([f"{prefix}{row:02d}" for row in range(12)]),
        np.arange(12, dtype=np.int64) % 2 if labels else None,
        np.array(SPLITS),
    )


def data(**views):
    return FeatureData(
        views,
        classes=("dog", "Katze ä"),
        source="made up",
        licence="CC0",
        extractors={"audio": ("log-mel", "0123456789abcdef")},
    )


@pytest.fixture
def written(tmp_path):
    """A correct file of two paired views, to be damaged by tests."""
    path = tmp_path / "f.h5"
    write_feature_file(path, data(audio=view(3), image=view((2, 4), seed=1)))
    return path


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "f.h5"
    expected = data(audio=view(3), lyrics=view((5, 2), prefix="l", labels=False))

    write_feature_file(path, expected)
    found = read_feature_file(path)

    assert list(found.views) == ["audio", "lyrics"]
    for name, one in expected.views.items():
        other = found.views[name]
        assert np.array_equal(one.features, other.features)
        assert other.features.dtype == np.float32
        assert one.ids.tolist() == other.ids.tolist()
        assert one.split.tolist() == other.split.tolist()
        assert (one.labels is None) == (other.labels is None)
    assert np.asarray(found.views["audio"].labels).tolist() == [0, 1] * 6
    assert (found.classes, found.source) == (expected.classes, expected.source)
    assert (found.licence, found.extractors) == (expected.licence, expected.extractors)


def test_equal_values_give_equal_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_feature_file(tmp_path / name, data(audio=view()))

    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_h5py_alone_reads_the_documented_layout(written):
    with h5py.File(written) as file:
        assert file["audio/features"].dtype == np.float32
        assert file["audio/features"].shape == (12, 3)
        assert file["image/features"].shape == (12, 2, 4)
        assert file["audio/ids"].asstr()[0] == "00"
        assert file["audio/split"].asstr()[11] == "test"
        assert file["audio/labels"][1] == 1
        assert list(file.attrs["classes"]) == ["dog", "Katze ä"]
        assert file["audio"].attrs["extractor"] == "log-mel"
        assert "extractor" not in file["image"].attrs


def test_a_failed_write_leaves_the_old_file(written):
    before = written.read_bytes()
    wrong = data(audio=view())
    wrong.views["audio"].features[0, 0] = np.nan

    with pytest.raises(DataError, match=r"audio/features: .*NaN"):
        write_feature_file(written, wrong)

    assert written.read_bytes() == before
    assert [path.name for path in written.parent.iterdir()] == ["f.h5"]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, np.int32, ">f4"])
def test_any_number_type_becomes_float32(written, dtype):
    values = np.arange(36).reshape(12, 3)
    replace(written, "audio/features", values.astype(dtype))

    features = read_feature_file(written).views["audio"].features

    assert features.dtype == np.float32
    assert features.dtype.isnative
    assert np.array_equal(features, values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64])
@pytest.mark.parametrize("form", ["flat", "column", "one-hot"])
def test_labels_may_be_flat_a_column_or_one_hot(written, form, dtype):
    labels = np.arange(12) % 2
    shaped = {"flat": labels, "column": labels[:, None], "one-hot": np.eye(2)[labels]}[form]
    replace(written, "audio/labels", shaped.astype(dtype))

    found = read_feature_file(written).views["audio"].labels
    assert np.asarray(found).tolist() == labels.tolist()


def test_labels_without_class_names_are_numbered(written):
    labels = np.array([7, 30, 100] * 4)
    for key in ("audio/labels", "image/labels"):
        replace(written, key, labels)
    with h5py.File(written, "a") as file:
        del file.attrs["classes"]

    found = read_feature_file(written)

    assert found.classes == ("7", "30", "100")
    assert np.asarray(found.views["image"].labels).tolist() == [0, 1, 2] * 4


def test_a_file_without_labels_has_no_classes(written):
    with h5py.File(written, "a") as file:
        del file["audio/labels"], file["image/labels"], file.attrs["classes"]

    assert read_feature_file(written).classes == ()


def test_a_missing_split_is_made(written):
    with h5py.File(written, "a") as file:
        del file["audio/split"], file["image/split"]

    views = read_feature_file(written).views

    assert set(views["audio"].split) == {"train", "validation", "test"}
    assert views["audio"].split.tolist() == views["image"].split.tolist()


def replace(path, key, value):
    with h5py.File(path, "a") as file:
        if key in file:
            del file[key]
        if value is not None:
            file[key] = value


def _strings(values):
    return np.array(values, dtype=h5py.string_dtype())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("audio/features", None, r"audio/features: missing, found ids"),
        ("audio/ids", None, r"audio/ids: missing"),
        ("audio/features", np.zeros(12), r"audio/features: .*\(N, D\).*found \(12,\)"),
        ("audio/features", np.zeros((12, 0)), r"audio/features: .*found \(12, 0\)"),
        ("audio/features", np.zeros((0, 3)), r"audio/features: .*found \(0, 3\)"),
        ("audio/features", np.full((12, 3), np.inf), r"infinity in 12 of 12 rows.* row 0"),
        ("audio/features", np.full((12, 3), 1e300), r"audio/features: expected finite"),
        ("audio/features", _strings([["a"]] * 12), r"audio/features: expected numbers"),
        ("audio/features", np.zeros((11, 3)), r"audio/ids: expected shape \(11,\).*\(12,\)"),
        ("audio/labels", np.zeros(11), r"audio/labels: expected shape \(12,\).*found \(11,\)"),
        ("audio/labels", np.full(12, 2), r"audio/labels: expected 0 to 1 .*found 2"),
        ("audio/labels", np.full(12, 0.5), r"audio/labels: expected whole numbers.*0.5 in row 0"),
        ("audio/labels", np.full(12, -1), r"audio/labels: expected whole numbers >= 0, found -1"),
        ("audio/labels", np.full(12, np.nan), r"audio/labels: expected whole numbers"),
        ("audio/labels", np.zeros((12, 4)), r"audio/labels: expected one-hot rows.*row 0"),
        ("audio/labels", np.zeros((12, 4, 2)), r"audio/labels: expected class numbers"),
        ("audio/labels", _strings(["dog"] * 12), r"audio/labels: expected class numbers"),
        ("audio/ids", np.arange(12), r"audio/ids: expected text of shape \(N,\).*int64"),
        ("audio/ids", _strings(["a"] * 12), r"audio/ids: .*different id"),
        ("audio/split", _strings(["test"] * 5), r"audio/split: expected shape \(12,\)"),
        ("audio/split", _strings(["dev"] * 12), r"audio/split: expected one of train"),
        ("audio/weights", np.zeros(12), r"audio/weights: unknown key, expected features, ids"),
        ("extra", np.zeros(12), r"found group audio beside data set extra"),
    ],
)
def test_damage_is_named_by_key(written, key, value, message):
    replace(written, key, value)

    with pytest.raises(DataError, match=message) as caught:
        read_feature_file(written)
    assert str(written) in str(caught.value)


def test_ids_that_are_no_text_are_refused(written):
    replace(written, "audio/ids", np.array([b"\xff%d" % n for n in range(12)], dtype=object))

    with pytest.raises(DataError, match="audio/ids: expected UTF-8"):
        read_feature_file(written)


def test_classes_with_one_name_are_refused(written):
    with h5py.File(written, "a") as file:
        file.attrs["classes"] = ["dog", "dog"]

    with pytest.raises(DataError, match="expected different class names"):
        read_feature_file(written)


@pytest.mark.parametrize("content", [None, b"", b"not HDF5 at all" * 100])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    path = tmp_path / "f.h5"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match="expected a readable HDF5 feature file"):
        read_feature_file(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vegas", r"vegas: expected a feature file, found none; get vegas_feature\.h5 .*CMR"),
        ("VEGAS", r"VEGAS: .*get vegas_feature\.h5"),
        ("ave", r"ave: .*AVE_feature_updated_squence\.h5 .*zhangjiwei-japan"),
    ],
)
def test_the_name_of_published_features_says_where_the_file_is(tmp_path, monkeypatch, name, words):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=words):
        read_feature_file(Path(name))


def test_a_feature_file_may_be_called_vegas(written, monkeypatch):
    monkeypatch.chdir(written.parent)
    written.rename("vegas")

    assert list(read_feature_file(Path("vegas")).views) == ["audio", "image"]


def test_a_truncated_file_is_refused(written):
    whole = written.read_bytes()
    written.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(DataError, match="expected a readable HDF5"):
        read_feature_file(written)


def test_an_empty_file_is_refused(tmp_path):
    h5py.File(tmp_path / "f.h5", "w").close()

    with pytest.raises(DataError, match="expected at least one view"):
        read_feature_file(tmp_path / "f.h5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": np.zeros((12, 3))}, "expected float32"),
        ({"features": np.zeros(12, np.float32)}, r"\(N, D\)"),
        ({"labels": np.full(12, 9)}, "audio/labels: expected 0 to 1 for 2 classes, found 9 to 9"),
        ({"labels": np.full(12, -1)}, "found -1 to -1"),
        ({"ids": np.array(["a"])}, "audio/ids"),
        ({"split": np.array(["train"] * 12)}, "none of test"),
    ],
)
def test_views_that_contradict_themselves_are_not_written(tmp_path, change, message):
    correct = view()
    fields = {key: getattr(correct, key) for key in ("features", "ids", "labels", "split")}

    with pytest.raises(DataError, match=message):
        write_feature_file(tmp_path / "f.h5", data(audio=FeatureView(**{**fields, **change})))
    assert not (tmp_path / "f.h5").exists()


def test_reading_needs_no_media_libraries():
    program = (
        "import sys, training.datasets.feature_file\n"
        "heavy = {'av', 'soundfile', 'verovio', 'pypdfium2', 'PIL', 'torch', 'fastapi', 'pydantic',"
        " 'faiss', 'scipy'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )

    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
