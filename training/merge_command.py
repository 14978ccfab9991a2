"""The command `kyomei merge-features`."""

from pathlib import Path
from typing import Annotated

import typer


def merge_features(
    files: Annotated[list[Path], typer.Argument(help="Feature files of the same extractors.")],
    out: Annotated[Path, typer.Option(help="Feature file to write (HDF5).")],
    same: Annotated[
        list[str] | None,
        typer.Option("--same", help="CLASS=OTHER: both are one class, named OTHER; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of a validation split that a file lacks.")] = 0,
) -> None:
    """Put several feature files into one, classes by name, so that one space knows them all."""
    from models.errors import DataError
    from training.datasets.feature_file import read_feature_file, write_feature_file
    from training.datasets.merge import merge_features as merge

    pairs = [assignment.partition("=") for assignment in same or ()]
    for first, separator, second in pairs:
        if not (first and separator and second):
            raise DataError(f"expected --same CLASS=OTHER, got {first + separator + second!r}")
    names = [path.stem for path in files]
    if len(set(names)) < len(names):
        raise DataError(f"expected feature files of different names, got {', '.join(names)}")
    parts = {path.stem: read_feature_file(path, seed=seed) for path in files}
    merged = merge(parts, same={first: second for first, _, second in pairs})
    write_feature_file(out, merged)
    rows = ", ".join(f"{len(view)} {name}" for name, view in merged.views.items())
    typer.echo(f"{out}: {rows}; {len(merged.classes)} classes")
