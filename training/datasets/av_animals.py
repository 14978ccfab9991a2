"""Sounds and pictures of the same eleven classes ("AV-11"), matched by class only.

Sounds: ESC-10 and animal calls. Pictures: tiny-imagenet and Caltech-101. Near-identical recordings
stay on one side: ESC-10 by its folds, animal calls by blocks of neighbouring numbers, because
neighbours often come from one recording, and copies that were measured by ``av_animals_copies``.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from models.errors import DataError
from models.types import Modality
from training.datasets.av_animals_copies import COPIES
from training.datasets.example import Example, ListedDataset
from training.datasets.packs import Pack, find_pack
from training.datasets.split import TEST, TRAIN, VALIDATION, assign_splits, take_share

NAME: Final = "av-animals"
LICENCE: Final = (
    "ESC-10: CC BY 3.0, clips CC0, CC BY 3.0 and CC Sampling+. Animal sounds: none stated, "
    "internal testing only. tiny-imagenet: non-commercial research and education only. "
    "Caltech-101: CC BY 4.0 (not verified). Do not redistribute"
)
CITATION: Final = (
    'Piczak, "ESC: Dataset for Environmental Sound Classification", ACM MM 2015. Sasmaz and Tek, '
    '"Animal Sound Classification Using a Convolutional Neural Network", UBMK 2018. Deng et al., '
    '"ImageNet", CVPR 2009; Le and Yang, Tiny ImageNet, 2015. Fei-Fei, Fergus, Perona, "Learning '
    'generative visual models from few training examples", CVPR Workshop 2004'
)
HOW_TO_GET: Final = (
    "esc10.tar, animal_sounds.tar, tiny_imagenet_subset.tar.xz and caltech101_subset.tar "
    "in one folder"
)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where one class comes from.

    Attributes:
        esc10: Folder of ESC-10 without its number, or None.
        calls: Folder of the animal calls, or None.
        words: First names of synsets of tiny-imagenet, as in its ``words.txt``.
        caltech: Folder of Caltech-101, or None.
    """

    esc10: str | None = None
    calls: str | None = None
    words: tuple[str, ...] = ()
    caltech: str | None = None


_CLASSES: Final[Mapping[str, _Sources]] = MappingProxyType(
    {
        "dog": _Sources(
            esc10="Dog bark",
            calls="dog",
            words=(
                "Chihuahua",
                "Yorkshire terrier",
                "golden retriever",
                "Labrador retriever",
                "German shepherd",
                "standard poodle",
            ),
        ),
        "cat": _Sources(calls="cat", words=("tabby", "Persian cat", "Egyptian cat")),
        "bird": _Sources(calls="bird", words=("goose", "black stork", "king penguin", "albatross")),
        "cow": _Sources(calls="cow", words=("ox",)),
        "lion": _Sources(calls="lion", words=("lion",)),
        "sheep": _Sources(calls="sheep", words=("bighorn",)),
        "frog": _Sources(calls="frog", words=("bullfrog", "tailed frog")),
        "chicken": _Sources(esc10="Rooster", calls="chicken", caltech="rooster"),
        "monkey": _Sources(calls="monkey", words=("orangutan", "chimpanzee", "baboon")),
        "helicopter": _Sources(esc10="Helicopter", caltech="helicopter"),
        "sea waves": _Sources(esc10="Sea waves", words=("seashore",)),
    }
)

_ESC10: Final = Pack("esc10", "esc10.tar", "ESC-10")
_CALLS: Final = Pack("animal_sounds", "animal_sounds.tar", "Animal-Sound-Dataset")
_TINY_IMAGENET: Final = Pack(
    "tiny_imagenet_subset", "tiny_imagenet_subset.tar.xz", "tiny-imagenet-200"
)
_CALTECH: Final = Pack("caltech101_subset", "caltech101_subset.tar", "101_ObjectCategories")

_FOLD_SPLITS: Final = {"1": TRAIN, "2": TRAIN, "3": VALIDATION, "4": TEST}
_CALL_VALIDATION_SHARE: Final = 0.15
_CALL_TEST_SHARE: Final = 0.20
_GROUP_OF: Final = {stem: group for group in COPIES for stem in group}


def open_av_animals(
    root: Path | None,
    *,
    cache: Path | None = None,
    images_per_class: int = 200,
    seed: int = 0,
) -> ListedDataset:
    """List the sounds and pictures.

    Args:
        root: Folder of the packs; None looks into the cache only.
        cache: Folder for unpacked packs.
        images_per_class: At most this many pictures of a class, spread over its synsets.
        seed: Chooses the pictures and their split.

    Raises:
        DataError: If a pack is missing or not as published.
    """
    esc10 = find_pack(_ESC10, root, cache=cache)
    calls = find_pack(_CALLS, root, cache=cache)
    tiny = find_pack(_TINY_IMAGENET, root, cache=cache)
    caltech = find_pack(_CALTECH, root, cache=cache)
    synsets = _read_synsets(tiny)
    listed: list[Example] = []
    for label, sources in _CLASSES.items():
        listed += _sounds(esc10, calls, label, sources)
    for label, sources in _CLASSES.items():
        folders = [tiny / "train" / synsets[word] / "images" for word in sources.words]
        folders += [caltech / sources.caltech] if sources.caltech is not None else []
        listed += _pictures(folders, label, limit=images_per_class, seed=seed)
    return ListedDataset(
        name=NAME,
        licence=LICENCE,
        citation=CITATION,
        classes=tuple(_CLASSES),
        paired=False,
        listed=tuple(listed),
    )


