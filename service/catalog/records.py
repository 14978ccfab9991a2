"""What the catalog keeps and hands out, free of any database word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from models.types import Float32Array, Int64Array, Modality, Place

MetadataValue = str | int | float | bool
Comparison = Literal[">=", ">", "<=", "<"]


@dataclass(frozen=True, slots=True)
class SpaceRef:
    """Identity of a space as far as storage cares.

    Attributes:
        name: Name of the space, e.g. ``audio-image-video``.
        fingerprint: Hex digits over weights and views; vectors of another fingerprint never mix.
        modalities: What the space covers.
        n_components: K of its vectors, >= 1.
    """

    name: str
    fingerprint: str
    modalities: tuple[Modality, ...]
    n_components: int


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of an item that has an embedding of its own.

    Attributes:
        position: 1 for the first of the item.
        place: Where it lies in the item.
    """

    position: int
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Where an item, or an excerpt of it, lies in a space.

    Attributes:
        vector: Unit row, shape (K,), float32, finite.
        typicality: 1 for an item like those of training, near 0 for one far from all of them.
        excerpt: The part of the item that it is of; None for the whole item.
    """

    vector: Float32Array
    typicality: float
    excerpt: Excerpt | None = None


Placed = Embedding | Sequence[Embedding]
"""Where an item lies in a space: as a whole, or by each of its excerpts in order."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberedEmbedding:
    """An embedding as it is stored.

    Attributes:
        number: Its id in the vector index: the item's, or one of its own for an excerpt.
        item_number: Of the item.
        space: Name of the space.
        modality: Of the item.
        embedding: Where it lies.
    """

    number: int
    item_number: int
    space: str
    modality: Modality
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the collection.

    Attributes:
        number: Row number in the catalog and id in the vector indexes; never used twice. It is
            also the sequence number of the change that added the item.
        id: First 20 hex digits of the SHA-256 of ``"<modality>:<sha256>"``.
        modality: What it is searched as.
        sha256: Of the media bytes, 64 hex digits.
        media_type: MIME type, e.g. ``video/mp4``.
        suffix: File name ending of the stored media, e.g. ``.mp4``.
        bytes: Size of the media.
        title: Shown to people, not empty.
        label: Class, if known.
        work_id: Shared by items that belong together (sound and picture of one video).
        metadata: Further facts.
        created_at: When it was added, in UTC.
        tags: Any number of words, each once, in the order of the alphabet.
    """

    number: int
    id: str
    modality: Modality
    sha256: str
    media_type: str
    suffix: str
    bytes: int
    title: str
    label: str | None
    work_id: str | None
    metadata: Mapping[str, MetadataValue] = field(hash=False)
    created_at: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """A bound on a number or a moment.

    Attributes:
        key: A metadata key, or ``created_at``.
        comparison: How the value of an item must compare to ``bound``.
        bound: A finite number is compared with the numbers of that key, an aware moment with its
            dates (text such as ``2026-11-25`` or ``2026-11-25T18:00Z``); a key that holds neither
            fits no bound.
    """

    key: str
    comparison: Comparison
    bound: float | datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items are meant; every part that is set must hold.

    Attributes:
        modality: Exactly this modality.
        work_id: Exactly this work.
        label: Exactly this label.
        title: Part of the title; case and Unicode composition do not matter.
        metadata: Keys with the value each must have. Values are compared by their text form
            (``metadata_text``), so the ``"120"`` of a web address finds the number 120.
        tags: Tags that it must all have.
        ranges: Bounds that must all hold.
    """

    modality: Modality | None = None
    work_id: str | None = None
    label: str | None = None
    title: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict, hash=False)
    tags: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """An item about to be stored: everything but its number and time.

    Attributes:
        embeddings: The spaces it lies in, and where: once as a whole, or once for each excerpt;
            see ``Item`` for the rest.
    """

    id: str
    modality: Modality
    sha256: str
    media_type: str
    suffix: str
    bytes: int
    title: str
    label: str | None
    work_id: str | None
    metadata: Mapping[str, MetadataValue]
    embeddings: Sequence[tuple[SpaceRef, Embedding]]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What happened to the embeddings of one modality in a space since some moment.

    Apply ``removed`` before ``placed``: a number that is in both went and came back.

    Attributes:
        sequence: The catalog as of this number.
        removed: Items that left, shape (R,), int64, ascending.
        placed: Items that came or got another vector, shape (P,), int64, ascending.
    """

    sequence: int
    removed: Int64Array
    placed: Int64Array


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a collection holds.

    Attributes:
        items: Number of items of each modality that occurs.
        embeddings: Number of vectors of each modality, for each space in the catalog.
        works: Number of different work ids.
        media_bytes: Summed size of the media.
    """

    items: Mapping[Modality, int]
    embeddings: Mapping[str, Mapping[Modality, int]]
    works: int
    media_bytes: int


def metadata_text(value: MetadataValue) -> str:
    """Text form of a metadata value: ``true``, ``120`` for 120 and 120.0, ``0.5``, text as it is.

    Example:
        >>> [metadata_text(value) for value in (True, 120, 120.0, 0.5, "slow")]
        ['true', '120', '120', '0.5', 'slow']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def each(placed: Placed) -> Sequence[Embedding]:
    """Return the embeddings of an item in a space, however many there are."""
    return [placed] if isinstance(placed, Embedding) else placed
