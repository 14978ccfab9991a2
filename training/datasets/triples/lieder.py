"""OpenScore Lieder: nineteenth-century songs with piano, words in German, English and French."""

from pathlib import Path
from typing import Final

from training.datasets.packs import Pack, find_pack
from training.datasets.triples.scores import ScoreFolder

NAME: Final = "lieder"
LICENCE: Final = "CC0 1.0 (public domain)"
CITATION: Final = 'Gotham and Jonas, "The OpenScore Lieder Corpus", Music Encoding Conference 2021'
HOW_TO_GET: Final = "openscore_lieder.tar.xz (xml/lcNUMBER.xml, index.tsv), from OpenScore/Lieder"
_PACK: Final = Pack("openscore_lieder", "openscore_lieder.tar.xz", "xml")
_INDEX: Final = "index.tsv"


def open_lieder(root: Path | None, *, cache: Path | None, bars: int, hop: int) -> ScoreFolder:
    """Find the scores.

    Args:
        root: Folder of the pack; None looks into the cache only.
        cache: Folder for unpacked packs.
        bars: Bars of a window.
        hop: Bars from one window to the next.

    Raises:
        DataError: If the pack is missing.
    """
    folder = find_pack(_PACK, root, cache=cache)
    return ScoreFolder(
        folder,
        bars=bars,
        hop=hop,
        name=NAME,
        licence=LICENCE,
        citation=CITATION,
        titles=tuple(_titles(folder.parent / _INDEX)),
    )


def _titles(index: Path) -> list[tuple[str, str, str]]:
    """(file, composer, title) by ``index.tsv``; empty where it is not there."""
    if not index.is_file():
        return []
    table = []
    for line in index.read_text("utf-8").splitlines():
        number, _, path = line.partition("\t")
        parts = [part.replace("_", " ").strip() for part in path.split("/")]
        if len(parts) >= 4:
            table.append((f"{number}.xml", parts[1], parts[-2]))
    return table
