"""The command `kyomei train-extractor`."""

from pathlib import Path
from typing import Annotated

import typer


def train_extractor(
    name: Annotated[str, typer.Argument(help="compact-audio or compact-image.")],
    data: Annotated[
        list[str],
        typer.Option("--data", help="Data set or folder with classes; repeatable."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for weights, history and checkpoint.")],
    root: Annotated[Path | None, typer.Option(help="Where named data sets lie.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where packs are unpacked; default data_local.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    config: Annotated[Path | None, typer.Option(help="TOML configuration.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, over the TOML file.")
    ] = None,
    test_fold: Annotated[
        int, typer.Option(min=1, help="Fold of ESC-10 that the network must not see.")
    ] = 4,
    resume: Annotated[
        bool, typer.Option(help="Go on from the checkpoint of an interrupted run.")
    ] = False,
) -> None:
    """Train a compact network further: classes of your data, and what its teacher sees.

    Put the folder into KYOMEI_WEIGHTS_DIR afterwards, and extract, train and index again.
    """
    from training.config import load_config
    from training.datasets.av_animals_copies import COPIES
    from training.datasets.registry import open_dataset
    from training.feature_networks.config import FeatureNetworkConfig, shipped_config
    from training.feature_networks.fit import FitOptions, train_feature_network
    from training.feature_networks.kinds import kind_of
    from training.feature_networks.labelled_media import gather

    modality = kind_of(name).modality
    chosen = load_config(FeatureNetworkConfig, config or shipped_config(name), settings or ())
    datasets = [
        open_dataset(one, root, seed=seed, cache=cache, test_fold=test_fold) for one in data
    ]
    media = gather(datasets, modality, seed=seed, apart=COPIES)
    typer.echo(
        f"{len(media.train)} files to train with, {len(media.validation)} to validate; "
        f"{media.n_left_out} left out, a data set tests with them"
    )
    options = FitOptions(out, seed=seed, resume=resume)
    weights = train_feature_network(name, media, chosen, options)
    for task, accuracy in weights.details["validation_accuracy"].items():
        typer.echo(f"  {task}: {accuracy:.3f} of the validation files named rightly")
    typer.echo(f"{weights.manifest}: sha256 {weights.sha256}")
    typer.echo(f"next: KYOMEI_WEIGHTS_DIR={out} kyomei extract DATA --out FEATURES.h5")
