"""Take the score out of a compressed MusicXML file (MXL), a zip archive with one score in it."""

import zipfile
import zlib
from io import BytesIO

from models.errors import MediaError
from models.media.limits import MediaLimits
from models.media.xml_tree import local_name, parse_xml

CONTAINER = "META-INF/container.xml"
_MAX_ENTRIES = 1_000
_BLOCK_BYTES = 2**16
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def read_score(data: bytes, limits: MediaLimits) -> bytes:
    """Return the MusicXML document of an MXL archive.

    The stated sizes are added up before anything is unpacked, and the bytes are counted again
    while unpacking, because the directory of a zip bomb lies.

    Raises:
        MediaError: ``too_large`` above ``max_unpacked_bytes``, ``damaged`` otherwise.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _refuse_large(archive, limits)
            return _unpack(archive, _score_name(archive, limits), limits)
    except _FAILURES as error:
        raise MediaError(
            "damaged", f"expected a whole MXL archive with a score, it does not open: {error}"
        ) from None


def _refuse_large(archive: zipfile.ZipFile, limits: MediaLimits) -> None:
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES:
        raise MediaError(
            "too_large", f"expected at most {_MAX_ENTRIES} files in an MXL archive, got more"
        )
    n_bytes = sum(entry.file_size for entry in entries)
    if n_bytes > limits.max_unpacked_bytes:
        raise MediaError(
            "too_large",
            f"expected an MXL archive of at most {limits.max_unpacked_bytes} unpacked bytes, "
            f"its directory states {n_bytes}",
        )


def _score_name(archive: zipfile.ZipFile, limits: MediaLimits) -> str:
    names = archive.namelist()
    if CONTAINER in names:
        container = parse_xml(_unpack(archive, CONTAINER, limits), name="MXL container")
        for element in container.iter():
            if local_name(element) == "rootfile" and element.get("full-path") in names:
                return element.attrib["full-path"]
    for suffix in (".musicxml", ".xml"):
        for name in names:
            if name.lower().endswith(suffix) and not name.startswith("META-INF/"):
                return name
    raise MediaError("damaged", "expected a MusicXML score in the MXL archive, got none")


def _unpack(archive: zipfile.ZipFile, name: str, limits: MediaLimits) -> bytes:
    unpacked = bytearray()
    with archive.open(name) as entry:
        while block := entry.read(_BLOCK_BYTES):
            unpacked += block
            if len(unpacked) > limits.max_unpacked_bytes:
                raise MediaError(
                    "too_large",
                    f"expected at most {limits.max_unpacked_bytes} unpacked bytes in an MXL "
                    f"archive, {name!r} holds more",
                )
    return bytes(unpacked)
