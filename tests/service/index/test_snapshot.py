"""An approximate index that is read from a file answers for itself, or is not used."""

import numpy as np
import pytest

from models.errors import ArtefactError
from service.index.faiss_backend import FaissIndex
from service.index.options import IndexOptions
from service.index.registry import load_index
from service.index.snapshot_file import Tensor, open_snapshot, write_snapshot
from tests.service.index.clusters import clustered

VECTORS, QUERIES = clustered(2_200, 20, dimension=16, seed=0)
OPTIONS = IndexOptions("ivf-sq8", "cpu")


@pytest.fixture
def path(tmp_path):
    index = FaissIndex(16, OPTIONS)
    index.add(np.arange(len(VECTORS)), VECTORS)
    index.settle()
    index.save(tmp_path / "index.safetensors")
    return tmp_path / "index.safetensors"


def rewritten(path, tensors=(), facts=()):
    """Write the file again with other tensors or facts; None leaves one out."""
    file = open_snapshot(path)
    merged: dict[str, Tensor | None] = {**file.tensors, **dict(tensors)}
    said = {**file.facts, **dict(facts)}
    other = path.with_name("other.safetensors")
    write_snapshot(other, {n: t for n, t in merged.items() if t is not None}, said)
    return other


def test_an_index_that_no_longer_finds_its_rows_is_refused(path):
    """The structure of other vectors: right in form, nonsense in content."""
    index = FaissIndex(16, OPTIONS)
    index.add(np.arange(len(VECTORS)), np.roll(VECTORS, 700, axis=0))
    index.settle()
    index.save(path.with_name("strange.safetensors"))
    strange = open_snapshot(path.with_name("strange.safetensors")).tensors["structure"]
    with pytest.raises(ArtefactError, match="does not find what it found when it was built"):
        load_index(rewritten(path, {"structure": strange}), OPTIONS)


@pytest.mark.parametrize(
    ("tensors", "facts", "words"),
    [
        ({"structure": np.zeros(99, np.uint8)}, {}, "FAISS cannot read"),
        ({"probe_scores": None}, {}, "probe_scores"),
        ({}, {"type": "tree"}, "tree"),
        ({}, {"width": "wide"}, "wide"),
        (
            {"ids": np.arange(2_199), "vectors": np.ascontiguousarray(VECTORS[:-1])},
            {},
            "structure over 2199 rows, got 2200",
        ),
        ({"removed_ids": np.array([3, 2])}, {}, "ascending removed_ids"),
        ({"recent_vectors": np.ones((1, 16), np.float32)}, {}, "ascending recent_ids"),
    ],
    ids=["bytes", "probe", "type", "effort", "rows", "removed", "recent"],
)
def test_files_that_do_not_fit_together_are_refused(path, tensors, facts, words):
    with pytest.raises(ArtefactError, match=words):
        load_index(rewritten(path, tensors, facts), OPTIONS)


def test_another_dimension_is_refused(path):
    with pytest.raises(ArtefactError, match="expected vectors of 17 dimensions, got 16"):
        load_index(path, OPTIONS, dimension=17)


def test_an_opened_file_is_read_where_it_lies(path):
    index = load_index(path, OPTIONS)
    assert isinstance(index, FaissIndex)
    base = index._state.base
    assert base.path == path
    assert not base.rows.vectors.flags.owndata
    assert not base.rows.vectors.flags.writeable
    assert index.describe()["recall"] >= 0.95
    path.unlink()  # a saved successor may take the name: what is open stays whole
    assert index.search(VECTORS[:5], 1).ids[:, 0].tolist() == [0, 1, 2, 3, 4]
