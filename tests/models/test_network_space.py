"""Spaces of networks: the projection written out in NumPy, and what cannot be opened."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cca.typicality import fit_typicality
from models.encoders.affine import affine_specification
from models.encoders.attention import attention_specification
from models.encoders.chain import chain_specification
from models.encoders.mlp import mlp_specification
from models.encoders.registry import build_encoder
from models.encoders.transformer import transformer_specification
from models.errors import ShapeError
from models.network_space import ARCHITECTURE, NetworkSpace, NetworkView
from models.types import View

HEADED = chain_specification(
    mlp_specification((7, 6, 4), normalisation="batch", dropout=0.5), affine_specification(4, 3)
)
PLAIN = mlp_specification((5, 3))
SEQUENCE = attention_specification(6, 8, 3, heads=2, dropout=0.1)


def trained(specification, seed=0):
    """An encoder whose statistics and fixed numbers are not those of a fresh one."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = build_encoder(specification)
        for buffer in encoder.buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand(buffer.shape) + 0.5)
    return encoder


def network_view(specification, dimension, seed=0, encoder=None):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(60, dimension))
    return NetworkView(
        mean=rng.normal(size=dimension).astype(np.float32),
        scale=rng.uniform(0.5, 2.0, size=dimension).astype(np.float32),
        specification=specification,
        encoder=encoder or trained(specification, seed),
        typicality=fit_typicality(rows[:40], rows[40:]),
    )


def small_space():
    maps = {"audio": network_view(HEADED, 7, 1), "image": network_view(PLAIN, 5, 2)}
    return NetworkSpace("dcca", {"audio": View("audio", 7), "image": View("image", 5)}, maps)


def sequence_space():
    maps = {"audio": network_view(SEQUENCE, 6, 3), "image": network_view(PLAIN, 5, 4)}
    views = {"audio": View("audio", 6, steps=4), "image": View("image", 5)}
    return NetworkSpace("attention", views, maps)


def draw(*shape, seed=5):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def numbers(encoder):
    return {key: t.numpy().astype(np.float64) for key, t in encoder.state_dict().items()}


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def reopened(space, **changes):
    """The space of its tensors, with some of them changed; None takes one away."""
    tensors = {**space.tensors(), **changes}
    kept = {name: array for name, array in tensors.items() if array is not None}
    return NetworkSpace.from_tensors(space.method, space.views, kept)


