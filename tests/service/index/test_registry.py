import importlib

import numpy as np
import pytest

from models.errors import ArtefactError, KyomeiError
from service.index.errors import IndexSettingError
from service.index.options import IndexOptions
from service.index.protocol import MaintainedIndex
from service.index.registry import BACKENDS, load_index, open_index

FILED = ("auto", "flat", "hnsw", "ivf-sq8", "ivf-pq", "numpy")


def test_every_backend_of_the_documentation_is_there():
    assert set(BACKENDS) == {*FILED, "milvus"}


def test_the_old_name_of_auto_still_opens():
    index = open_index("faiss", 4, device="cpu")
    assert isinstance(index, MaintainedIndex)
    assert index.describe()["type"] == "flat"


def test_unknown_backend_is_refused_with_the_setting_and_the_choices():
    with pytest.raises(IndexSettingError, match=r"KYOMEI_INDEX_BACKEND.*flat, hnsw.*'tree'"):
        open_index("tree", 4)
    assert issubclass(IndexSettingError, KyomeiError)


@pytest.mark.parametrize("writer", FILED)
@pytest.mark.parametrize("reader", FILED)
def test_a_file_of_one_backend_opens_in_any_other(writer, reader, tmp_path):
    vectors = np.eye(5, dtype=np.float32)
    index = open_index(writer, 5, device="cpu")
    index.add(np.arange(5) * 2, vectors)
    index.save(tmp_path / "index.safetensors")
    loaded = load_index(tmp_path / "index.safetensors", IndexOptions(reader, "cpu", 2))
    assert loaded.search(vectors, 1).ids[:, 0].tolist() == [0, 2, 4, 6, 8]


def test_a_missing_file_is_an_artefact_error(tmp_path):
    with pytest.raises(ArtefactError, match="nowhere"):
        load_index(tmp_path / "nowhere.safetensors", IndexOptions("numpy"))


@pytest.mark.parametrize("backend", ["hnsw", "ivf-sq8"])
def test_an_index_answers_after_somebody_taught_faiss_to_take_tensors(backend):
    importlib.import_module("faiss.contrib.torch_utils")  # changes every class of FAISS for good
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.standard_normal((100, 16)), 40, axis=0)
    vectors = (centres + 0.1 * rng.standard_normal(centres.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = open_index(backend, 16, device="cpu")
    index.add(np.arange(len(vectors)), vectors)
    assert isinstance(index, MaintainedIndex)
    index.settle()

    assert index.describe()["type"] == backend
    assert index.search(vectors[:50], 3).ids[:, 0].tolist() == list(range(50))
