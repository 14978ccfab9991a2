"""From a feature file to an artefact folder, and figures added to one."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from models.checkpoint import write_bytes_atomically, write_json
from models.spaces import SpaceManifest, load_space, save_space, write_manifest
from training.datasets.feature_data import FeatureData
from training.datasets.split import TRAIN
from training.evaluation.comparison import cut_rows, embedded_views
from training.evaluation.corrections import CorrectedFigure, measure_corrections
from training.evaluation.protocol import Direction, evaluate
from training.evaluation.report import plot_history, plot_recall, results_json, results_table
from training.loops.recipe import FitContext
from training.loops.registry import recipe

MOST_ROWS = 10_000  # of a view, where similarities of all rows are held at once


def train_space(
    method: str,
    data: FeatureData,
    folder: Path,
    *,
    config: Any,
    seed: int,
    name: str | None = None,
    resume: bool = False,
    half: bool = False,
    progress: bool = True,
) -> SpaceManifest:
    """Fit a method on train and validation rows and write the artefact folder.

    Args:
        method: Key in ``RECIPES``.
        data: Features; test rows are not looked at.
        folder: Where the artefact goes.
        config: Configuration of the recipe.
        seed: Seed of the validation split, recorded.
        name: Name of the space; by default that of the folder.
        resume: Go on from the checkpoint of a run that was interrupted, where there is one.
        half: Keep matrices in half precision, see ``save_space``.
        progress: Show a bar.

    Returns:
        The manifest as written.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)  # before the fit: an unusable folder is said at once
    try:
        context = FitContext(seed=seed, progress=progress, folder=folder, resume=resume)
        result = recipe(method).fit(data.for_selection(), config, context)
    except BaseException:
        if is_new and not any(folder.iterdir()):  # a checkpoint is kept for --resume
            folder.rmdir()
        raise
    manifest = SpaceManifest(
        name=name or folder.name,
        method=method,
        views=tuple(result.space.views.values()),
        n_components=result.space.n_components,
        dataset=data.source,
        licence=data.licence,
        seed=seed,
        weights_sha256="",
        code_version=code_version(),
        parameters=result.parameters,
        extractor_parameters={
            view: data.extractor_parameters[view]
            for view in result.space.views
            if view in data.extractor_parameters
        },
    )
    written = save_space(result.space, folder, manifest, half=half)
    write_json(folder / "history.json", result.history)
    plot_history(result.history, folder / "history.png")
    write_json(folder / "metrics.json", {})
    _write_card(folder, written, ())
    return written


def evaluate_space(folder: Path, data: FeatureData, *, split: str = "test") -> list[Direction]:
    """Measure a trained space and add the figures, a plot and the model card to its folder."""
    manifest, space = load_space(folder)
    directions = evaluate(space, data, split=split)
    metrics = results_json(directions, split=split)
    write_json(folder / "metrics.json", metrics)
    plot_recall(directions, folder / "recall.png")
    updated = replace(manifest, metrics=metrics)
    write_manifest(folder, updated)
    _write_card(folder, updated, directions)
    return directions


def correct_space(folder: Path, data: FeatureData, *, split: str = "test") -> list[CorrectedFigure]:
    """Measure a trained space with each correction at search time, fitted on its training rows.

    Views of more than ``MOST_ROWS`` rows are cut to about so many, drawn by the space's seed.
    """
    manifest, space = load_space(folder)
    rng = np.random.default_rng(manifest.seed)
    measured, fitted_on = (
        cut_rows(embedded_views(space, data, part), MOST_ROWS, rng=rng) for part in (split, TRAIN)
    )
    return measure_corrections(measured, fitted_on)


def code_version() -> str:
    """Version of the installed Kyomei, or ``unknown`` in a bare checkout."""
    try:
        return version("kyomei")
    except PackageNotFoundError:
        return "unknown"


def _write_card(folder: Path, manifest: SpaceManifest, directions: Sequence[Direction]) -> None:
    views = "\n".join(
        f"| {v.name} | {v.dimension} | {v.extractor or 'features from elsewhere'} |"
        for v in manifest.views
    )
    parameters = "\n".join(f"- {key}: {value}" for key, value in manifest.parameters.items())
    figures = f"```text\n{results_table(directions)}\n```" if directions else "Not evaluated yet."
    alone = manifest.parameters.get("refit") in (False, 0)
    refitted = "fitted on train rows alone" if alone else "then fitted on train and validation"
    split = manifest.metrics.get("split", "test") if manifest.metrics else "test"
    text = f"""# {manifest.name}

A shared space of {len(manifest.views)} views in {manifest.n_components} dimensions, fitted by
`{manifest.method}` on {manifest.dataset or "features of unstated source"}.

| view | D | extractor |
| --- | --- | --- |
{views}

Chosen on the validation split (seed {manifest.seed}), {refitted}:

{parameters}

## Figures on the {split} split

{figures}

`class`: relevant are the items of the query's class; `instance`: relevant is its true partner.
Made by `kyomei evaluate`; the plot is `recall.png`.

## Data, licence and limits

Data: {manifest.dataset or "unstated"}. Terms: {manifest.licence or "unstated"}.
Scores are cosines in the shared space. An item unlike the training data lies nowhere in
particular; the service lowers the scores of such a query (its `typicality` is below 1).
"""
    write_bytes_atomically(folder / "README.md", text.encode())
