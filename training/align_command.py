"""The command `kyomei align`."""

from pathlib import Path
from typing import Annotated

import typer


def align(
    score: Annotated[Path, typer.Argument(help="MusicXML (.musicxml, .xml, .mxl) with lyrics.")],
    recording: Annotated[Path, typer.Argument(help="A recording of the whole of it.")],
) -> None:
    """Print where each bar of a score is in a recording: bar, start and end in seconds (TSV)."""
    from models.media.load import load
    from models.types import Audio, Modality
    from training.alignment.bars import align_bars
    from training.alignment.score import read_notes

    notes, bar_starts = read_notes(score)
    audio = load(recording, Modality.AUDIO)
    if not isinstance(audio, Audio):
        raise TypeError(f"expected Audio, got {type(audio).__name__}")
    typer.echo("bar\tstart_seconds\tend_seconds")
    for one in align_bars(notes, bar_starts, audio):
        typer.echo(f"{one.bar}\t{one.start_seconds:.3f}\t{one.end_seconds:.3f}")
