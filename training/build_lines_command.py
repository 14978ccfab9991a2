"""The command `kyomei build-lines`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.datasets.triples.lyric_lines import SungLine


def build_lines_command(
    source: Annotated[str, typer.Argument(help="lyrics-melody, lieder, or a folder of MusicXML.")],
    out: Annotated[Path, typer.Option(help="Feature file to write (HDF5).")],
    root: Annotated[Path | None, typer.Option(help="Where the packs of data lie.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where packs are unpacked; default data_local.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="At most so many lines, by lot.")] = 20_000,
    random_split: Annotated[
        bool, typer.Option(help="Split without regard to songs. It LEAKS; for comparison only.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of lines and split.")] = 0,
) -> None:
    """Write lines of lyrics and the notes that carry them as a feature file for `compare`."""
    from training.datasets.triples.lyric_lines import (
        choose_lines,
        split_lines,
        write_line_features,
    )

    lines, name, licence = _lines(source, root, cache)
    chosen = choose_lines(lines, count=count, seed=seed)
    splits = split_lines(chosen, seed=seed, at_random=random_split)
    by = "split at random, which leaks" if random_split else "split by versions of songs"
    stated = f"lines of {name}, seed {seed}, {by}"
    write_line_features(out, chosen, splits, source=stated, licence=licence)
    typer.echo(f"{out}: {len(chosen)} {stated}")


def _lines(
    source: str, root: Path | None, cache: Path | None
) -> "tuple[Iterator[SungLine], str, str]":
    """Open a source: its lines, name and licence."""
    from models.errors import DataError
    from training.datasets.triples import lieder, lyric_songs
    from training.datasets.triples.line_sources import lines_of_lyric_songs, lines_of_scores
    from training.datasets.triples.scores import ScoreFolder

    if source == "lyrics-melody":
        folder = lyric_songs.find_lyric_songs(root)
        return lines_of_lyric_songs(folder), "the lyric-melody songs", lyric_songs.LICENCE
    if source == lieder.NAME:
        scores = lieder.open_lieder(root, cache=cache, bars=4, hop=4)
        return lines_of_scores(scores), "OpenScore Lieder", lieder.LICENCE
    if Path(source).is_dir():
        scores = ScoreFolder(Path(source))
        return lines_of_scores(scores), "a folder of scores", scores.licence
    raise DataError(f"{source}: expected lyrics-melody, lieder or a folder of scores")