def as_bytes(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return np.frombuffer(text, dtype=np.uint8)


def architecture_of(space):
    return json.loads(space.tensors()[ARCHITECTURE].tobytes())


NEEDED = sorted(
    name
    for name in small_space().tensors()
    if not name.endswith("num_batches_tracked")  # PyTorch counts batches, and does without
)

# ---------------------------------------------------------------- projection


def test_projection_is_the_network_written_out():
    """Standardise, linear, batch normalisation with its statistics, ReLU, linear, head, unit."""
    space, rows = small_space(), draw(20, 7)
    part = space._maps["audio"]
    n = numbers(part.encoder)
    x = (rows.astype(np.float64) - part.mean) / part.scale
    x = x @ n["stages.0.layers.1.weight"].T + n["stages.0.layers.1.bias"]
    deviation = np.sqrt(n["stages.0.layers.2.running_var"] + 1e-5)
    x = (x - n["stages.0.layers.2.running_mean"]) / deviation
    x = x * n["stages.0.layers.2.weight"] + n["stages.0.layers.2.bias"]
    x = np.maximum(x, 0.0) @ n["stages.0.layers.5.weight"].T + n["stages.0.layers.5.bias"]
    x = (x - n["stages.1.mean"]) @ n["stages.1.weights"]
    found = space.project("audio", rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, unit(x), atol=1e-5)


def test_a_space_does_not_train():
    encoder = trained(HEADED).train()
    view = network_view(HEADED, 7, encoder=encoder)
    space = NetworkSpace("dcca", {"audio": View("audio", 7)}, {"audio": view})
    assert not encoder.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    rows = draw(4, 7)
    assert space.project("audio", rows).tobytes() == space.project("audio", rows).tobytes()


@pytest.mark.parametrize(
    "specification",
    [
        SEQUENCE,
        transformer_specification(6, 8, 3, layers=2, heads=2, dropout=0.1),
        mlp_specification((6, 4, 3)),
        chain_specification(affine_specification(6, 4), mlp_specification((4, 3))),
    ],
    ids=["attention", "transformer", "mlp", "chain"],
)
def test_sequences_are_projected_as_the_encoder_maps_them(specification):
    part = network_view(specification, 6, 6)
    space = NetworkSpace("attention", {"audio": View("audio", 6, steps=4)}, {"audio": part})
    rows = draw(5, 4, 6)
    standardised = torch.from_numpy((rows - part.mean) / part.scale)
    expected = part.encoder(standardised).numpy()
    if specification["kind"] == "chain":  # an affine map of a mean is the mean of affine maps
        expected = part.encoder(standardised.mean(dim=1)).numpy()
    np.testing.assert_allclose(space.project("audio", rows), unit(expected), atol=1e-5)


def test_a_row_of_a_sequence_view_is_a_sequence_of_one_step():
    space, rows = sequence_space(), draw(5, 6)
    np.testing.assert_array_equal(
        space.project("audio", rows), space.project("audio", rows[:, None])
    )
    np.testing.assert_array_equal(
        space.typicality("audio", rows), space.typicality("audio", rows[:, None])
    )


def test_another_number_of_steps_than_in_training_is_accepted():
    assert sequence_space().project("audio", draw(5, 9, 6)).shape == (5, 3)


def test_typicality_of_a_sequence_is_that_of_its_mean():
    space, rows = sequence_space(), 20.0 * draw(5, 4, 6)
    part = space._maps["audio"]
    pooled = ((rows.astype(np.float64) - part.mean) / part.scale).mean(axis=1)
    expected = part.typicality.typicality(pooled)
    assert expected.max() < 1.0
    np.testing.assert_allclose(space.typicality("audio", rows), expected, rtol=1e-4)


def test_a_row_without_signal_becomes_zeros():
    specification = chain_specification(PLAIN, affine_specification(3, 3))
    part = network_view(specification, 5, encoder=build_encoder(specification))  # a head of zeros
    space = NetworkSpace("dcca", {"image": View("image", 5)}, {"image": part})
    np.testing.assert_array_equal(space.project("image", draw(2, 5)), np.zeros((2, 3)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_rows_do_not_know_their_neighbours(seed, n_rows):
    space, rows = sequence_space(), draw(n_rows, 4, 6, seed=seed)
    order = np.random.default_rng(seed).permutation(n_rows)
    together = space.project("audio", rows)
    assert space.project("audio", rows[order]).tobytes() == together[order].tobytes()


@pytest.mark.parametrize(
    ("view", "shape"),
    [
        ("video", (1, 7)),
        ("audio", (1, 6)),
        ("audio", (7,)),
        ("audio", (1, 2, 6)),
        ("audio", (1, 0, 7)),
        ("audio", (1, 1, 1, 7)),
    ],
)
def test_an_unknown_view_or_another_shape_is_refused(view, shape):
    space = small_space()
    for method in (space.project, space.typicality):
        with pytest.raises(ShapeError, match="expected"):
            method(view, np.zeros(shape, np.float32))


# ---------------------------------------------------------------- tensors


@pytest.mark.parametrize("make", [small_space, sequence_space])
def test_a_space_rebuilt_from_its_tensors_gives_the_same_bits(make):
    space = make()
    again = reopened(space)
    assert (again.method, again.views, again.n_components) == (
        space.method,
        space.views,
        space.n_components,
    )
    for view in space.views.values():
        rows = draw(6, view.steps or 1, view.dimension)
        assert again.project(view.name, rows).tobytes() == space.project(view.name, rows).tobytes()
    tensors = space.tensors()
    for name, array in again.tensors().items():
        np.testing.assert_array_equal(array, tensors[name])


def test_the_architecture_is_readable_json():
    assert architecture_of(small_space()) == {"audio": HEADED, "image": PLAIN}


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_tensor_is_refused(name):
    with pytest.raises(ShapeError, match=r"expected|do not fit"):
        reopened(small_space(), **{name: None})


@pytest.mark.parametrize("name", [name for name in NEEDED if name != ARCHITECTURE])
def test_a_tensor_of_another_shape_is_refused(name):
    array = small_space().tensors()[name]
    with pytest.raises(ShapeError, match=r"expected|do not fit"):
        reopened(small_space(), **{name: np.concatenate([array, array])})


DAMAGED: dict[str, Any] = {
    "nothing": b"",
    "cut off": b'{"audio": {"kind": "mlp", "si',
    "not text": b"\xff\xfe\x00\x81",
    "a list": [],
    "null": None,
    "a huge number": b"1" * 5000,
    "deep": b"[" * 100_000,
    "another view": {"video": HEADED, "image": PLAIN},
    "no specification": {"audio": 7, "image": PLAIN},
    "an unknown kind": {"audio": {"kind": "magic"}, "image": PLAIN},
    "huge": {"audio": mlp_specification((7, 10**9, 10**9, 3)), "image": PLAIN},
    "other sizes": {"audio": mlp_specification((7, 5, 3)), "image": PLAIN},
    "another activation": {"audio": HEADED, "image": {**PLAIN, "activation": ["relu"]}},
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_architecture_is_refused(case):
    with pytest.raises(ShapeError, match=r"expected|do not fit"):
        reopened(small_space(), **{ARCHITECTURE: as_bytes(DAMAGED[case])})


def test_weights_that_do_not_fit_are_told_by_their_view():
    bias = np.zeros(9, dtype=np.float32)
    with pytest.raises(ShapeError, match="the network of image: the weights do not fit"):
        reopened(small_space(), **{"image.encoder.layers.1.bias": bias})


# ---------------------------------------------------------------- views that do not go together


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        (mlp_specification((6, 3)), "the encoder of image does not take rows of D = 5"),
        (mlp_specification((5, 4)), r"expected the same \(K,\) .*'image': \(4,\)"),
        (affine_specification(5, 3), r"expected the same \(K,\) .*'image': \(1, 3\)"),
    ],
    ids=["another D", "another K", "no pooling"],
)
def test_views_that_do_not_go_together_are_refused(specification, message):
    maps = {"audio": network_view(HEADED, 7), "image": network_view(specification, 5)}
    views = {"audio": View("audio", 7), "image": View("image", 5)}
    with pytest.raises(ShapeError, match=message):
        NetworkSpace("dcca", views, maps)


def test_views_of_another_dimension_than_the_tensors_are_refused():
    space = small_space()
    views = {**space.views, "image": View("image", 6)}
    with pytest.raises(ShapeError, match=r"expected mean \(6\) for image, got \(5,\)"):
        NetworkSpace.from_tensors("dcca", views, space.tensors())
