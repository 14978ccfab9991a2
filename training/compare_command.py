"""The command `kyomei compare`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer


def compare(
    data: Annotated[
        list[Path], typer.Option("--data", help="Feature file; several are one per fold.")
    ],
    methods: Annotated[
        str, typer.Option(help="Comma-separated methods, METHOD@PRESET, or all.")
    ] = "all",
    folds: Annotated[int, typer.Option(min=1, help="Folds; 1 keeps the split of the file.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    views: Annotated[str, typer.Option(help="Comma-separated views; default all.")] = "",
    labelled_share: Annotated[
        float, typer.Option(help="Share of training items whose class is known, 0 to 1.")
    ] = 1.0,
    search: Annotated[
        int, typer.Option(min=0, help="Trials of a search on validation, per method and fold.")
    ] = 0,
    sweeps: Annotated[
        bool, typer.Option("--sweeps", help="Also draw MAP against components, margin and batches.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write the figures here.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Report folder; the same call resumes from it.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that fit.")] = 2,
) -> None:
    """Fit many methods on the same folds; tables, plots, intervals and tests of significance."""
    from models.checkpoint import write_json
    from models.errors import DataError
    from training.compare import CompareOptions, compare_methods
    from training.evaluation.comparison_report.results_file import results_file
    from training.evaluation.comparison_report.spaces import measure_spaces
    from training.evaluation.comparison_report.summary import settled
    from training.evaluation.comparison_report.write import comparison_text, write_report
    from training.presets import named_methods
    from training.sweeps import remove_sweeps, write_sweeps

    options = CompareOptions(
        paths=tuple(data),
        methods=named_methods(methods),
        n_folds=folds,
        seed=seed,
        views=tuple(name.strip() for name in views.split(",") if name.strip()),
        labelled_share=labelled_share,
        trials=search,
        folder=out,
        workers=workers,
    )
    if sweeps and out is None:
        raise DataError("--sweeps draws into the report folder; add --out FOLDER")
    if json is not None and json.is_dir():
        raise DataError(f"expected a file for --json, got the folder {json}")
    for folder in (out, json.parent if json is not None else None):
        if folder is not None:  # an unusable folder is said before the fits
            folder.mkdir(parents=True, exist_ok=True)
    comparison = compare_methods(options, command=shlex.join(["kyomei", *sys.argv[1:]]))
    spaces = measure_spaces(settled(comparison))
    if out is not None:
        remove_sweeps(out)  # those of an earlier report
        if sweeps:
            for problem in write_sweeps(options, out):
                typer.echo(f"sweeps: {problem}", err=True)
        results = write_report(comparison, out, spaces)
    else:
        results = results_file(comparison)
    if json is not None:
        write_json(json, results)
    typer.echo(comparison_text(comparison, spaces))
