import io
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from models.errors import DataError
from tests.training.datasets.tiny_packs import write_digits
from training.datasets.fsdd_mnist import open_fsdd_mnist

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="module")
def read_only_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    write_digits(folder, np.random.default_rng(0))
    return folder


@pytest.fixture(scope="module")
def dataset(read_only_root):
    return open_fsdd_mnist(read_only_root)


@pytest.fixture
def root(tmp_path):
    write_digits(tmp_path, np.random.default_rng(0))
    return tmp_path


def _ids(dataset, modality, split):
    return [one.id for one in dataset.examples() if (one.modality, one.split) == (modality, split)]


def test_recordings_are_split_by_index(dataset):
    assert _ids(dataset, "audio", "train") == [
        "fsdd/0_jackson_12",
        "fsdd/0_lucas_12",
        "fsdd/7_jackson_12",
        "fsdd/7_lucas_12",
    ]
    assert _ids(dataset, "audio", "test")[0] == "fsdd/0_jackson_5"
    assert len([one for one in dataset.examples() if one.modality == "audio"]) == 8


def test_digits_are_split_by_row(dataset):
    assert len(_ids(dataset, "image", "train")) == 6000
    assert _ids(dataset, "image", "train")[-1] == "mnist/05999"
    assert _ids(dataset, "image", "test") == ["mnist/07000", "mnist/07001"]


def test_both_share_ten_classes_and_no_pair(dataset):
    labels = {one.id: one.label for one in dataset.examples()}
    assert dataset.classes == tuple("0123456789")
    assert not dataset.paired
    assert labels["fsdd/7_jackson_12"] == "7"
    assert labels["mnist/00037"] == "7"


def test_a_digit_is_a_png_of_the_stored_pixels(read_only_root, dataset):
    with np.load(read_only_root / "mnist_first8000.npz") as arrays:
        expected = arrays["images"][12]
    data = next(one.data for one in dataset.examples() if one.id == "mnist/00012")

    with PIL.Image.open(io.BytesIO(data or b"")) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), expected)


@pytest.mark.parametrize("name", ["ten_jackson_12.flac", "0_jackson.flac"])
def test_another_file_name_is_refused(root, name):
    (root / "fsdd/free-spoken-digit-dataset/recordings" / name).write_bytes(b"x")

    with pytest.raises(DataError, match=r"expected a name like 7_jackson_12\.flac"):
        open_fsdd_mnist(root)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 28, 28), np.uint8)}, "expected arrays images and labels"),
        (
            {"images": np.zeros((2, 28, 28)), "labels": np.zeros(2, int)},
            "expected uint8 images .*float64",
        ),
        (
            {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.zeros(3, int)},
            r"found uint8 \(2, 28, 28\) and \(3,\)",
        ),
        (
            {"images": np.zeros((2, 28, 28), np.uint8), "labels": np.array([0, 10])},
            "expected labels 0 to 9, found 0 to 10",
        ),
    ],
)
def test_other_arrays_are_refused(root, arrays, message):
    np.savez(root / "mnist_first8000.npz", **arrays)

    with pytest.raises(DataError, match=message):
        open_fsdd_mnist(root)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04broken"])
def test_a_damaged_archive_is_refused(root, content):
    (root / "mnist_first8000.npz").write_bytes(content)

    with pytest.raises(DataError, match="expected arrays images and labels"):
        open_fsdd_mnist(root)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data are not here")
def test_the_real_packs_have_the_known_counts(tmp_path):
    dataset = open_fsdd_mnist(SHARED, cache=tmp_path)

    assert Counter((one.modality.value, one.split) for one in dataset.examples()) == {
        ("audio", "train"): 2400,
        ("audio", "test"): 300,
        ("image", "train"): 6000,
        ("image", "test"): 1000,
    }
    spoken = Counter(one.label for one in dataset.examples() if one.modality == "audio")
    assert spoken == dict.fromkeys("0123456789", 270)
