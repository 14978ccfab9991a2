"""The commands ``kyomei extract`` and ``kyomei extractors``."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import ArtefactError, DataError

if TYPE_CHECKING:
    from models.types import Modality


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def extract(
    dataset: Annotated[str, typer.Argument(help="A folder of media, or the name of a data set.")],
    out: Annotated[Path, typer.Option(help="Feature file to write (HDF5).")],
    root: Annotated[Path | None, typer.Option(help="Where a named data set lies.")] = None,
    extractors: Annotated[
        list[str] | None,
        typer.Option(
            "--extractor",
            help="MODALITY=NAME, repeatable, such as audio=clap; names: kyomei extractors.",
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where packs are unpacked; default data_local.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Rows per item, (T, D); default one pooled row, (D,)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Processes that decode; networks on a CPU take as many threads."),
    ] = 2,
    device: Annotated[
        Device, typer.Option(help="Of networks; auto takes a GPU where there is one.")
    ] = Device.AUTO,
    batch: Annotated[
        int,
        typer.Option(min=1, max=256, help="Pieces (patches, frames) that pass a GPU together."),
    ] = 64,
) -> None:
    """Turn media into a feature file; interrupted, the same call goes on where it stopped.

    Files are decoded in worker processes. Extractors without weights run
    there too; networks run behind them on the device. On a CPU the numbers
    are those of each file alone, bit for bit; on a GPU the last digits may
    differ.

    Files that cannot be read are skipped and listed at the end. The feature
    file keeps name, parameters and weight hash of its extractors; a space
    trained on it is served with no other.
    """
    from training.datasets.registry import open_dataset
    from training.extraction import ExtractionOptions
    from training.extraction import extract as run

    options = ExtractionOptions(
        extractors=_chosen_extractors(extractors or ()),
        steps=steps,
        workers=workers,
        device=device,
        batch=batch,
    )
    report = run(open_dataset(dataset, root, seed=seed, cache=cache), out, options)
    for failure in report.failures:
        typer.echo(f"skipped {failure.id}: {failure.message}", err=True)
    rows = ", ".join(f"{n} {view}" for view, n in report.rows.items())
    typer.echo(f"{out}: {rows}; {len(report.failures)} skipped, {report.seconds:.0f} s")


def extractors() -> None:
    """List the extractors: modality, sizes of a row and of a step, weights.

    Where weights are missing, the line says how to get them.
    """
    from models.features.registry import DEFAULT_EXTRACTORS, EXTRACTORS, extractor

    for name in EXTRACTORS:
        try:
            spec = extractor(name).spec
        except (DataError, ArtefactError) as error:
            typer.echo(f"{name:24} {str(error).rsplit('; ', 1)[-1]}")
            continue
        standing = "default" if DEFAULT_EXTRACTORS[spec.modality] == name else "ready"
        weights = str(spec.parameters.get("weights_sha256", "no weights"))[:12]
        sizes = f"{spec.dimension:5} {spec.sequence_dimension:5}"
        typer.echo(f"{name:24} {spec.modality:8} {sizes}  {standing:8} {weights}")


def _chosen_extractors(assignments: Sequence[str]) -> dict["Modality", str] | None:
    """Defaults with the named ones put over them; None when nothing is named."""
    from models.features.registry import DEFAULT_EXTRACTORS
    from models.types import Modality

    if not assignments:
        return None
    chosen = dict(DEFAULT_EXTRACTORS)
    for assignment in assignments:
        modality, separator, name = assignment.partition("=")
        if not separator or modality not in list(Modality):
            raise DataError(
                f"expected --extractor MODALITY=NAME with a modality of "
                f"{', '.join(Modality)}, got {assignment!r}"
            )
        chosen[Modality(modality)] = name
    return chosen
