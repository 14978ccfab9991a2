"""The commands of training: build media, extract features, train, evaluate."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import DataError
from training.align_command import align
from training.build_lines_command import build_lines_command
from training.build_triples_command import build_triples_command
from training.compare_command import compare
from training.extract_command import extract, extractors
from training.merge_command import merge_features
from training.train_extractor_command import train_extractor
from training.train_songs_command import train_song_extractors
from training.weights.commands import convert_weights_command, fetch_weights_command

if TYPE_CHECKING:
    from training.datasets.feature_data import FeatureData

app = typer.Typer(no_args_is_help=True, add_completion=False)


class Split(StrEnum):
    """Parts of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


DEMO_SEED = 2024  # the shipped space `everyday` was trained on scenes of seed 1
DEMO_SCENES = 100
DEMO_SONGS = 60

Data = Annotated[Path, typer.Option("--data", help="Feature file (HDF5).")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that work in parallel.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]


@app.command("build-scenes")
def build_scenes_command(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    count: Annotated[int, typer.Option(help="Number of scenes.")],
    seed: Seed = 0,
    first: Annotated[int, typer.Option(help="Index of the first scene.")] = 0,
    workers: Workers = 2,
) -> None:
    """Generate videos with sound and stills: the data set `scenes`."""
    from training.datasets.scenes.build import build_scenes

    build_scenes(out, count=count, seed=seed, first=first, workers=workers)
    typer.echo(f"{out}: {count} scenes of seed {seed}")


@app.command("build-songs")
def build_songs_command(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    seed: Seed = 0,
    split: Annotated[Split | None, typer.Option(help="Only this split; default all.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many windows.")] = None,
    workers: Workers = 2,
) -> None:
    """Cut songs of the music21 corpus into score, lyrics and sound: the data set `songs`."""
    from training.datasets.songs.build import build_songs

    build_songs(out, seed=seed, split=split, limit=limit, workers=workers)


app.command("build-triples")(build_triples_command)
app.command("build-lines")(build_lines_command)


@app.command("build-demo")
def build_demo(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    workers: Workers = 2,
) -> None:
    """Write the media of the demo: scenes and songs that the shipped spaces never saw."""
    from training.datasets.scenes.build import build_scenes
    from training.datasets.songs.build import build_songs

    done = out / "complete"
    if done.exists():
        return
    build_scenes(out / "everyday", count=DEMO_SCENES, seed=DEMO_SEED, workers=workers)
    build_songs(out / "songs", split="test", limit=DEMO_SONGS, workers=workers)
    done.touch()


app.command()(extract)
app.command()(extractors)


@app.command()
def train(
    method: Annotated[str, typer.Argument(help="Method, or METHOD@PRESET; see docs/methods.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Artefact folder to write.")],
    seed: Seed = 0,
    views: Annotated[str, typer.Option(help="Comma-separated views; default all.")] = "",
    config: Annotated[Path | None, typer.Option(help="TOML configuration.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, over the TOML file.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the space.")] = None,
    labelled_share: Annotated[
        float, typer.Option(help="Share of training items whose class is known, 0 to 1.")
    ] = 1.0,
    search: Annotated[
        int, typer.Option(min=0, help="Trials of a search on the validation split.")
    ] = 0,
    resume: Annotated[
        bool, typer.Option(help="Go on from the checkpoint of an interrupted run.")
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Keep matrices in half precision: half the size.")
    ] = False,
) -> None:
    """Fit a method on the train split, choosing on the validation split."""
    from training.artefact import train_space
    from training.config import load_config
    from training.datasets.hide_labels import hide_labels
    from training.loops.recipe import FitContext
    from training.presets import method_of, preset_path
    from training.search import search_config

    file = config or preset_path(method)
    method, recipe, _ = method_of(method)
    configuration = load_config(recipe.config, file, settings or ())
    features = hide_labels(_features(data, views, seed), share=labelled_share, seed=seed)
    if search:
        seen = features.for_selection()
        context = FitContext(seed=seed)
        configuration = search_config(recipe, seen, configuration, context, trials=search)
    manifest = train_space(
        method, features, out, config=configuration, seed=seed, name=name, resume=resume, half=half
    )
    typer.echo(f"{out}: {method}, {manifest.n_components} components, {manifest.fingerprint}")
    for key, value in manifest.parameters.items():
        typer.echo(f"  {key}: {value}")
    typer.echo(f"next: kyomei evaluate {out} --data {data}")


@app.command()
def evaluate(
    run: Annotated[Path, typer.Argument(help="Artefact folder.")],
    data: Data,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of a split that the file lacks; default as trained.")
    ] = None,
    split: Annotated[Split, typer.Option(help="Split to measure.")] = Split.TEST,
    json: Annotated[Path | None, typer.Option(help="Also write the figures here.")] = None,
    corrections: Annotated[
        bool, typer.Option("--corrections", help="Also try centring, whitening and CSLS.")
    ] = False,
) -> None:
    """Print MAP, MRR, recall and median rank both ways, with chance beside them."""
    from dataclasses import asdict

    from models.checkpoint import write_json
    from models.spaces import read_manifest
    from training.artefact import correct_space, evaluate_space
    from training.evaluation.report import corrections_table, results_json, results_table

    manifest = read_manifest(run)
    names = ",".join(view.name for view in manifest.views)
    features = _features(data, names, manifest.seed if seed is None else seed)
    directions = evaluate_space(run, features, split=split)
    typer.echo(results_table(directions))
    results = results_json(directions, split=split)
    if corrections:
        corrected = correct_space(run, features, split=split)
        typer.echo(f"\nCorrections at search time\n{corrections_table(corrected)}")
        results["corrections"] = [asdict(figure) for figure in corrected]
    if json is not None:
        write_json(json, results)


app.command()(align)
app.command()(compare)
app.command("merge-features")(merge_features)
app.command("train-extractor")(train_extractor)
app.command("train-song-extractors")(train_song_extractors)
app.command("convert-weights")(convert_weights_command)
app.command("fetch-weights")(fetch_weights_command)


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
