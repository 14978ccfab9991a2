"""The command `kyomei build-triples`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.datasets.triples.source import Source

ALL = "all"
LYRICS_MELODY = "lyrics-melody"


def build_triples_command(
    source: Annotated[str, typer.Argument(help="lieder, lyrics-melody, or a folder of MusicXML.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    root: Annotated[Path | None, typer.Option(help="Where the packs of data lie.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where packs are unpacked; default data_local.")
    ] = None,
    bars: Annotated[int, typer.Option(min=1, help="Bars of a window.")] = 4,
    hop: Annotated[
        int | None, typer.Option(min=1, help="Bars from window to window; default --bars.")
    ] = None,
    renditions: Annotated[
        str, typer.Option(help="Sounds to write, of voice, accompanied and sung.")
    ] = "voice,accompanied",
    soundfont: Annotated[
        Path | None, typer.Option(help="General MIDI .sf2; default an installed one.")
    ] = None,
    instruments: Annotated[
        str, typer.Option(help="Who may play the voice: names with commas, or all.")
    ] = ALL,
    per_song: Annotated[
        int, typer.Option(min=1, help="Fragments of a song, for lyrics-melody.")
    ] = 2,
    random_split: Annotated[
        bool,
        typer.Option(help="lyrics-melody: split without regard to songs. It LEAKS; as published."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many songs, spread over the collection.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of split, tempo, instruments.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that work in parallel.")] = 2,
) -> None:
    """Make aligned triples of sheet image, lyrics and audio from scores with words.

    Interrupted, it goes on where it stopped. --renditions sung needs Festival.
    """
    from models.errors import DataError
    from training.datasets.triples.build import BuildOptions, build_triples
    from training.datasets.triples.performance import INSTRUMENTS
    from training.datasets.triples.soundfont import find_soundfont

    chosen = tuple(INSTRUMENTS) if instruments == ALL else tuple(_words(instruments))
    unknown = [name for name in chosen if name not in INSTRUMENTS]
    if unknown or not chosen:
        raise DataError(
            f"instruments: expected some of {', '.join(INSTRUMENTS)}, got {instruments!r}"
        )
    options = BuildOptions(
        seed=seed,
        renditions=tuple(_words(renditions)),
        soundfont=find_soundfont(soundfont),
        instruments=chosen,
        limit=limit,
        workers=workers,
    )
    if source == LYRICS_MELODY:
        opened = _lyric_songs(root, per_song, random_split=random_split)
    else:
        opened = _opened(source, root, cache, bars, hop or bars)
    count = build_triples(opened, out, options)
    typer.echo(f"{out}: {count} triples of {opened.name}, seed {seed}")


def _opened(name: str, root: Path | None, cache: Path | None, bars: int, hop: int) -> "Source":
    from models.errors import DataError
    from training.datasets.triples.lieder import NAME, open_lieder
    from training.datasets.triples.scores import ScoreFolder

    if name == NAME:
        return open_lieder(root, cache=cache, bars=bars, hop=hop)
    if Path(name).is_dir():
        return ScoreFolder(Path(name), bars=bars, hop=hop)
    raise DataError(f"{name}: expected lieder, lyrics-melody or a folder of scores")


def _lyric_songs(root: Path | None, per_song: int, *, random_split: bool) -> "Source":
    from training.datasets.triples.lyric_songs import find_lyric_songs
    from training.datasets.triples.lyrics_melody import FragmentSource

    split_by = "random" if random_split else "cluster"
    return FragmentSource(find_lyric_songs(root), per_song=per_song, split_by=split_by)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