def _sounds(esc10: Path, calls: Path, label: str, sources: _Sources) -> Iterator[Example]:
    """Yield the sounds of one class; copies follow the first of their group to its side."""
    found = [*_environmental(esc10, sources), *_animal_calls(calls, sources)]
    split_of = {path.stem: split for path, split in found}
    for path, own in found:
        group = [stem for stem in _GROUP_OF.get(path.stem, ()) if stem in split_of]
        split = split_of[group[0]] if group else own
        yield Example(f"{label}/{path.stem}", Modality.AUDIO, label, split, path=path)


def _environmental(root: Path, sources: _Sources) -> Iterator[tuple[Path, str]]:
    """Yield the clips of ESC-10 with the split of their fold."""
    if sources.esc10 is None:
        return
    folders = sorted(root.glob(f"??? - {sources.esc10}"))
    if not folders:
        raise DataError(f"{root}: expected a folder like '001 - {sources.esc10}', found none")
    for path in _files(folders[0], ".ogg"):
        fold = path.stem.partition("-")[0]
        if fold not in _FOLD_SPLITS:
            raise DataError(f"{path}: expected a fold of 1 to 4 at the start of the name")
        yield path, _FOLD_SPLITS[fold]


def _animal_calls(root: Path, sources: _Sources) -> Iterator[tuple[Path, str]]:
    """Yield the calls by number: the first block trains, the next validates, the last tests."""
    if sources.calls is None:
        return
    paths = sorted(_files(root / sources.calls, ".ogg"), key=_number)
    test_from = round(len(paths) * (1.0 - _CALL_TEST_SHARE))
    validation_from = round(len(paths) * (1.0 - _CALL_TEST_SHARE - _CALL_VALIDATION_SHARE))
    for row, path in enumerate(paths):
        yield path, TRAIN if row < validation_from else VALIDATION if row < test_from else TEST


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"(\d+)$", path.stem)
    if digits is None:
        raise DataError(f"{path}: expected a number at the end of the name")
    return int(digits.group(1)), path.stem


def _pictures(folders: Sequence[Path], label: str, *, limit: int, seed: int) -> Iterator[Example]:
    """Choose pictures evenly over the folders and split each folder alike."""
    strata: dict[str, str] = {}
    path_of: dict[str, Path] = {}
    for number, folder in enumerate(folders):
        share = (limit + number) // len(folders)  # shares add up to the limit
        for path in _different(_choose(_files(folder, ".JPEG", ".jpg"), count=share, seed=seed)):
            name = path.stem if folder.name == "images" else f"{folder.name}_{path.stem}"
            strata[f"image/{name}"] = str(folder)
            path_of[f"image/{name}"] = path
    splits = assign_splits(strata, seed=seed, validation=0.15, test=0.20)
    for identifier, split in splits.items():
        yield Example(identifier, Modality.IMAGE, label, split, path=path_of[identifier])


def _choose(paths: Sequence[Path], *, count: int, seed: int) -> list[Path]:
    if len(paths) <= count:
        return list(paths)
    names = take_share({path.name: "all" for path in paths}, share=count / len(paths), seed=seed)
    return [path for path in paths if path.name in names]


def _different(paths: Sequence[Path]) -> Iterator[Path]:
    """Leave out byte-identical copies, which could lie on both sides of the split."""
    seen: set[bytes] = set()
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            yield path


def _files(folder: Path, *suffixes: str) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix in suffixes)
    if not found:
        raise DataError(f"{folder}: expected {' or '.join(suffixes)} files, found none")
    return found


def _read_synsets(root: Path) -> dict[str, str]:
    """Return the synset of each first name in ``words.txt`` that has a folder here."""
    try:
        lines = (root / "words.txt").read_text("utf-8").splitlines()
    except OSError as error:
        raise DataError(
            f"{root / 'words.txt'}: expected the names of the synsets: {error}"
        ) from error
    synsets = {}
    for line in lines:
        synset, _, names = line.partition("\t")
        if (root / "train" / synset).is_dir():
            synsets[names.partition(",")[0]] = synset
    missing = sorted({word for one in _CLASSES.values() for word in one.words} - synsets.keys())
    if missing:
        raise DataError(f"{root}: expected a synset named {missing[0]!r} with a folder in train")
    return synsets
