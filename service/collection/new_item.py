"""An item on its way into the collection, and the checks it must pass."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.errors import DataError, ShapeError
from models.types import Modality
from service.catalog.records import Draft, Embedding, MetadataValue, Placed, SpaceRef, each
from service.collection.media_files import StagedMedia

_SUFFIX = re.compile(r"\.[a-z0-9]{1,12}")


@dataclass(frozen=True, slots=True, eq=False)
class NewItem:
    """What ``Collection.add`` takes.

    Attributes:
        modality: What the item is searched as.
        media: The bytes, or the file that holds them; the file is copied, never moved.
        media_type: MIME type found from the content.
        suffix: File name ending to store the media under, a dot and lower-case letters or digits.
        title: Shown to people, not empty.
        embeddings: Space name -> where the item lies in it; or, for one that was cut, where each
            of its excerpts does.
        label: Class, if known.
        work_id: Shared by items that belong together.
        metadata: Further facts; numbers must be finite.
        tags: Any number of words, none of them empty.
    """

    modality: Modality
    media: bytes | Path
    media_type: str
    suffix: str
    title: str
    embeddings: Mapping[str, Placed]
    label: str | None = None
    work_id: str | None = None
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    tags: Sequence[str] = ()


def check_new_item(new: NewItem, spaces: Mapping[str, SpaceRef]) -> None:
    """Refuse an item that cannot be stored or found.

    Raises:
        DataError: On an empty title or tag, a suffix that is no file ending, metadata that is not
            text, finite number or truth value, a space that is not open or does not cover the
            modality, or a typicality outside [0, 1].
        ShapeError: On a vector that is not (K,) and finite.
    """
    if not new.title.strip():
        raise DataError("expected a title, got an empty one")
    if not _SUFFIX.fullmatch(new.suffix):
        raise DataError(f"expected a file ending such as '.mp4', got {new.suffix!r}")
    if not all(tag.strip() for tag in new.tags):
        raise DataError(f"expected tags that are not empty, got {list(new.tags)!r}")
    for key, value in new.metadata.items():
        _check_metadata(key, value)
    for name, placed in new.embeddings.items():
        _check_excerpts(name, each(placed))
        for embedding in each(placed):
            _check_embedding(new.modality, spaces, name, embedding)


def _check_excerpts(name: str, embeddings: Sequence[Embedding]) -> None:
    """An item lies in a space as a whole, or by excerpts that are counted from 1."""
    found = [None if one.excerpt is None else one.excerpt.position for one in embeddings]
    if found != [None] and (found != list(range(1, len(found) + 1)) or not found):
        raise DataError(
            f"space {name!r}: expected one embedding of the whole item, or one of each excerpt "
            f"1, 2, ...; got {found}"
        )


def _check_metadata(key: object, value: object) -> None:
    is_known_type = isinstance(key, str) and isinstance(value, str | int | float)
    if not is_known_type or (isinstance(value, float) and not math.isfinite(value)):
        raise DataError(
            f"metadata {key!r}: expected text, a finite number, true or false, got {value!r}"
        )


def _check_embedding(
    modality: Modality, spaces: Mapping[str, SpaceRef], name: str, embedding: Embedding
) -> None:
    space = spaces.get(name)
    if space is None:
        raise DataError(f"expected a space of {sorted(spaces)}, got an embedding in {name!r}")
    if modality not in space.modalities:
        covered = ", ".join(space.modalities)
        raise DataError(f"space {name!r} covers {covered}; got an embedding of {modality}")
    check_vector(space, embedding)


def check_vector(space: SpaceRef, embedding: Embedding) -> None:
    """Refuse an embedding that does not fit its space.

    Raises:
        ShapeError: When the vector is not (K,) and finite.
        DataError: When the typicality lies outside [0, 1].
    """
    vector = np.asarray(embedding.vector)
    is_finite = bool(np.isfinite(vector).all())
    if vector.shape != (space.n_components,) or not is_finite:
        raise ShapeError(
            f"space {space.name!r}: expected a finite vector of shape ({space.n_components},), "
            f"got shape {vector.shape}{'' if is_finite else ' with NaN or infinity'}"
        )
    if not 0.0 <= embedding.typicality <= 1.0:
        raise DataError(
            f"space {space.name!r}: expected a typicality in [0, 1], got {embedding.typicality}"
        )


def draft(new: NewItem, staged: StagedMedia, spaces: Mapping[str, SpaceRef]) -> Draft:
    """Join the facts of an item with what staging its media told (hash, size)."""
    return Draft(
        id=staged.id,
        modality=new.modality,
        sha256=staged.sha256,
        media_type=new.media_type,
        suffix=new.suffix,
        bytes=staged.bytes,
        title=new.title,
        label=new.label,
        work_id=new.work_id,
        metadata=dict(new.metadata),
        tags=tuple(new.tags),
        embeddings=[
            (spaces[name], embedding)
            for name, placed in new.embeddings.items()
            for embedding in each(placed)
        ],
    )
