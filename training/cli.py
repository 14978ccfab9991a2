"""The commands of training: build-scenes, build-demo, extract, train, evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import DataError

if TYPE_CHECKING:
    from training.datasets.feature_data import FeatureData

app = typer.Typer(no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option("--data", help="Feature file (HDF5).")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]


@app.command()
def train(
    method: Annotated[str, typer.Argument(help="Method: cca or c-cca.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Artefact folder to write.")],
    seed: Seed = 0,
    views: Annotated[str, typer.Option(help="Comma-separated views; default all.")] = "",
    config: Annotated[Path | None, typer.Option(help="TOML configuration.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, over the TOML file.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the space.")] = None,
) -> None:
    """Fit a method on the train split, choosing on the validation split."""
    from training.artefact import train_space
    from training.config import load_config
    from training.loops.registry import recipe

    configuration = load_config(recipe(method).config, config, settings or ())
    features = _features(data, views, seed)
    manifest = train_space(method, features, out, config=configuration, seed=seed, name=name)
    typer.echo(f"{out}: {method}, {manifest.n_components} components, {manifest.fingerprint}")
    for key, value in manifest.parameters.items():
        typer.echo(f"  {key}: {value}")
    typer.echo(f"next: kyomei evaluate {out} --data {data}")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Artefact folder.")],
    data: Data,
    seed: Seed = 0,
    split: Annotated[str, typer.Option(help="Split to measure.")] = "test",
    json: Annotated[Path | None, typer.Option(help="Also write the figures here.")] = None,
) -> None:
    """Print MAP, MRR, recall and median rank both ways, with chance beside them."""
    from models.checkpoint import write_json
    from models.spaces import read_manifest
    from training.artefact import evaluate_space
    from training.evaluation.report import results_json, results_table

    names = ",".join(view.name for view in read_manifest(run).views)
    directions = evaluate_space(run, _features(data, names, seed), split=split)
    typer.echo(results_table(directions))
    if json is not None:
        write_json(json, results_json(directions, split=split))


def _features(path: Path, views: str, seed: int) -> "FeatureData":
    """Read a feature file, restricted to the named views."""
    from dataclasses import replace

    from training.datasets.feature_file import read_feature_file

    data = read_feature_file(path, seed=seed)
    names = [name.strip() for name in views.split(",") if name.strip()] or list(data.views)
    missing = sorted(set(names) - set(data.views))
    if missing:
        raise DataError(f"{path}: expected views {names}, found {sorted(data.views)}")
    return replace(data, views={name: data.views[name] for name in names})
