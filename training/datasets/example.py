"""What a data set of media is: examples with an id, a modality, perhaps a class and a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import DataError
from models.types import Modality
from training.datasets.split import SPLITS


@dataclass(frozen=True, slots=True)
class Example:
    """One file, or the bytes of one.

    Attributes:
        id: Name within its modality; equal ids in two modalities are a true pair.
        modality: How to read it.
        label: Name of its class, or None.
        split: ``train``, ``validation`` or ``test``; None where the reader of the features decides.
        path: File that holds it; exactly one of ``path`` and ``data`` is given.
        data: Its encoded bytes.
    """

    id: str
    modality: Modality
    label: str | None = None
    split: str | None = None
    path: Path | None = None
    data: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse an example with no source or two.

        Raises:
            DataError: If not exactly one of ``path`` and ``data`` is given.
        """
        if (self.path is None) == (self.data is None):
            raise DataError(f"example {self.id!r}: expected either a path or data")

    @property
    def source(self) -> bytes | Path:
        """The bytes or the file, as ``models.media.load`` takes them."""
        return self.path if self.path is not None else self.data or b""


class Dataset(Protocol):
    """A data set of media, ready to be extracted."""

    @property
    def name(self) -> str:
        """Key in ``DATASETS``."""
        ...

    @property
    def licence(self) -> str:
        """What may be done with the media."""
        ...

    @property
    def citation(self) -> str:
        """Whom to cite."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in their order; empty without labels."""
        ...

    @property
    def paired(self) -> bool:
        """True when examples of two modalities with equal ids belong together."""
        ...

    def examples(self) -> Sequence[Example]:
        """Return all examples, always in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class ListedDataset:
    """A data set whose examples are listed once, when it is opened.

    Attributes:
        name: Key in ``DATASETS``.
        licence: What may be done with the media.
        citation: Whom to cite.
        classes: Names of the classes; empty without labels.
        paired: True when equal ids in two modalities belong together.
        listed: The examples.
    """

    name: str
    licence: str
    citation: str
    classes: tuple[str, ...]
    paired: bool
    listed: tuple[Example, ...]

    def __post_init__(self) -> None:
        """Check the examples.

        Raises:
            DataError: If they contradict each other; see ``check_examples``.
        """
        check_examples(self.listed, self.classes)

    def examples(self) -> Sequence[Example]:
        """Return all examples, in the order they were listed."""
        return self.listed


def check_examples(examples: Sequence[Example], classes: Sequence[str]) -> None:
    """Check that examples can become a feature file.

    Raises:
        DataError: If there is none; an id occurs twice in a modality; a label or split is unknown,
            or given for some examples of a modality and not for others; or a true pair lies on
            two sides of the split or in two classes.
    """
    if not examples:
        raise DataError("expected at least one example, found none")
    seen: set[tuple[Modality, str]] = set()
    partner: dict[str, Example] = {}
    for example in examples:
        key = (example.modality, example.id)
        if key in seen:
            raise DataError(
                f"{example.modality} {example.id!r}: expected each id once, found it twice"
            )
        seen.add(key)
        _check_words(example, classes)
        first = partner.setdefault(example.id, example)
        if (first.split, first.label) != (example.split, example.label):
            raise DataError(
                f"{example.modality} {example.id!r}: expected split {first.split} and class "
                f"{first.label} as its partner ({first.modality}) has, found {example.split} and "
                f"{example.label}"
            )
    _check_all_or_none(examples)


def _check_words(example: Example, classes: Sequence[str]) -> None:
    where = f"{example.modality} {example.id!r}"
    if example.label is not None and example.label not in classes:
        raise DataError(
            f"{where}: expected a class of {', '.join(classes)}, found {example.label!r}"
        )
    if example.split is not None and example.split not in SPLITS:
        raise DataError(
            f"{where}: expected a split of {', '.join(SPLITS)}, found {example.split!r}"
        )


def _check_all_or_none(examples: Sequence[Example]) -> None:
    first: dict[Modality, Example] = {}
    for example in examples:
        other = first.setdefault(example.modality, example)
        for word in ("label", "split"):
            if (getattr(other, word) is None) != (getattr(example, word) is None):
                raise DataError(
                    f"{example.modality}: expected a {word} for all examples or none, found "
                    f"{getattr(other, word)} for {other.id!r} and {getattr(example, word)} for "
                    f"{example.id!r}"
                )
