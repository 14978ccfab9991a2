"""A folder of one's own media: a folder per modality, a sub-folder per class.

``ROOT/audio/dog/1.wav`` and ``ROOT/image/dog/1.png`` are a true pair (same class folder and stem).
Without class folders the media are unlabelled. With top folders ``train``, ``validation`` and
``test`` (``ROOT/train/audio/dog/1.wav``) those are the split; otherwise it is 70/15/15 by seed.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import DataError
from models.file_names import distinct_name, printable_name
from models.types import Modality
from training.datasets.example import Example, ListedDataset
from training.datasets.split import SPLITS, TEST, TRAIN, assign_splits

NAME: Final = "folder"
LICENCE: Final = "that of your media"
CITATION: Final = "that of your media"
HOW_TO_GET: Final = (
    "put media into FOLDER/MODALITY/CLASS/FILE, with MODALITY one of "
    + ", ".join(Modality)
    + "; without CLASS they are unlabelled"
)


def open_folder(
    root: Path,
    *,
    seed: int = 0,
    name: str = NAME,
    licence: str = LICENCE,
    citation: str = CITATION,
) -> ListedDataset:
    """List the media of a folder. Hidden files are left out; nothing is decoded yet.

    Args:
        root: Folder with a folder per modality, or with ``train``, ``test`` and perhaps
            ``validation`` above those.
        seed: Chooses the split where no folders give it.
        name: Name of the data set.
        licence: What may be done with the media.
        citation: Whom to cite.

    Raises:
        DataError: If the folder is missing or laid out otherwise.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder, found none; {HOW_TO_GET}")
    folders = {path.name: path for path in _visible(root) if path.is_dir()}
    if folders.keys() & set(SPLITS):
        _check_split_folders(root, folders)
        found = [
            example
            for split in SPLITS
            if split in folders
            for example in _modalities(folders[split], split=split)
        ]
    else:
        found = list(_modalities(root, split=None))
        found = _with_splits(found, seed=seed)
    found.sort(key=lambda example: (example.modality, example.id))
    holders: defaultdict[str, set[Modality]] = defaultdict(set)
    for example in found:
        holders[example.id].add(example.modality)
    return ListedDataset(
        name=name,
        licence=licence,
        citation=citation,
        classes=tuple(sorted({one.label for one in found if one.label is not None})),
        paired=any(len(modalities) > 1 for modalities in holders.values()),
        listed=tuple(found),
    )


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _check_split_folders(root: Path, folders: dict[str, Path]) -> None:
    others = sorted(folders.keys() - set(SPLITS))
    if others:
        raise DataError(
            f"{root}: expected only {', '.join(SPLITS)}, found also {printable_name(others[0])}"
        )
    for needed in (TRAIN, TEST):
        if needed not in folders:
            raise DataError(f"{root}: expected folders train and test, found {sorted(folders)}")


def _modalities(root: Path, *, split: str | None) -> Iterator[Example]:
    folders = [path for path in _visible(root) if path.is_dir()]
    unknown = [path.name for path in folders if path.name not in set(Modality)]
    if unknown or not folders:
        raise DataError(
            f"{root}: expected folders named {', '.join(Modality)}, found "
            f"{printable_name(unknown[0]) if unknown else 'none'}; {HOW_TO_GET}"
        )
    for folder in folders:
        yield from _examples(folder, Modality(folder.name), split=split)


def _examples(folder: Path, modality: Modality, *, split: str | None) -> Iterator[Example]:
    """Yield the files of one modality folder; the id is class path and stem, always text."""
    first: dict[str, Path] = {}
    for path in _files(folder):
        relative = path.relative_to(folder)
        identifier = "/".join(map(distinct_name, relative.with_suffix("").parts))
        other = first.setdefault(identifier, path)
        if other != path:
            raise DataError(
                f"{printable_name(str(path))}: expected another stem than "
                f"{printable_name(other.name)}; ids would be equal"
            )
        label = printable_name(relative.parts[0]) if len(relative.parts) > 1 else None
        yield Example(
            id=identifier if split is None else f"{split}/{identifier}",
            modality=modality,
            label=label,
            split=split,
            path=path,
        )


def _files(folder: Path) -> Iterator[Path]:
    for path in _visible(folder):
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _with_splits(examples: list[Example], *, seed: int) -> list[Example]:
    """Split by id, so both rows of a pair stay together, each class and mix of modalities alike."""
    held: defaultdict[str, list[str]] = defaultdict(list)
    for example in examples:
        held[example.id].append(example.modality)
    label_of = {example.id: example.label for example in examples}
    strata = {one: (tuple(sorted(held[one])), label_of[one]) for one in sorted(held)}
    split_of = assign_splits(strata, seed=seed)
    return [
        Example(one.id, one.modality, one.label, split_of[one.id], one.path) for one in examples
    ]
