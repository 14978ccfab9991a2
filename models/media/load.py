"""The one door for media: bytes or a path in, decoded ``Media`` or a ``MediaError`` out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import MediaError
from models.media.audio import decode_audio
from models.media.container import has_picture
from models.media.formats import TEXT, MediaFormat
from models.media.formats import file_suffix as file_suffix
from models.media.image import decode_image
from models.media.limits import MediaLimits
from models.media.lyrics import decode_lyrics
from models.media.score import decode_score
from models.media.sniff import identify
from models.media.sniff_text import text_format
from models.media.video import decode_video
from models.types import Lyrics, Media, Modality

DEFAULT_LIMITS = MediaLimits()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file is, by its content.

    Attributes:
        modality: What it most likely is. A PNG or JPEG is an image, a PDF or notation file a
            score, a text lyrics, an MP4 a video when it holds pictures and a sound otherwise.
        media_type: MIME type, such as ``video/mp4``.
    """

    modality: Modality
    media_type: str


def load(source: bytes | Path, modality: Modality, limits: MediaLimits = DEFAULT_LIMITS) -> Media:
    """Decode a file as one modality.

    Args:
        source: The bytes of a file, or where it lies. Its name plays no part.
        modality: What to decode it as. A video gives its frames as ``VIDEO`` and its sound track
            as ``AUDIO``; a picture or PDF page may be an ``IMAGE`` or a ``SCORE``.
        limits: What is too large.

    Returns:
        ``Audio``, ``Image``, ``Video``, ``Lyrics`` or ``Score`` as asked.

    Raises:
        MediaError: With one of the reasons of ``models.errors``; nothing else on any bytes.
    """
    data = _read(source, limits)
    try:
        return _decode(data, modality, limits)
    except MemoryError:
        raise MediaError(
            "too_large", f"decoding these {len(data)} bytes needs more memory than there is"
        ) from None


def probe(source: bytes | Path, limits: MediaLimits = DEFAULT_LIMITS) -> Probe:
    """Tell what a file is, without decoding it.

    FFmpeg opens MP4, MOV, WebM and Matroska for it: a service asks ``IsolatedLoader.probe``.

    Raises:
        MediaError: ``empty``, ``unsupported``, ``damaged`` or ``too_large`` (bytes).
    """
    media_format = _resolved(_read(source, limits))
    return Probe(media_format.modalities[0], media_format.mime)


def default_modality(source: bytes | Path, limits: MediaLimits = DEFAULT_LIMITS) -> Modality:
    """Return what a file most likely is, as ``probe`` does."""
    return probe(source, limits).modality


def media_type(source: bytes | Path, limits: MediaLimits = DEFAULT_LIMITS) -> str:
    """Return the MIME type of a file from its content, as ``probe`` does."""
    return probe(source, limits).media_type


def _decode(data: bytes, modality: Modality, limits: MediaLimits) -> Media:
    if modality is Modality.LYRICS:
        return _decode_lyrics(data, limits)
    media_format = identify(data)
    if modality not in media_format.modalities:
        raise _mislabelled(modality, media_format)
    return _DECODERS[modality](data, media_format, limits)


def _decode_lyrics(data: bytes, limits: MediaLimits) -> Lyrics:
    """Text first: words may begin with what is the magic number of a binary format."""
    if not data:
        raise MediaError("empty", "expected lyrics, got 0 bytes")
    notation = text_format(data)
    if notation not in (None, TEXT):
        raise _mislabelled(Modality.LYRICS, notation)
    try:
        return decode_lyrics(data, limits)
    except MediaError as error:
        if error.reason in ("mislabelled", "damaged"):
            _refuse_other_media(data)
        raise


def _refuse_other_media(data: bytes) -> None:
    """Name the format of what is not a text, if we know it."""
    try:
        media_format = identify(data)
    except MediaError:
        return
    if media_format is not TEXT:
        raise _mislabelled(Modality.LYRICS, media_format)


_DECODERS: dict[Modality, Callable[[bytes, MediaFormat, MediaLimits], Media]] = {
    Modality.AUDIO: decode_audio,
    Modality.IMAGE: decode_image,
    Modality.VIDEO: decode_video,
    Modality.SCORE: decode_score,
}


def _resolved(data: bytes) -> MediaFormat:
    """Tell a container with pictures from one with sound only."""
    media_format = identify(data)
    if media_format.sound_only is None or has_picture(data, media_format):
        return media_format
    return media_format.sound_only


def _read(source: bytes | Path, limits: MediaLimits) -> bytes:
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(limits.max_bytes + 1)
        except OSError as error:
            raise MediaError("damaged", f"expected a readable file: {error.strerror}") from None
    if len(source) > limits.max_bytes:
        raise MediaError(
            "too_large", f"expected a file of at most {limits.max_bytes} bytes, it is larger"
        )
    return source


def _mislabelled(modality: Modality, media_format: MediaFormat) -> MediaError:
    accepted = " or ".join(media_format.modalities)
    return MediaError(
        "mislabelled",
        f"expected {modality}, got a {media_format.name} file, which can be loaded as {accepted}",
    )
