"""The command `kyomei train-song-extractors`."""

from pathlib import Path
from typing import Annotated

import typer


def train_song_extractors(
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Folder of triples; repeat for more renditions of them."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for weights, history and checkpoint.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    config: Annotated[Path | None, typer.Option(help="TOML configuration.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE, over the TOML file.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that prepare the data.")] = 2,
    resume: Annotated[
        bool, typer.Option(help="Go on from the checkpoint of an interrupted run.")
    ] = False,
) -> None:
    """Train song-score, song-audio and song-lyrics together on the training triples.

    Put the folder into KYOMEI_WEIGHTS_DIR afterwards, and extract, train and index again.
    """
    from training.config import load_config
    from training.song_networks.config import SHIPPED_CONFIG, SongNetworksConfig
    from training.song_networks.fit import FitOptions, train_song_networks

    chosen = load_config(SongNetworksConfig, config or SHIPPED_CONFIG, settings or ())
    options = FitOptions(out, seed=seed, resume=resume, workers=workers)
    weights, figures = train_song_networks(data, chosen, options)
    for name, value in figures.items():
        typer.echo(f"  {name}: {value:.3f} (validation)")
    for one in weights:
        typer.echo(f"{one.manifest}: sha256 {one.sha256}")
    typer.echo(f"next: KYOMEI_WEIGHTS_DIR={out} kyomei extract lieder --root TRIPLES --out F.h5")
