"""What a feature network learns from: labelled files of several data sets, each a task."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError
from models.types import Modality
from training.datasets.example import Dataset, Example
from training.datasets.split import TEST, TRAIN, VALIDATION, assign_splits

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """A data set whose classes are told apart by a classifier of its own.

    Attributes:
        name: Of the data set.
        classes: In their order.
        licence: What may be done with the media; the model card repeats it.
        citation: Whom to cite.
    """

    name: str
    classes: tuple[str, ...]
    licence: str
    citation: str


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One file with its class.

    Attributes:
        source: The file or its bytes.
        task: Position of its data set.
        label: Position of its class in that data set.
    """

    source: Path | bytes
    task: int
    label: int


@dataclass(frozen=True, slots=True)
class LabelledMedia:
    """Files of one modality.

    Attributes:
        modality: Of all files.
        tasks: The data sets.
        train: Files to learn from.
        validation: Files that choose settings.
        n_left_out: Files of training or validation that some data set tests with.
    """

    modality: Modality
    tasks: tuple[Task, ...]
    train: tuple[LabelledFile, ...]
    validation: tuple[LabelledFile, ...]
    n_left_out: int


def gather(
    datasets: Sequence[Dataset],
    modality: Modality,
    *,
    seed: int = 0,
    apart: Sequence[Sequence[str]] = (),
) -> LabelledMedia:
    """Collect the labelled files of a modality, less everything that any data set tests with.

    Two data sets may hold the same file on different sides of their splits: what has the bytes of
    a test file, or is known as a copy of one, is left out.

    Args:
        datasets: Data sets with classes.
        modality: What to take of them.
        seed: Chooses a validation split where a data set has none (one tenth).
        apart: Groups of file stems that are copies of one recording.

    Raises:
        DataError: If a data set has no labelled files of this modality to train with.
    """
    tasks: list[Task] = []
    split: dict[str, list[LabelledFile]] = {TRAIN: [], VALIDATION: []}
    tested, copies = _tested(datasets, modality, apart)
    n_left_out = 0
    for number, dataset in enumerate(datasets):
        own = [one for one in dataset.examples() if one.modality == modality and one.label]
        kept = [one for one in own if not (one.split != TEST and _is_tested(one, tested, copies))]
        n_left_out += len(own) - len(kept)
        tasks.append(Task(dataset.name, dataset.classes, dataset.licence, dataset.citation))
        for part, example in _with_split(kept, seed):
            if part != TEST:
                label = dataset.classes.index(example.label or "")
                split[part].append(LabelledFile(example.source, number, label))
        if not any(one.task == number for one in split[TRAIN]):
            raise DataError(f"{dataset.name}: expected labelled {modality} to train with, got none")
    logger.info("%s: %d files left out, others are tested with them", modality, n_left_out)
    return LabelledMedia(
        modality, tuple(tasks), tuple(split[TRAIN]), tuple(split[VALIDATION]), n_left_out
    )


def _tested(
    datasets: Sequence[Dataset], modality: Modality, apart: Sequence[Sequence[str]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Hashes of the test files, and stems of their copies."""
    examples = [
        one
        for dataset in datasets
        for one in dataset.examples()
        if one.modality == modality and one.split == TEST
    ]
    stems = {one.path.stem for one in examples if one.path is not None}
    copies = frozenset(stem for group in apart if stems & set(group) for stem in group)
    return frozenset(_sha256(one) for one in examples), copies


def _is_tested(example: Example, tested: frozenset[str], copies: frozenset[str]) -> bool:
    known = example.path is not None and example.path.stem in copies
    return known or _sha256(example) in tested


def _sha256(example: Example) -> str:
    source = example.source
    data = source.read_bytes() if isinstance(source, Path) else source
    return hashlib.sha256(data).hexdigest()


def _with_split(examples: Sequence[Example], seed: int) -> Iterable[tuple[str, Example]]:
    """Examples with their split; a tenth of each class validates where there is none."""
    has_validation = any(one.split == VALIDATION for one in examples)
    strata = {one.id: one.label for one in examples if one.split in (None, TRAIN)}
    own = {} if has_validation else assign_splits(strata, seed=seed, validation=0.1, test=0.0)
    return [(own.get(one.id, one.split or TRAIN), one) for one in examples]
