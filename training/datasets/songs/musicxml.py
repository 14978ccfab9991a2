"""Reads a MusicXML score down to its sung voice, and writes bars of it as a score of their own."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from models.errors import DataError
from training.datasets.songs.corpus import licence
from training.datasets.songs.measures import Track, read_bars, syllable_of, voice_of
from training.datasets.songs.song import DIVISIONS, Bar, Signature, Song
from training.datasets.songs.words import lyric_text

TITLE_WORDS = 7
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_song(data: bytes, source: str) -> Song | None:
    """Read one score.

    Args:
        data: MusicXML (partwise).
        source: Its name in the corpus, ``collection/file``.

    Returns:
        The voice with the most syllables, or None if nothing is sung or the rights are reserved.

    Raises:
        DataError: If the data is not MusicXML.
    """
    if b"<lyric" not in data and not data.startswith(_UTF16_MARKS):
        return None  # most files of the corpus are instrumental: do not parse them
    root = _parse(data, source)
    stated = licence(" ".join(_texts(root, "identification/rights")))
    track = sung_track(root)
    if track is None or stated is None:
        return None
    song = Song(
        source=source,
        collection=source.split("/", 1)[0],
        title="",
        composer=_composer(root),
        licence=stated,
        bars=tuple(read_bars(track)),
    )
    return replace(song, title=_title(root, song))


def sung_track(root: Element) -> Track | None:
    """Choose part, voice and verse with the most syllables; the first of equals."""
    syllables: Counter[tuple[int, str, str]] = Counter()
    parts = root.findall("part")
    for index, part in enumerate(parts):
        for note in part.iter("note"):
            for lyric in note.findall("lyric"):
                if any(character.isalpha() for character in syllable_of(lyric)[0]):
                    syllables[index, voice_of(note), lyric.get("number", "1")] += 1
    if not syllables:
        return None
    (index, voice, verse), _ = syllables.most_common(1)[0]
    return Track(parts[index], voice, verse)


def write_window(bars: Sequence[Bar], *, title: str, composer: str) -> str:
    """Write bars as a MusicXML score of one part, words included.

    Args:
        bars: Consecutive bars of one song, at least one.
        title: Stated in the header.
        composer: Stated in the header.
    """
    measures, before = [], None
    for number, bar in enumerate(bars, start=1):
        head = _attributes(bar.signature, before)
        measures.append(f'<measure number="{number}">{head}{bar.xml}</measure>')
        before = bar.signature
    body = "\n".join(measures)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<score-partwise version="4.0">\n'
        f"<work><work-title>{escape(title)}</work-title></work>\n"
        f'<identification><creator type="composer">{escape(composer)}</creator></identification>\n'
        '<part-list><score-part id="P1"><part-name>Voice</part-name></score-part></part-list>\n'
        f'<part id="P1">\n{body}\n</part>\n</score-partwise>\n'
    )


def _attributes(now: Signature, before: Signature | None) -> str:
    """State the whole signature at the head, later only what changes."""
    if before is None:
        return (
            f"<attributes><divisions>{DIVISIONS}</divisions>{now.key}{now.time}{now.clef}"
            "</attributes>"
        )
    changes = "".join(
        new
        for new, old in zip(
            (now.key, now.time, now.clef), (before.key, before.time, before.clef), strict=True
        )
        if new != old
    )
    return f"<attributes>{changes}</attributes>" if changes else ""


def _parse(data: bytes, source: str) -> Element:
    try:
        # The corpus is an installed package, not a caller's upload.
        root = ElementTree.fromstring(data)  # noqa: S314
    except ElementTree.ParseError as error:
        raise DataError(f"{source} is not MusicXML: {error}") from error
    if root.tag != "score-partwise":
        raise DataError(f"{source}: expected <score-partwise>, got <{root.tag}>")
    return root


def _texts(root: Element, path: str) -> list[str]:
    """Texts of the elements, blanks joined, empty ones left out."""
    texts = (" ".join((element.text or "").split()) for element in root.findall(path))
    return [text for text in texts if text]


def _composer(root: Element) -> str:
    return "; ".join(_texts(root, "identification/creator[@type='composer']"))


def _title(root: Element, song: Song) -> str:
    """Title of the file unless it only repeats the file name; else the first words sung."""
    stem = PurePosixPath(song.source).stem
    for title in _texts(root, "work/work-title") + _texts(root, "movement-title"):
        if not title.startswith(stem) and any(letter.islower() for letter in title):
            return title
    words = lyric_text(song.notes).split()[:TITLE_WORDS]
    return f"{' '.join(words)} ({stem})"
