"""Cut a song into the windows that are searched: what an extractor of songs is trained on.

Notation becomes four bars of one voice, a sound of more than 16 seconds windows of 9, a page each
of its lines of music, a text four lines. What is no longer than one window stays whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from models.errors import MediaError
from models.features.songs.log_frequency import (
    HOP_SECONDS,
    ONE_WINDOW_SECONDS,
    WINDOW_SECONDS,
)
from models.features.songs.staff_strip import MOST_SKEW
from models.features.staff_lines import Staff, find_staves, ink_of, straightened
from models.media.bar_windows import bar_windows
from models.media.limits import MediaLimits
from models.media.score import is_notation
from models.media.sniff import identify
from models.media.spans import spans
from models.types import Audio, Lyrics, Media, Place, Score, UInt8Array, Window

LINES = 4
_AROUND_STAFF = 6.0  # staff spaces above and below
_BESIDE_STAFF = 2.0
_SILENCE = 1e-4  # largest sample


@dataclass(frozen=True, slots=True)
class _Cut:
    """A window that is not drawn yet; ``media`` draws it."""

    place: Place
    media: Callable[[], Media]


def windows_of(
    source: bytes | Path,
    media: Media,
    limits: MediaLimits,
    *,
    most: int | None = None,
    only: Place | None = None,
) -> tuple[Window, ...]:
    """Cut a song into windows.

    Args:
        source: The encoded file; notation is cut bar by bar from there.
        media: What was decoded from it.
        limits: For notation.
        most: At most so many windows, evenly spread; None: all.
        only: The place of the only window that is wanted.

    Returns:
        At least one; a song of one window has no place in it that would tell anything.

    Raises:
        MediaError: When a window cannot be engraved.
    """
    cuts = list(_cuts(source, media, limits))
    if only is not None:
        cuts = [cut for cut in cuts if cut.place == only]
    if most is not None and len(cuts) > most:
        cuts = [cuts[i] for i in np.linspace(0, len(cuts) - 1, most).round().astype(int)]
    windows = tuple(Window(cut.place, cut.media()) for cut in cuts)
    if not windows:
        raise MediaError("damaged", "expected a window of this song at that place, got none")
    return windows


def _cuts(source: bytes | Path, media: Media, limits: MediaLimits) -> Iterator[_Cut]:
    match media:
        case Audio():
            yield from _of_sound(media)
        case Lyrics():
            yield from _of_text(media)
        case Score():
            yield from _of_score(source, media, limits)
        case _:
            yield _Cut(Place(), lambda: media)


def _of_sound(audio: Audio) -> Iterator[_Cut]:
    """Silent windows are left out, unless all are silent."""
    rate_hz = audio.sample_rate_hz
    if audio.duration_seconds <= ONE_WINDOW_SECONDS:
        yield _Cut(Place(start_seconds=0.0, end_seconds=audio.duration_seconds), lambda: audio)
        return
    length, hop = round(WINDOW_SECONDS * rate_hz), round(HOP_SECONDS * rate_hz)
    found = spans(len(audio.samples), length, hop)
    loud = [(a, b) for a, b in found if float(np.abs(audio.samples[a:b]).max()) > _SILENCE]
    for start, end in loud or found[:1]:
        place = Place(start_seconds=round(start / rate_hz, 3), end_seconds=round(end / rate_hz, 3))
        yield _Cut(place, partial(Audio, audio.samples[start:end], rate_hz))


def _of_text(lyrics: Lyrics) -> Iterator[_Cut]:
    lines = lyrics.text.splitlines()
    filled = [number for number, line in enumerate(lines) if line.strip()]
    for start, end in spans(len(filled), LINES, LINES):
        some = filled[start:end]
        text = "\n".join(lines[number] for number in some)
        place = Place(first_line=some[0] + 1, last_line=some[-1] + 1)
        yield _Cut(place, partial(Lyrics, text))


def _of_score(source: bytes | Path, score: Score, limits: MediaLimits) -> Iterator[_Cut]:
    data = source if isinstance(source, bytes) else source.read_bytes()
    media_format = identify(data)
    if is_notation(media_format):
        for window in bar_windows(data, media_format, limits):
            yield _Cut(window.place, partial(window.engraved, limits))
        return
    found = False
    for number, page in enumerate(score.pages, start=1):
        level = straightened(ink_of(page), most_skew=MOST_SKEW)
        for line, staff in enumerate(find_staves(level), start=1):
            found = True
            picture = _around(level, staff)
            yield _Cut(
                Place(page=number, staff=line),
                partial(Score, (picture,), engraved=False),
            )
    if not found:  # no staff was recognised: let the extractor see the page
        yield _Cut(Place(), lambda: score)


def _around(ink: np.ndarray, staff: Staff) -> UInt8Array:
    """Cut a staff with what is written above and below it out of a level page."""
    top = max(0, round(staff.top - _AROUND_STAFF * staff.space))
    bottom = round(staff.bottom + _AROUND_STAFF * staff.space) + 1
    left = max(0, round(staff.left - _BESIDE_STAFF * staff.space))
    right = round(staff.right + _BESIDE_STAFF * staff.space)
    return np.rint(255.0 * (1.0 - ink[top:bottom, left:right])).astype(np.uint8)
