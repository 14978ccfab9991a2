"""Folders of tiny media and two spaces fitted on them: what a collection is built from in tests."""

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.cca.linear_space import LinearSpace, LinearView
from models.cca.standardise import fit_standardiser
from models.cca.typicality import TypicalityModel
from models.features.registry import extractor
from models.media.load import load
from models.spaces import SpaceManifest, save_space
from models.types import Modality, View
from service.engine import Engine
from service.ingest import index_folder
from service.settings import Settings
from tests.service.small_media import MAKERS, N_CLASSES, SUFFIXES
from tests.weightless import WEIGHTLESS
from training.datasets.feature_data import FeatureData, FeatureView
from training.loops.linear_recipe import LinearConfig, fit_linear_space

PLACES = 4
SPACE_VIEWS = {"everyday": ("audio", "image", "video"), "songs": ("audio", "lyrics", "score")}


@dataclass(frozen=True)
class World:
    """media/{everyday,songs}/MODALITY/CLASS/PLACE.suffix and spaces/{everyday,songs}."""

    media: Path
    spaces: Path

    def file(self, part, modality, label, place=0):
        return self.media / part / modality / f"c{label}" / f"{place}{SUFFIXES[modality]}"

    def settings(self, data, **changes):
        values = {
            "data": data,
            "spaces": (self.spaces,),
            "allowed_hosts": ("*",),
            "index_device": "cpu",
            "decode_workers": 1,
            "log_level": "warning",
        }
        return Settings(**{**values, **changes})


def write_media(folder, views, places):
    """Write the media of one part; songs sound one fifth of a class higher than everyday."""
    for modality in views:
        for label in range(N_CLASSES):
            for place in places:
                path = folder / modality / f"c{label}" / f"{place}{SUFFIXES[modality]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                shift = 0.5 if folder.name == "songs" and modality == "audio" else 0
                path.write_bytes(MAKERS[modality](label, place + shift))


@dataclass(frozen=True)
class _Rows:
    """Features of one modality, shape (N, D), with class and place of each row."""

    features: np.ndarray
    labels: np.ndarray
    places: np.ndarray
    identity: tuple[str, str]


def _rows(folder, modality):
    describe = extractor(WEIGHTLESS[Modality(modality)])
    paths = sorted((folder / modality).rglob("*.*"))
    return _Rows(
        np.stack([describe.pooled(load(path, Modality(modality))) for path in paths]),
        np.array([int(path.parent.name[1:]) for path in paths], np.int64),
        np.array([int(path.stem) for path in paths]),
        (describe.spec.name, describe.spec.fingerprint),
    )


def _principal(rows):
    """Directions (D, R) that the rows span, R <= N, so that nothing of size D x D is solved."""
    standardiser = fit_standardiser(rows.features)
    _, s, Vt = np.linalg.svd(standardiser(rows.features), full_matrices=False)
    return standardiser, s**2 / len(rows.features), Vt.T


def _typicality(standardised, variances, basis):
    rank = len(variances) // 2
    noise = np.array([max(variances[rank:].sum() / len(basis), 1e-3)])
    model = TypicalityModel(basis[:, :rank], variances[:rank], noise, np.ones(1))
    threshold = 1.5 * model.distances(standardised).max(keepdims=True)
    return dataclasses.replace(model, threshold=threshold)


def fit_space(media, folder, views, *, ridge=1.0, name=None):
    """Fit cluster-CCA by the code of ``training`` on principal components, written back to D."""
    made = {modality: _rows(media, modality) for modality in views}
    principal = {modality: _principal(rows) for modality, rows in made.items()}
    reduced = {
        modality: FeatureView(
            features=(standardiser(made[modality].features) @ basis).astype(np.float32),
            ids=np.array([f"c{c}/{p}" for c, p in zip(rows.labels, rows.places, strict=True)]),
            labels=rows.labels,
            split=np.where(rows.places == PLACES - 1, "validation", "train"),
        )
        for (modality, rows), (standardiser, _, basis) in zip(
            made.items(), principal.values(), strict=True
        )
    }
    config = LinearConfig(
        ridges=(ridge,), betas=(1.0,), correlation_powers=(1.0,), n_components=(8,)
    )
    small, _, _ = fit_linear_space("c-cca", FeatureData(views=reduced), config, progress=False)
    maps = {}
    for modality, (standardiser, variances, basis) in principal.items():
        scale, weights = (small.tensors()[f"{modality}.{part}"] for part in ("scale", "weights"))
        rows = made[modality]
        maps[modality] = LinearView(
            standardiser.mean,
            standardiser.scale,
            basis @ (weights / scale[:, None]),
            _typicality(standardiser(rows.features), variances, basis),
        )
    named = {
        modality: View(modality, rows.features.shape[1], *rows.identity)
        for modality, rows in made.items()
    }
    manifest = SpaceManifest(
        name=name or folder.name,
        method="c-cca",
        views=tuple(named.values()),
        n_components=small.n_components,
        dataset="tiny media made by the tests",
        licence="CC0",
        seed=0,
        weights_sha256="",
        code_version="0",
    )
    return save_space(LinearSpace("c-cca", named, maps), folder, manifest)


_made: dict[str, Any] = {}


def build_world(tmp_path_factory):
    """Make media and spaces, once in a test run."""
    if "world" not in _made:
        folder = tmp_path_factory.mktemp("world")
        world = World(media=folder / "media", spaces=folder / "spaces")
        for part, views in SPACE_VIEWS.items():
            write_media(world.media / part, views, range(PLACES))
            fit_space(world.media / part, world.spaces / part, views)
        _made["world"] = world
    return _made["world"]


def indexed_collection(world, tmp_path_factory):
    """Index both parts, once in a test run; the folder is copied before use, never opened."""
    if "indexed" not in _made:
        data = tmp_path_factory.mktemp("indexed") / "data"
        with contextlib.closing(Engine.open(world.settings(data))) as engine:
            for part in SPACE_VIEWS:
                report = index_folder(
                    engine.embedder,
                    engine.collection,
                    world.media / part,
                    spaces=[part],
                    progress=False,
                )
                assert not report.skipped
        _made["indexed"] = data
    return _made["indexed"]
