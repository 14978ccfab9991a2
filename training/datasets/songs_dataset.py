"""Songs: score, lyrics and sound of windows of real songs; see training/datasets/songs.

The manifest ``songs.json`` lists the windows with the side each one belongs to: songs that share a
tune or a text stay together. The three files of a window are a true trio and carry no class.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Example, ListedDataset

NAME: Final = "songs"
LICENCE: Final = "that of each song in the music21 corpus; see `licence` in songs.json"
CITATION: Final = (
    'Cuthbert and Ariza, "music21: A Toolkit for Computer-Aided Musicology and Symbolic Music '
    'Data", ISMIR 2010; composers and editions in songs.json'
)
HOW_TO_GET: Final = (
    "`build_songs` of training.datasets.songs.build (the songs of the installed music21), then "
    "name its folder with --root"
)
MANIFEST: Final = "songs.json"


def open_songs(root: Path | None) -> ListedDataset:
    """List the windows of a folder of songs.

    Args:
        root: Folder that ``build_songs`` wrote.

    Raises:
        DataError: If there is no such folder, or its manifest is damaged.
    """
    if root is None:
        raise DataError(f"{NAME}: expected the folder of the songs, found none; {HOW_TO_GET}")
    listed = sorted(_examples(root), key=lambda example: (example.modality, example.id))
    return ListedDataset(
        name=NAME, licence=LICENCE, citation=CITATION, classes=(), paired=True, listed=tuple(listed)
    )


def _examples(root: Path) -> Iterator[Example]:
    for window in _windows(root / MANIFEST):
        try:
            files = {Modality(word): root / path for word, path in window["files"].items()}
            identifier, split = str(window["id"]), str(window["split"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{root / MANIFEST}: expected windows with id, split and files by modality, "
                f"found {window!r:.200} ({error!r})"
            ) from error
        for modality, path in files.items():
            yield Example(identifier, modality, None, split, path=path)


def _windows(path: Path) -> list[Any]:
    try:
        manifest = json.loads(path.read_text("utf-8"))
        windows = manifest["windows"]
    except OSError as error:
        raise DataError(
            f"{path}: expected the manifest of the songs: {error}; {HOW_TO_GET}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: expected JSON with a list of windows, found: {error!r}"
        ) from error
    if not isinstance(windows, list):
        raise DataError(f"{path}: expected a list of windows, found {type(windows).__name__}")
    return windows
