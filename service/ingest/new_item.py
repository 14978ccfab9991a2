"""From what was read of a file to an item of the collection."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.media.load import file_suffix
from models.types import Modality
from service.captions import Caption
from service.catalog.records import Placed
from service.collection.new_item import NewItem
from service.embedder import Embedder
from service.reading import Reading


def new_item(
    embedder: Embedder,
    source: bytes | Path,
    modality: Modality | None,
    caption: Caption,
    *,
    spaces: Sequence[str] | None = None,
) -> NewItem:
    """Decode a file, place it in the spaces, and describe it.

    Args:
        embedder: Media to embeddings.
        source: The encoded file, or where it lies.
        modality: What to take it as; None: what its content most likely is.
        caption: Title, label and so on.
        spaces: Names of the spaces to place it in; None: all that cover the modality.

    Raises:
        MediaError: When the bytes are not such media.
        ProblemError: ``busy`` when no worker is free, ``unknown-space`` when none covers it.
    """
    with embedder.slot():
        reading = embedder.read(source, modality, spaces)
        (embeddings,) = embedder.place([reading], spaces)
    return described(source, caption, reading, embeddings)


def described(
    source: bytes | Path, caption: Caption, reading: Reading, embeddings: Mapping[str, Placed]
) -> NewItem:
    """Join what the caption says with what was found in the file; the file wins."""
    facts = reading.facts
    fallback = reading.first_line or facts.media_type
    return NewItem(
        modality=facts.modality,
        media=source,
        media_type=facts.media_type,
        suffix=file_suffix(facts.media_type),
        title=(caption.title or "").strip() or fallback,
        label=caption.label,
        work_id=caption.work_id,
        metadata={**caption.metadata, **facts.measures},
        embeddings=embeddings,
    )
