"""The file formats we read: their names, MIME types, suffixes and the modalities they can hold."""

from dataclasses import dataclass

from models.errors import MediaError
from models.types import Modality

_SOUND = (Modality.AUDIO,)
_PICTURE = (Modality.IMAGE, Modality.SCORE)
_FILM = (Modality.VIDEO, Modality.AUDIO)
_SHEET = (Modality.SCORE,)


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """One file format.

    Attributes:
        name: Word for messages, such as ``MP4``.
        mime: MIME type.
        suffix: Usual file suffix with the dot.
        modalities: What the file can be loaded as; the first is the default.
        demuxer: FFmpeg's name of the container; None where FFmpeg is not asked.
        sound_only: Format of the same container when it holds no picture; None where that cannot
            happen.
    """

    name: str
    mime: str
    suffix: str
    modalities: tuple[Modality, ...]
    demuxer: str | None = None
    sound_only: "MediaFormat | None" = None


WAV = MediaFormat("WAV", "audio/wav", ".wav", _SOUND)
FLAC = MediaFormat("FLAC", "audio/flac", ".flac", _SOUND)
OGG = MediaFormat("Ogg", "audio/ogg", ".ogg", _SOUND)
OPUS = MediaFormat("Opus", "audio/ogg", ".opus", _SOUND, "ogg")
MP3 = MediaFormat("MP3", "audio/mpeg", ".mp3", _SOUND)
AAC = MediaFormat("AAC", "audio/aac", ".aac", _SOUND, "aac")

M4A = MediaFormat("M4A", "audio/mp4", ".m4a", _SOUND, "mov")
WEBM_SOUND = MediaFormat("WebM sound", "audio/webm", ".weba", _SOUND, "matroska")
MKA = MediaFormat("Matroska sound", "audio/x-matroska", ".mka", _SOUND, "matroska")

MP4 = MediaFormat("MP4", "video/mp4", ".mp4", _FILM, "mov", M4A)
MOV = MediaFormat("MOV", "video/quicktime", ".mov", _FILM, "mov", M4A)
WEBM = MediaFormat("WebM", "video/webm", ".webm", _FILM, "matroska", WEBM_SOUND)
MKV = MediaFormat("Matroska", "video/x-matroska", ".mkv", _FILM, "matroska", MKA)
AVI = MediaFormat("AVI", "video/x-msvideo", ".avi", _FILM, "avi")
OGV = MediaFormat("Ogg video", "video/ogg", ".ogv", _FILM, "ogg")
GIF_FILM = MediaFormat("animated GIF", "image/gif", ".gif", (Modality.VIDEO, Modality.IMAGE), "gif")

GIF = MediaFormat("GIF", "image/gif", ".gif", _PICTURE)
PNG = MediaFormat("PNG", "image/png", ".png", _PICTURE)
JPEG = MediaFormat("JPEG", "image/jpeg", ".jpg", _PICTURE)
WEBP = MediaFormat("WebP", "image/webp", ".webp", _PICTURE)
BMP = MediaFormat("BMP", "image/bmp", ".bmp", _PICTURE)
TIFF = MediaFormat("TIFF", "image/tiff", ".tif", _PICTURE)

PDF = MediaFormat("PDF", "application/pdf", ".pdf", _SHEET)
MUSICXML = MediaFormat("MusicXML", "application/vnd.recordare.musicxml+xml", ".musicxml", _SHEET)
MXL = MediaFormat("MXL", "application/vnd.recordare.musicxml", ".mxl", _SHEET)
MEI = MediaFormat("MEI", "application/mei+xml", ".mei", _SHEET)
MIDI = MediaFormat("MIDI", "audio/midi", ".mid", _SHEET)
ABC = MediaFormat("ABC", "text/vnd.abc", ".abc", _SHEET)
HUMDRUM = MediaFormat("Humdrum", "text/x-humdrum", ".krn", _SHEET)

TEXT = MediaFormat("text", "text/plain", ".txt", (Modality.LYRICS,))

FORMATS: tuple[MediaFormat, ...] = (
    *(WAV, FLAC, OGG, OPUS, MP3, AAC, M4A, WEBM_SOUND, MKA),
    *(MP4, MOV, WEBM, MKV, AVI, OGV, GIF_FILM),
    *(GIF, PNG, JPEG, WEBP, BMP, TIFF),
    *(PDF, MUSICXML, MXL, MEI, MIDI, ABC, HUMDRUM),
    TEXT,
)


def file_suffix(media_type: str) -> str:
    """Return the usual suffix of a MIME type that ``load.media_type`` gives.

    Raises:
        MediaError: ``unsupported`` for any other MIME type.

    Example:
        >>> file_suffix("video/mp4")
        '.mp4'
    """
    for known in FORMATS:
        if known.mime == media_type:
            return known.suffix
    raise MediaError("unsupported", f"no suffix is known for the media type {media_type!r}")


def formats_of(modality: Modality) -> tuple[str, ...]:
    """Names of the formats that can be loaded as ``modality``, for messages and documentation."""
    return tuple(known.name for known in FORMATS if modality in known.modalities)
