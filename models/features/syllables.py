"""An estimate of syllables that needs no dictionary and no language."""

import unicodedata
from functools import lru_cache

# Vowel letters by the last word of their Unicode name, and the Latin vowel that sounds most alike.
_ALPHABETS = ("LATIN ", "GREEK ", "CYRILLIC ")
_LATIN_VOWEL = {
    name: latin
    for latin, names in {
        "a": ("A", "ALPHA", "YA", "AE"),
        "e": ("E", "EPSILON", "ETA", "IE", "IO"),
        "i": ("I", "Y", "IOTA", "UPSILON", "YERU", "YI"),
        "o": ("O", "OMICRON", "OMEGA"),
        "u": ("U", "YU"),
    }.items()
    for name in names
}
# Of these a letter is a whole syllable (Japanese, Chinese, Korean); the Hangul block is composed.
_SYLLABIC_NAMES = ("HIRAGANA LETTER", "KATAKANA LETTER", "CJK UNIFIED", "HANGUL SYLLABLE")
# Of these vowels are not written or are marks: about every second letter begins a syllable.
_CONSONANTAL_NAMES = (
    "HEBREW",
    "ARABIC",
    "DEVANAGARI",
    "BENGALI",
    "TAMIL",
    "TELUGU",
    "THAI",
)
_LETTERS_PER_SYLLABLE = 2


def syllables_in(word: str) -> int:
    """Estimate the syllables of a word: at least 1 when it has a letter, 0 when it has none.

    A run of vowels counts once. Each kana, Han or Hangul letter counts as one; of scripts that
    leave vowels out, every second letter.
    """
    count = consonantal = 0
    after_vowel = has_letter = False
    for letter in unicodedata.normalize("NFC", word).casefold():
        kind = _kind(letter)
        has_letter = has_letter or letter.isalpha()
        count += kind == "syllable" or (kind == "vowel" and not after_vowel)
        consonantal += kind == "consonantal"
        after_vowel = kind == "vowel"
    return max(count + -(-consonantal // _LETTERS_PER_SYLLABLE), int(has_letter))


@lru_cache(maxsize=8192)
def vowel_class(letter: str) -> str | None:
    """Return which of a, e, i, o, u a letter sounds most like; None where it is no vowel."""
    base = unicodedata.normalize("NFKD", letter.casefold())[:1]
    name = unicodedata.name(base, "") if base.isalpha() else ""
    name = name.removesuffix(" WITH STROKE")  # the o of Danish does not decompose
    return _LATIN_VOWEL.get(name.rsplit(" ", 1)[-1]) if name.startswith(_ALPHABETS) else None


@lru_cache(maxsize=8192)
def _kind(letter: str) -> str:
    if vowel_class(letter):
        return "vowel"
    name = unicodedata.name(letter, "")
    if name.startswith(_SYLLABIC_NAMES):
        return "syllable"
    if letter.isalpha() and name.startswith(_CONSONANTAL_NAMES):
        return "consonantal"
    return "other"
