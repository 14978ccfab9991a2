"""The commands that make weight files: fetch them, or convert a file that is there."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import DataError

if TYPE_CHECKING:
    from models.features.weights import WeightSet

Out = Annotated[
    Path | None,
    typer.Option(help="Folder to write; default the cache, where extractors look as well."),
]


def convert_weights_command(
    name: Annotated[str, typer.Argument(help="yamnet, mobilenet-v2, vggish or inception-v3.")],
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help=".tflite, .pth, .pt, .bin, .safetensors or .npz."),
    ],
    out: Out = None,
    source: Annotated[str | None, typer.Option(help="Where the files come from.")] = None,
    licence: Annotated[str | None, typer.Option(help="Terms of the weights.")] = None,
) -> None:
    """Turn published weight files into the one file of an extractor; nothing in them is run."""
    from models.features.weights import cache_folder
    from training.weights.convert import convert_weights

    _say(convert_weights(name, files, out or cache_folder(), source=source, licence=licence))


def fetch_weights_command(
    name: Annotated[str, typer.Argument(help="Name of the weights; see docs/extractors.md.")],
    out: Out = None,
) -> None:
    """Fetch published weights from their pinned addresses, check their hashes, convert them."""
    from models.features.foundation.checkpoints import CHECKPOINTS
    from models.features.weights import cache_folder
    from training.weights.fetch import fetch_checkpoint
    from training.weights.published import PUBLISHED

    folder = out or cache_folder()
    if name in CHECKPOINTS:
        _say(fetch_checkpoint(name, folder))
    elif name in PUBLISHED:
        _say(fetch_published(name, folder))
    else:
        known = ", ".join(sorted([*PUBLISHED, *CHECKPOINTS]))
        raise DataError(f"expected weights of {known}, got {name!r}")


def fetch_published(name: str, folder: Path, *, progress: bool = True) -> "WeightSet":
    """Fetch the pinned files of a network and convert them.

    Args:
        name: Key of ``PUBLISHED``.
        folder: Where to write.
        progress: Show bars, on a terminal.

    Raises:
        DataError: If a file cannot be fetched or is not the pinned one (both hashes).
    """
    from training.weights.convert import convert_weights
    from training.weights.download import download
    from training.weights.published import PUBLISHED

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch.", dir=folder) as scratch:
        pinned = PUBLISHED[name].files
        files = [download(one, Path(scratch), progress=progress) for one in pinned]
        return convert_weights(name, files, folder)


def _say(written: "WeightSet") -> None:
    typer.echo(f"{written.folder}: {', '.join(written.files)}")
    typer.echo(f"  sha256: {written.sha256}\n  source: {written.source}")
    typer.echo(f"  licence: {written.licence}")
