"""What an item is called and where it belongs, from a path, a sent file name or its first line."""

from dataclasses import dataclass, field
from pathlib import Path

from models.file_names import distinct_name, printable_name
from models.types import Lyrics, Modality
from service.catalog.records import MetadataValue

_TITLE_CHARACTERS = 120
_MODALITIES = {modality.value: modality for modality in Modality}


@dataclass(frozen=True, slots=True)
class Caption:
    """What is known about an item beside its media.

    Attributes:
        title: Shown to people; None: the first line of lyrics, or the media type.
        label: Class, if known.
        work_id: Shared by items that belong together.
        metadata: Further facts; duration, size and so on are added.
    """

    title: str | None = None
    label: str | None = None
    work_id: str | None = None
    metadata: dict[str, MetadataValue] = field(default_factory=dict)


def title_of_file(name: str | None) -> str | None:
    r"""Return the stem of a file name as a client sent it, or None without one.

    Example:
        >>> title_of_file("C:\\sounds\\rain.wav")
        'rain'
    """
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    stem = "".join(c for c in Path(last).stem if c.isprintable()).strip()
    return stem[:_TITLE_CHARACTERS] or None


def caption_of_path(root: Path, path: Path) -> tuple[Modality | None, Caption]:
    """Read modality, label, title and work from where a file lies.

    Args:
        root: The folder that is indexed.
        path: A file below it.

    Returns:
        The modality that a sub-folder names, or None, and the caption; bytes of a name that are
        not UTF-8 are replaced, and a hash keeps works apart whose names then look alike.

    Example:
        >>> modality, caption = caption_of_path(Path("scenes"), Path("scenes/audio/rain/7.wav"))
        >>> modality.value, caption.label, caption.work_id, caption.title
        ('audio', 'rain', 'scenes/rain/7', '7')
    """
    folders = list(path.relative_to(root).parent.parts)
    named = next((name for name in folders if name.lower() in _MODALITIES), None)
    if named is not None:
        folders.remove(named)
    top = root.resolve().name
    return (
        _MODALITIES[named.lower()] if named is not None else None,
        Caption(
            title=printable_name(path.stem),
            label=printable_name(folders[-1]) if folders else None,
            work_id="/".join(map(distinct_name, [top, *folders, path.stem])),
            metadata={"path": printable_name(f"{top}/{path.relative_to(root).as_posix()}")},
        ),
    )


def first_line(lyrics: Lyrics) -> str:
    """Return the first line with words, cut to the length of a title."""
    lines = (line.strip() for line in lyrics.text.split("\n"))
    return next((line[:_TITLE_CHARACTERS] for line in lines if line), Modality.LYRICS.value)
