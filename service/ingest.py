"""Media -> features -> embeddings -> collection, one file or a whole folder, resumable."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from models.errors import KyomeiError, MediaError
from models.file_names import printable_name
from models.media.load import file_suffix
from models.types import Lyrics, Modality
from service.captions import Caption, caption_of_path, first_line
from service.collection.collection import Collection
from service.collection.new_item import NewItem
from service.embedder import Embedder
from service.errors import ProblemError
from service.facts import describe, sha256_of
from service.parallel import in_order

_logger = logging.getLogger(__name__)

_BATCH = 16


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What came of indexing a folder.

    Attributes:
        added: Number of new items.
        present: Number of files that were there already.
        skipped: Path below the folder and reason of each file that was left out.
        seconds: How long it took.
    """

    added: int
    present: int
    skipped: tuple[tuple[str, str], ...]
    seconds: float


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
        known = embedder.probe(source).modality if modality is None else modality
        places = _places(embedder, known, spaces)
        media = embedder.decode(source, known)
        embeddings = embedder.embed(media, known, places)
        media_type = embedder.probe(source).media_type
    facts = describe(source, known, media, media_type)
    fallback = first_line(media) if isinstance(media, Lyrics) else facts.media_type
    return NewItem(
        modality=known,
        media=source,
        media_type=facts.media_type,
        suffix=file_suffix(facts.media_type),
        title=(caption.title or "").strip() or fallback,
        label=caption.label,
        work_id=caption.work_id,
        metadata={**caption.metadata, **facts.measures},
        embeddings=embeddings,
    )


def index_folder(
    embedder: Embedder,
    collection: Collection,
    folder: Path,
    *,
    spaces: Sequence[str] | None = None,
    progress: bool = True,
) -> IndexReport:
    """Add a folder of media; files that are there already are passed over.

    Layouts: ``MODALITY/CLASS/file``, ``MODALITY/file``, ``CLASS/file`` or plain files. Where there
    are folders named after modalities, files outside them (a manifest, a licence) are skipped.
    Every batch is stored as it comes, so that an interrupted run goes on where it stopped.

    Args:
        embedder: Media to embeddings.
        collection: Where to.
        folder: What to read; hidden files are left out.
        spaces: Names of the spaces to place the items in; None: all that cover each modality.
        progress: Whether to show a bar with rate and time left.

    Returns:
        Counts, and every file that was skipped with its reason.
    """
    start = time.perf_counter()
    files = list(_walk(folder))
    sorted_by_modality = any(caption_of_path(folder, path)[0] for path in files)
    tally = _Tally()
    batch: list[NewItem] = []

    def prepare(path: Path) -> NewItem | None:
        if sorted_by_modality and caption_of_path(folder, path)[0] is None:
            raise MediaError("unsupported", "lies outside the folders named after modalities")
        return _prepare(embedder, collection, folder, path, spaces)

    shown = printable_name(folder.name)
    with tqdm(total=len(files), desc=shown, unit="file", disable=not progress) as bar:
        for path, future in in_order(prepare, files, workers=embedder.workers):
            outcome = _outcome(future)
            bar.update()
            tally.count(path.relative_to(folder), outcome)
            if isinstance(outcome, NewItem):
                batch.append(outcome)
            if len(batch) >= _BATCH:
                tally.store(collection, batch)
    tally.store(collection, batch)
    collection.save()
    seconds = time.perf_counter() - start
    return IndexReport(tally.added, tally.present, tuple(tally.skipped), seconds)


@dataclass(slots=True)
class _Tally:
    """Counts while a folder is indexed."""

    added: int = 0
    present: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def count(self, path: Path, outcome: NewItem | KyomeiError | None) -> None:
        if outcome is None:
            self.present += 1
        elif isinstance(outcome, KyomeiError):
            name = printable_name(path.as_posix())
            self.skipped.append((name, str(outcome)))
            _logger.info("skipped %s: %s", name, outcome)

    def store(self, collection: Collection, batch: list[NewItem]) -> None:
        """Add a batch and empty it."""
        for _, created in collection.add_many(batch):
            self.added += created
            self.present += not created
        batch.clear()


def _prepare(
    embedder: Embedder,
    collection: Collection,
    folder: Path,
    path: Path,
    spaces: Sequence[str] | None,
) -> NewItem | None:
    """Make the item of a file, or None when it is there already."""
    modality, caption = caption_of_path(folder, path)
    if modality is None:
        modality = embedder.probe(path).modality
    if collection.contains(modality, sha256_of(path)[0]) is not None:
        return None
    return new_item(embedder, path, modality, caption, spaces=spaces)


def _outcome(future: "Future[NewItem | None]") -> NewItem | KyomeiError | None:
    """One bad file is a line of the report, not the end of the run."""
    try:
        return future.result()
    except KyomeiError as error:
        return error
    except OSError as error:
        return MediaError("damaged", f"cannot be read: {error.strerror}")


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _places(embedder: Embedder, modality: Modality, spaces: Sequence[str] | None) -> list[str]:
    covering = embedder.space_names(modality)
    places = [name for name in covering if spaces is None or name in spaces]
    if not places:
        asked = "the loaded spaces" if spaces is None else ", ".join(spaces)
        raise ProblemError("unknown-space", f"None of {asked} covers {modality}")
    return places
