"""What is said about a file that was sent: hash, type, size, and how long or large it is."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from models.types import Audio, Image, Lyrics, Media, Modality, Score, Video


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """Facts of one piece of media; those that do not apply are None.

    Attributes:
        modality: What it is taken as.
        media_type: MIME type found from the content.
        sha256: Of the bytes, 64 hex digits.
        bytes: Size of the encoded file.
        duration_seconds: Of sound or video.
        width: Columns of an image or video frame, in pixels.
        height: Rows of an image or video frame, in pixels.
        pages: Of a score.
        lines: Of lyrics.
        characters: Of lyrics.
    """

    modality: Modality
    media_type: str
    sha256: str
    bytes: int
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    lines: int | None = None
    characters: int | None = None

    @property
    def measures(self) -> dict[str, int | float]:
        """The facts that apply to this media, for the metadata of an item."""
        names = ("duration_seconds", "width", "height", "pages", "lines", "characters")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def describe(source: bytes | Path, modality: Modality, media: Media, media_type: str) -> MediaFacts:
    """Collect the facts of a file, its MIME type and what was decoded from it."""
    digest, size = sha256_of(source)
    measures = _measures(media)
    return MediaFacts(
        modality=modality,
        media_type=media_type,
        sha256=digest,
        bytes=size,
        duration_seconds=measures.get("duration_seconds"),
        **{name: int(value) for name, value in measures.items() if name != "duration_seconds"},
    )


def sha256_of(source: bytes | Path) -> tuple[str, int]:
    """Return the SHA-256 (64 hex digits) and the number of bytes, read in chunks."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def _measures(media: Media) -> dict[str, int | float]:
    match media:
        case Audio():
            return {"duration_seconds": round(media.duration_seconds, 3)}
        case Image():
            return {"width": media.pixels.shape[1], "height": media.pixels.shape[0]}
        case Video():
            _, height, width, _ = media.frames.shape
            seconds = round(media.duration_seconds, 3)
            return {"duration_seconds": seconds, "width": width, "height": height}
        case Lyrics():
            return {"lines": len(media.text.splitlines()), "characters": len(media.text)}
        case Score():
            return {"pages": len(media.pages)}
