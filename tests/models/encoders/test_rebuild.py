"""Rebuilding an encoder from saved numbers, and refusing what does not fit them."""

import json
import tracemalloc

import numpy as np
import pytest
import torch

from models.encoders.affine import affine_specification
from models.encoders.attention import attention_specification
from models.encoders.chain import chain_specification
from models.encoders.mlp import mlp_specification
from models.encoders.rebuild import DEEPEST, rebuild_encoder
from models.encoders.registry import build_encoder
from models.encoders.transformer import transformer_specification
from models.encoders.unit_blocks import unit_blocks_specification
from models.errors import ShapeError

SPECIFICATIONS = {
    "affine": affine_specification(6, 3),
    "attention": attention_specification(6, 8, 3, heads=2, dropout=0.5),
    "chain": chain_specification(
        chain_specification(affine_specification(6, 4), mlp_specification((4, 5, 3))),
        affine_specification(3, 2),
    ),
    "blocks": chain_specification(
        mlp_specification((6, 5)), unit_blocks_specification((2, 3), (0.4, 0.6))
    ),
    "mlp": mlp_specification((6, 7, 3), normalisation="batch", dropout=0.5),
    "smallest mlp": mlp_specification((1, 1)),
    "transformer": transformer_specification(6, 8, 3, layers=5, heads=2, dropout=0.5),
}
MLP_KIND = SPECIFICATIONS["mlp"]
TRANSFORMER_KIND = SPECIFICATIONS["transformer"]


def numbers_of(encoder):
    """The state as a weights file gives it back: scalars come as arrays of one number."""
    return {key: np.ascontiguousarray(t.numpy()) for key, t in encoder.state_dict().items()}


def nested(levels):
    specification = MLP_KIND
    for _ in range(levels):
        specification = chain_specification(specification)
    return specification


@pytest.mark.parametrize("kind", SPECIFICATIONS)
def test_an_encoder_is_the_same_after_its_numbers(kind):
    specification = json.loads(json.dumps(SPECIFICATIONS[kind]))
    original = build_encoder(specification).eval()
    rebuilt = rebuild_encoder(specification, numbers_of(original)).eval()
    rows = torch.randn(3, 1 if kind == "smallest mlp" else 6)
    torch.testing.assert_close(rebuilt(rows), original(rows), rtol=0.0, atol=0.0)
    assert all(t.device.type == "cpu" for t in rebuilt.state_dict().values())
    dtypes = {key: t.dtype for key, t in original.state_dict().items()}
    assert {key: t.dtype for key, t in rebuilt.state_dict().items()} == dtypes


def test_numbers_are_copied_and_cast():
    specification = affine_specification(2, 2)
    numbers = {"mean": np.zeros(2), "weights": np.eye(2)}
    rebuilt = rebuild_encoder(specification, numbers)
    numbers["weights"][0, 0] = 9.0
    assert torch.equal(rebuilt(torch.ones(1, 2)), torch.ones(1, 2))


def test_no_random_number_is_drawn():
    original = numbers_of(build_encoder(TRANSFORMER_KIND))
    before = torch.random.get_rng_state()
    rebuild_encoder(TRANSFORMER_KIND, original)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("change", ["missing", "additional", "shape"])
def test_numbers_that_do_not_fit_are_refused(change):
    numbers = numbers_of(build_encoder(MLP_KIND))
    if change == "missing":
        del numbers["layers.1.bias"]
    elif change == "additional":
        numbers["layers.9.bias"] = np.zeros(3, dtype=np.float32)
    else:
        numbers["layers.1.bias"] = numbers["layers.1.bias"][:2]
    with pytest.raises(ShapeError, match=r"do not fit their architecture.*layers\.[19]\.bias"):
        rebuild_encoder(MLP_KIND, numbers)


LARGER = {
    "one large layer": ("mlp", {**MLP_KIND, "sizes": [6, 10**9, 3]}),
    "two large layers": ("mlp", {**MLP_KIND, "sizes": [10**9, 10**9]}),
    "beyond 64 bits": ("mlp", {**MLP_KIND, "sizes": [6, 10**30, 3]}),
    "many layers": ("mlp", {**MLP_KIND, "sizes": [3] * 10_000}),
    "many blocks": ("transformer", {**TRANSFORMER_KIND, "layers": 10**9}),
    "wide blocks": ("transformer", {**TRANSFORMER_KIND, "hidden": 10**9, "heads": 10**9}),
    "many queries": ("attention", {**SPECIFICATIONS["attention"], "heads": 10**9}),
    "large map": ("affine", affine_specification(10**6, 10**6)),
    "many stages": ("chain", chain_specification(*[MLP_KIND] * 1_000)),
    "deep": ("mlp", nested(DEEPEST)),
    "too deep to recurse into": ("mlp", nested(2_000)),
}


@pytest.mark.parametrize("case", LARGER)
def test_a_specification_larger_than_its_numbers_is_refused_before_it_is_built(case):
    kind, specification = LARGER[case]
    numbers = numbers_of(build_encoder(SPECIFICATIONS[kind]))
    tracemalloc.start()
    with pytest.raises(ShapeError, match="expected an architecture of sizes up to"):
        rebuild_encoder(specification, numbers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_large_layers_within_the_bound_take_no_memory_before_they_are_refused():
    """A long bias allows long sizes; the layers between them would have 10^10 weights."""
    numbers = {"layers.1.bias": np.zeros(100_000, dtype=np.float32)}
    with pytest.raises(ShapeError, match="do not fit"):
        rebuild_encoder({**MLP_KIND, "sizes": [100_000, 100_000, 100_000]}, numbers)


@pytest.mark.parametrize("specification", [None, [], 7, "mlp", {}, {"kind": []}, {"kind": "magic"}])
def test_what_is_not_a_specification_is_refused(specification):
    with pytest.raises(ShapeError, match="expected"):
        rebuild_encoder(specification, {"weights": np.zeros((2, 2))})


def test_no_numbers_at_all_are_refused():
    with pytest.raises(ShapeError, match="sizes up to 1"):
        rebuild_encoder(MLP_KIND, {})
