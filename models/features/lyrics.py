"""Zero-weight description of a text in any script: hashed character n-grams and a few counts."""

import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from models.features.extractor import ExtractorSpec
from models.features.syllables import syllables_in, vowel_class
from models.types import Float32Array, Lyrics, Modality

_N_BUCKETS = 960
_MIN_N, _MAX_N = 1, 4
_N_NUMBERS, _N_TOTALS, _N_LINES = 32, 12, 4
_N_COUNTS = _N_NUMBERS + _N_TOTALS + _N_LINES
_TOTALS = np.geomspace(5.0, 49.0, _N_TOTALS)  # syllables + 1 at the middle of each soft class
_TOTALS_WIDTH = 0.12  # standard deviation in ln(syllables + 1)
_VOWELS = "aeiou"
_PARTS = 2
# Spaces divide each number by its spread, but by no less than a floor that rises with the usual
# spread: large counts keep 960 n-grams of little spread from outweighing them.
_COUNT_SCALE = 8.0


class CharacterNgrams:
    """Extractor ``character-ngrams``: how a text is spelt and how long it is to sing.

    A row has 960 buckets of signed hashed character 1-4-grams (sublinear counts, length 1) and 48
    counts that a melody could know as well: characters, words, lines, syllables, their lengths,
    the vowels in each half, soft classes of the number of syllables, and the first four lines.
    """

    @property
    def spec(self) -> ExtractorSpec:
        """Name, dimensions and parameters."""
        return ExtractorSpec(
            name="character-ngrams",
            modality=Modality.LYRICS,
            dimension=_N_BUCKETS + _N_COUNTS,
            sequence_dimension=_N_BUCKETS + _N_COUNTS,
            parameters={
                "version": 1,
                "n_buckets": _N_BUCKETS,
                "shortest_ngram": _MIN_N,
                "longest_ngram": _MAX_N,
                "count_scale": _COUNT_SCALE,
            },
        )

    def sequence(self, media: Lyrics) -> Float32Array:
        """Return a row for each line that is not blank, shape (T, D), T >= 1."""
        lines = _lines(media.text) or [""]
        return np.stack([_row([line]) for line in lines])

    def pooled(self, media: Lyrics) -> Float32Array:
        """Return one row for the whole text, shape (D,)."""
        return _row(_lines(media.text))


def hashed_ngrams(text: str) -> Float32Array:
    """Count the character 1-4-grams of a text in signed buckets.

    Words are lower case and compatibility-normalised, and one blank stands for any white space, so
    n-grams know where words begin and end. A bucket gets plus or minus 1 + ln(count) of each of
    its n-grams; the sign keeps two n-grams in one bucket from looking like one that is frequent.

    Returns:
        Row of length 1 (or 0 for an empty text), shape (960,).
    """
    row = np.zeros(_N_BUCKETS)
    for ngram, count in Counter(_ngrams(text)).items():
        code = zlib.crc32(ngram.encode())  # Python's own hash() differs from process to process
        row[(code >> 1) % _N_BUCKETS] += (1.0 if code & 1 else -1.0) * (1.0 + np.log(count))
    length = float(np.sqrt((row**2).sum()))
    return (row / length if length > 0.0 else row).astype(np.float32)


def _ngrams(text: str) -> Iterator[str]:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if not plain:
        return
    padded = f" {plain} "
    for size in range(_MIN_N, _MAX_N + 1):
        for start in range(len(padded) - size + 1):
            ngram = padded[start : start + size]
            if ngram != " ":
                yield ngram


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _row(lines: Sequence[str]) -> Float32Array:
    counts = np.array(_counts(lines), dtype=np.float32) * np.float32(_COUNT_SCALE)
    return np.concatenate([hashed_ngrams("\n".join(lines)), counts])


def _counts(lines: Sequence[str]) -> list[float]:
    """Lengths, syllables and vowels of a text, each about 0 to 1, ``_N_COUNTS`` values."""
    words = [word for line in lines for word in line.split()]
    in_words = [syllables_in(word) for word in words]
    in_lines = [sum(syllables_in(word) for word in line.split()) for line in lines]
    letters = sum(letter.isalpha() for word in words for letter in word)
    characters = sum(len(word) for word in words)
    syllables = sum(in_words)
    return [
        *(np.log1p(total) / 2.0 for total in (characters, letters, len(words), syllables)),
        np.log1p(len(lines)),
        *_spread([len(word) for word in words], scale=5.0),
        *_spread(in_words, scale=2.0),
        *_spread(in_lines, scale=8.0),
        *(_share(sum(count == size for count in in_words), len(words)) for size in (1, 2, 3)),
        _share(letters, characters),
        _share(len(_vowels(words)), letters),
        _share(syllables, letters),
        *(size / 10.0 for size in _first_and_extremes(in_lines)),
        syllables / 16.0,
        len(words) / 12.0,
        *_vowels_in_parts(_vowels(words)),
        *np.exp(-0.5 * (np.log((syllables + 1.0) / _TOTALS) / _TOTALS_WIDTH) ** 2),
        *(size / 8.0 for size in (in_lines + [0] * _N_LINES)[:_N_LINES]),
    ]


def _spread(values: Sequence[int], *, scale: float) -> tuple[float, float]:
    """Mean and standard deviation, divided by what is usual."""
    if not values:
        return 0.0, 0.0
    return float(np.mean(values)) / scale, float(np.std(values)) / scale


def _first_and_extremes(values: Sequence[int]) -> tuple[int, int, int]:
    """First, least and greatest."""
    return (values[0], min(values), max(values)) if values else (0, 0, 0)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _vowels(words: Sequence[str]) -> list[str]:
    """Vowels of the words as a, e, i, o, u, in order."""
    return [vowel for word in words for letter in word if (vowel := vowel_class(letter))]


def _vowels_in_parts(vowels: Sequence[str]) -> Iterator[float]:
    """Shares of a, e, i, o, u among the vowels of each half."""
    for part in range(_PARTS):
        begin, end = (len(vowels) * edge // _PARTS for edge in (part, part + 1))
        for vowel in _VOWELS:
            yield _share(vowels[begin:end].count(vowel), end - begin)
