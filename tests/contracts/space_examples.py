"""A small space for every entry of SPACES, with numbers drawn from a seed."""

from collections.abc import Callable

import numpy as np
import torch

from models.cca.kernel_space import KernelSpace, KernelView
from models.cca.linear_space import LinearSpace, LinearView
from models.cca.semantic_matching import PosteriorSpace, PosteriorView
from models.cca.typicality import TypicalityModel, fit_typicality
from models.encoders.affine import affine_specification
from models.encoders.attention import attention_specification
from models.encoders.chain import chain_specification
from models.encoders.mlp import mlp_specification
from models.encoders.registry import build_encoder
from models.encoders.specification import Specification
from models.encoders.transformer import transformer_specification
from models.network_space import NetworkSpace, NetworkView
from models.spaces import SharedSpace
from models.types import Float32Array, Float64Array, View

DIMENSIONS = {"audio": 7, "image": 5}
K = 3
STEPS = 4


def _views(steps: int | None = None) -> dict[str, View]:
    return {
        name: View(name, d, "some-extractor", "0123456789abcdef", steps)
        for name, d in DIMENSIONS.items()
    }


def _standardised(
    rng: np.random.Generator, dimension: int
) -> tuple[Float64Array, Float64Array, TypicalityModel]:
    """Mean, scale and typicality of a view."""
    rows = rng.normal(size=(80, dimension))
    mean, scale = rng.normal(size=dimension), rng.uniform(0.5, 2.0, size=dimension)
    return mean, scale, fit_typicality(rows[:60], rows[60:])


def linear_space(method: str, seed: int) -> LinearSpace:
    rng = np.random.default_rng(seed)
    maps = {}
    for name, d in DIMENSIONS.items():
        mean, scale, typicality = _standardised(rng, d)
        maps[name] = LinearView(mean, scale, rng.normal(size=(d, K)), typicality)
    return LinearSpace(method, _views(), maps)


def kernel_space(method: str, seed: int) -> KernelSpace:
    rng = np.random.default_rng(seed)
    maps = {}
    for name, d in DIMENSIONS.items():
        mean, scale, typicality = _standardised(rng, d)
        maps[name] = KernelView(
            mean,
            scale,
            landmarks=rng.normal(size=(9, d)),
            gamma=np.array([0.1]),
            weights=rng.normal(size=(9, K)),
            centre=rng.normal(size=K),
            typicality=typicality,
        )
    return KernelSpace(method, _views(), maps)


def posterior_space(method: str, seed: int) -> PosteriorSpace:
    rng = np.random.default_rng(seed)
    maps = {}
    for name, d in DIMENSIONS.items():
        mean, scale, typicality = _standardised(rng, d)
        weights, bias = rng.normal(size=(d, K)), rng.normal(size=K)
        maps[name] = PosteriorView(
            mean, scale, weights, bias, np.full(K, 1.0 / K), np.empty(0), typicality
        )
    return PosteriorSpace(method, _views(), maps)


def _network(
    describe: Callable[[int], Specification], steps: int | None = None
) -> Callable[[str, int], NetworkSpace]:
    """How to make a space of networks, each described by D."""

    def make(method: str, seed: int) -> NetworkSpace:
        rng = np.random.default_rng(seed)
        maps = {}
        for name, d in DIMENSIONS.items():
            mean, scale, typicality = _standardised(rng, d)
            specification = describe(d)
            maps[name] = NetworkView(
                mean.astype(np.float32),
                scale.astype(np.float32),
                specification,
                _trained(specification, seed),
                typicality,
            )
        return NetworkSpace(method, _views(steps), maps)

    return make


def _trained(specification: Specification, seed: int) -> torch.nn.Module:
    """An encoder whose statistics and fixed numbers are not those of a fresh one."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        encoder = build_encoder(specification)
        for buffer in encoder.buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand(buffer.shape) + 0.5)
    return encoder


def _perceptron(d: int) -> Specification:
    return mlp_specification((d, 6, K), activation="tanh", normalisation="batch", dropout=0.5)


def _with_head(d: int) -> Specification:
    return chain_specification(_perceptron(d), affine_specification(K, K))


def _behind_cca(d: int) -> Specification:
    return chain_specification(
        affine_specification(d, 4), mlp_specification((4, 6, K), activation="tanh")
    )


def _latent_means(d: int) -> Specification:
    trunk = mlp_specification((d, 6), last_activation="tanh")
    means = chain_specification(trunk, mlp_specification((6, 4)))
    return chain_specification(means, affine_specification(4, K))


def _attention(d: int) -> Specification:
    return attention_specification(d, 8, K, heads=2, dropout=0.1)


def _transformer(d: int) -> Specification:
    return transformer_specification(d, 8, K, layers=2, heads=2, dropout=0.1)


_headed, _plain = _network(_with_head), _network(_perceptron)
NETWORKS: dict[str, Callable[[str, int], SharedSpace]] = {
    "dcca": _headed,
    "dccae": _headed,
    "c-dcca": _headed,
    "tnn-c-cca": _network(_behind_cca),
    "vae-cca": _network(_latent_means),
    "acmr": _plain,
    "contrastive": _plain,
    "adversarial-contrastive": _plain,
    "corr-ae": _plain,
    "ugaar": _plain,
    "ugaar-info-nce": _plain,
    "attention": _network(_attention, STEPS),
    "transformer": _network(_transformer, STEPS),
}
CLOSED_FORM: dict[str, Callable[[str, int], SharedSpace]] = {
    "cca": linear_space,
    "c-cca": linear_space,
    "mean-cca": linear_space,
    "kcca": kernel_space,
    "c-kcca": kernel_space,
    "sm": posterior_space,
    "scm": posterior_space,
}
EXAMPLES = {**CLOSED_FORM, **NETWORKS}


def example(method: str, seed: int = 0) -> SharedSpace:
    """The small space of a method."""
    return EXAMPLES[method](method, seed)


def rows_of(space: SharedSpace, view: str, n_rows: int = 9, seed: int = 1) -> Float32Array:
    """Features (N, D), or (N, T, D) for a view of sequences."""
    found = space.views[view]
    shape = (n_rows, found.dimension) if found.steps is None else (n_rows, STEPS, found.dimension)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)
