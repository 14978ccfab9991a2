"""Where the songs come from: the scores that are installed with the music21 package.

The files are read where they lie. music21 itself is never imported: its own reader is some
twenty times slower, and importing it writes caches and settings into the user's home.
"""

import importlib.metadata
import importlib.util
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError

LICENCE_OF_THE_CORPUS = (
    "music21 corpus/license.txt: distributed with the permission of the encoders; out of copyright "
    "in the United States or licensed for use, though there may be restrictions on commercial use"
)
LEFT_OUT = {
    "corelli": "figured bass is stored as lyrics",
    "demos": "examples for software, not songs",
    "monteverdi": "the words are uncorrected character recognition",
    "theoryExercises": "exercises, not songs",
}
SUFFIXES = frozenset({".mxl", ".xml", ".musicxml"})
MAX_SCORE_BYTES = 32 * 2**20
_FREE_WORDS = ("public domain", "p.d.", "cc0", "cc-", "creative commons")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The installed collection.

    Attributes:
        folder: Its place on this machine; never written into any output.
        version: Version of the music21 package.
    """

    folder: Path
    version: str

    def files(self) -> tuple[str, ...]:
        """Names of the MusicXML files, relative to the folder with ``/``, sorted."""
        names = (
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.suffix in SUFFIXES
        )
        return tuple(sorted(name for name in names if name.split("/", 1)[0] not in LEFT_OUT))

    def read(self, name: str) -> bytes:
        """Return the MusicXML text of one file, unpacked.

        Raises:
            DataError: If the file cannot be read.
        """
        data = (self.folder / name).read_bytes()
        return _unpack(data, name) if data[:2] == b"PK" else data


def find_corpus() -> Corpus:
    """Find the corpus of the installed music21.

    Raises:
        DataError: If the package is absent or came without its corpus.
    """
    found = importlib.util.find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise DataError("the songs come with the music21 package: pip install 'kyomei[demo]'")
    folder = Path(next(iter(found.submodule_search_locations))) / "corpus"
    if not (folder / "bach").is_dir():
        raise DataError(
            "the installed music21 came without its corpus; "
            "pip install --force-reinstall 'music21>=10'"
        )
    return Corpus(folder=folder, version=importlib.metadata.version("music21"))


def licence(rights: str) -> str | None:
    """State the licence of one file, or None when the file reserves its rights.

    Args:
        rights: What the file says in its ``<rights>`` elements, may be empty.
    """
    words = " ".join(rights.split())
    if not words.lower().removeprefix("copyright").strip(" ©"):
        return f"nothing stated in the file; {LICENCE_OF_THE_CORPUS}"
    if any(word in words.lower() for word in _FREE_WORDS):
        return f"stated in the file: {words}"
    return None


def _unpack(data: bytes, name: str) -> bytes:
    """Return the score inside a zipped MusicXML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                inner = entry.filename
                if inner.startswith("META-INF") or Path(inner).suffix not in SUFFIXES:
                    continue
                if entry.file_size > MAX_SCORE_BYTES:
                    raise DataError(f"{name}: {entry.file_size} bytes unpacked is too much")
                return archive.read(entry)
    except zipfile.BadZipFile as error:
        raise DataError(f"{name} is not a readable .mxl file: {error}") from error
    raise DataError(f"{name} holds no MusicXML")
