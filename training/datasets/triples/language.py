"""Which language the words of a song are in, by its commonest little words."""

from collections.abc import Sequence

UNKNOWN = "und"
_LITTLE_WORDS = {
    "de": "und ich der die das ist nicht mein du in den mit es so dein sie im auf zu wie wenn ein",
    "en": "the and of to my in thy thou i is that with a for me you but love it all when her",
    "fr": "et la le les de je vous est un une dans mon que qui ton sur mes pour des tu nous",
    "it": "che il di la non e mio un per cor mi ti si del con",
    "la": "et in deus dei est domine gloria tua nobis qui sanctus pater",
}
_WORDS = {code: frozenset(words.split()) for code, words in _LITTLE_WORDS.items()}
_LEAST_SHARE = 0.05


def language_of(words: Sequence[str]) -> str:
    """Return the ISO 639-1 code of lower-case words; ``und`` where none fits."""
    if not words:
        return UNKNOWN
    shares = {code: sum(word in known for word in words) for code, known in _WORDS.items()}
    best = max(shares, key=lambda code: shares[code])
    return best if shares[best] >= _LEAST_SHARE * len(words) else UNKNOWN
