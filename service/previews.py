"""Previews of items, rendered on first sight and kept in a folder that may be deleted any time."""

import io
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint import write_bytes_atomically
from models.errors import MediaError
from models.types import Audio, Image, Lyrics, Media, Modality, Video
from service.catalog.records import Excerpt, Item
from service.collection.collection import Collection
from service.embedder import Embedder
from service.errors import ProblemError
from service.pictures import frame_strip, spectrogram, staff, thumbnail

_LINES = 12
_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Preview:
    """A rendered preview.

    Attributes:
        path: Where it lies.
        media_type: ``image/png`` or ``text/plain; charset=utf-8``.
    """

    path: Path
    media_type: str


class Previews:
    """Renders previews and keeps them.

    Args:
        folder: Cache; created when missing.
        embedder: Decodes the media.
        collection: Has the media.
    """

    def __init__(self, folder: Path, embedder: Embedder, collection: Collection) -> None:
        self._folder = folder
        self._embedder = embedder
        self._collection = collection

    def of(self, item: Item, excerpt: Excerpt | None = None) -> Preview:
        """Return the preview of an item or an excerpt, rendering it when it is not there.

        Args:
            item: What to show.
            excerpt: The part of it to show; None: the whole.

        Raises:
            MediaError: When the stored media no longer decodes within the limits.
            ProblemError: ``unknown-item`` when the item or its file is gone meanwhile, ``busy``
                when no worker is free.
        """
        preview = self._place(item, excerpt)
        if not preview.path.is_file():
            with self._embedder.slot():
                write_bytes_atomically(preview.path, render(self._decoded(item, excerpt)))
            # A DELETE removes the preview after the item: whoever comes second cleans up.
            if self._collection.get(item.id) is None:
                self.forget(item)
                raise _gone(item)
        return preview

    def forget(self, item: Item) -> None:
        """Delete the previews of an item that is no more."""
        for path in self._folder.glob(f"{item.id}*"):
            path.unlink(missing_ok=True)

    def _decoded(self, item: Item, excerpt: Excerpt | None) -> Media:
        path = self._collection.media_path(item)
        try:
            if excerpt is not None:
                cutting = self._embedder.cut(path, item.modality, only=excerpt.place)
                return cutting.windows[0].media
            return self._embedder.decode(path, item.modality)
        except MediaError as error:
            if not path.is_file():
                raise _gone(item) from None
            # Where the file lies is no business of the client.
            raise MediaError(error.reason, str(error).replace(str(path), item.id)) from error

    def _place(self, item: Item, excerpt: Excerpt | None) -> Preview:
        name = item.id if excerpt is None else f"{item.id}-{excerpt.position}"
        if item.modality is Modality.LYRICS:
            return Preview(self._folder / f"{name}.txt", "text/plain; charset=utf-8")
        return Preview(self._folder / f"{name}.png", "image/png")


def _gone(item: Item) -> ProblemError:
    return ProblemError("unknown-item", f"Item {item.id!r} has no file any more")


def render(media: Media) -> bytes:
    """Return a PNG, or the first lines of lyrics as UTF-8."""
    match media:
        case Lyrics():
            lines = media.text.splitlines()[:_LINES]
            return "\n".join(lines)[:_CHARACTERS].encode()
        case Audio():
            picture = spectrogram(media)
        case Video():
            picture = frame_strip(media)
        case Image():
            picture = thumbnail(media)
        case _:
            picture = staff(media)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
