"""A folder of MusicXML scores as a source: every window of bars in which there are words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from models.errors import DataError, MediaError
from models.media.limits import MediaLimits
from models.media.xml_tree import parse_xml
from models.media.zip_container import read_score
from training.datasets.songs.groups import group_songs, plain_words, split_groups
from training.datasets.songs.measures import read_bars
from training.datasets.songs.musicxml import sung_track
from training.datasets.songs.plan import new_name, plain_stem
from training.datasets.songs.song import Song
from training.datasets.songs.words import lyric_text
from training.datasets.triples.accompaniment import Bars, read_accompaniment
from training.datasets.triples.cut import cut_windows
from training.datasets.triples.excerpt import Excerpt, SongInfo
from training.datasets.triples.language import language_of
from training.datasets.triples.source import Listed, Map

SUFFIXES = frozenset({".xml", ".musicxml", ".mxl"})
MAX_SCORE_BYTES = 64 * 2**20
_LIMITS = MediaLimits()


@dataclass(frozen=True, slots=True)
class ScoreFolder:
    """MusicXML files below a folder.

    Attributes:
        folder: Where they lie.
        bars: Bars of a window.
        hop: Bars from one window to the next.
        name: ``scores`` for one's own.
        licence: What may be done with them.
        citation: Whom to cite.
        titles: File below the folder -> (composer, title), where a table tells more than the file.
    """

    folder: Path
    bars: int = 4
    hop: int = 4
    name: str = "scores"
    licence: str = "that of each score"
    citation: str = ""
    titles: tuple[tuple[str, str, str], ...] = ()

    @property
    def settings(self) -> dict[str, object]:
        """Length and hop of the windows."""
        return {"bars": self.bars, "hop": self.hop}

    def songs(self, seed: int, in_parallel: Map) -> Sequence[Listed]:
        """List the scores with words. Versions of a tune and settings of a text stay together.

        Raises:
            DataError: If there is none.
        """
        voices = self.voices(in_parallel)
        groups = group_songs(voices)
        sizes = [len(song.bars) // self.hop for song in voices]
        splits = split_groups(groups, sizes, seed)
        names = _names([song.source for song in voices])
        known = {place: (composer, title) for place, composer, title in self.titles}
        return [
            Listed(_info(song, name, group, split, known), song.source)
            for song, name, group, split in zip(voices, names, groups, splits, strict=True)
        ]

    def voices(self, in_parallel: Map) -> list[Song]:
        """Read the sung voice of every score that has one.

        Raises:
            DataError: If there is none.
        """
        paths = [path for path in sorted(self.folder.rglob("*")) if path.suffix in SUFFIXES]
        places = [path.relative_to(self.folder).as_posix() for path in paths]
        read = in_parallel(self._voice, places, "scores")
        voices = [song for song in read if isinstance(song, Song)]
        if not voices:
            raise DataError(
                f"{self.folder}: expected MusicXML (.xml, .musicxml, .mxl) with lyrics, found none"
            )
        return voices

    def excerpts(self, song: Listed) -> Iterable[Excerpt]:
        """Cut one score.

        Raises:
            DataError: If the file cannot be read.
        """
        voice, accompaniment = self.read(song.place)
        if voice is None:
            return ()
        return cut_windows(voice, accompaniment, name=song.info.id, bars=self.bars, hop=self.hop)

    def _voice(self, place: str) -> Song | str:
        """The sung voice, or why there is none."""
        try:
            return self.read(place)[0] or "no words"
        except DataError as error:
            return str(error)

    def read(self, place: str) -> tuple[Song | None, Bars]:
        """Read the voice of one score, None where nothing is sung, and the notes of other parts.

        Raises:
            DataError: If the file cannot be read.
        """
        data = (self.folder / place).read_bytes()
        if len(data) > MAX_SCORE_BYTES:
            raise DataError(f"{place}: {len(data)} bytes are too many for a score")
        try:
            root: Element = parse_xml(
                read_score(data, _LIMITS) if data[:2] == b"PK" else data, name="MusicXML"
            )
            if root.tag != "score-partwise":
                raise DataError(f"{place}: expected <score-partwise>, got <{root.tag}>")
            track = sung_track(root)
            if track is None:
                return None, []
            bars = tuple(read_bars(track))
            song = Song(place, "", _text(root, _TITLES), _text(root, _COMPOSER), "", bars)
            return song, read_accompaniment(root, track)
        except (MediaError, ValueError, KeyError, ZeroDivisionError) as error:
            raise DataError(f"{place}: expected a readable score: {error}") from error


_TITLES = ("work/work-title", "movement-title")
_COMPOSER = ("identification/creator[@type='composer']",)


def _text(root: Element, paths: Sequence[str]) -> str:
    texts = (" ".join((root.findtext(path) or "").split()) for path in paths)
    return next((text for text in texts if text), "")


def _info(song: Song, name: str, group: int, split: str, known: dict[str, Any]) -> SongInfo:
    composer, title = known.get(song.source, (song.composer, song.title))
    return SongInfo(
        id=name,
        title=title,
        composer=composer,
        language=language_of(plain_words(lyric_text(song.notes))),
        group=str(group),
        split=split,
    )


def _names(places: Sequence[str]) -> Iterator[str]:
    """Plain ASCII names of files, each unlike all before it."""
    taken: set[str] = set()
    for place in places:
        yield new_name(plain_stem(place) or "song", taken)
