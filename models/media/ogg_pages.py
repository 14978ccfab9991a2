"""The page structure of Ogg: which codecs a file holds and whether its last page is complete."""

from collections.abc import Iterator

CAPTURE = b"OggS"
_HEADER_BYTES = 27
_FIRST_PAGE_FLAG = 0x02

_CODEC_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x01vorbis", "vorbis"),
    (b"OpusHead", "opus"),
    (b"\x7fFLAC", "flac"),
    (b"Speex   ", "speex"),
    (b"\x80theora", "theora"),
)


def codecs(data: bytes) -> tuple[str, ...]:
    """Codecs of the logical streams, in file order; ``unknown`` for one we cannot name."""
    found = []
    for start, body, end in _pages(data):
        if not data[start + 5] & _FIRST_PAGE_FLAG:
            break  # all streams begin before the first page of content
        head = data[body : min(end, body + 16)]
        names = [name for mark, name in _CODEC_MARKS if head.startswith(mark)]
        found.append(names[0] if names else "unknown")
    return tuple(found)


def is_complete(data: bytes) -> bool:
    """Whether the pages follow one another up to the last byte; False for a cut file."""
    last_end = 0
    for start, _, end in _pages(data):
        if start != last_end:
            return False
        last_end = end
    return last_end == len(data) > 0


def _pages(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (start, start of body, end) of each page; ``end`` may lie beyond the data."""
    start = 0
    while data[start : start + 4] == CAPTURE and start + _HEADER_BYTES <= len(data):
        n_segments = data[start + 26]
        body = start + _HEADER_BYTES + n_segments
        end = body + sum(data[start + _HEADER_BYTES : body])
        yield start, body, end
        start = end
