"""German and French spelling to phones of an American voice, by short tables of rules.

Not a pronouncing dictionary: the nearest sounds that an English voice has, so that other spellings
sound different and the vowel of every syllable is heard. The rules are read from the top at each
place of a word; the first that matches there is taken. ``#`` is an end of the word, ``-`` a border
between syllables.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from training.datasets.triples.sung_segments import VOWELS

Rules = tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
_LONGEST_SYLLABLE = 24  # letters
_IF_MUTE = "?"  # before a vowel that is sung only where its syllable has no other


def _rules(table: str) -> Rules:
    """Read lines of ``pattern = phones``, where ``_`` is silence."""
    lines = (line.split(" = ") for line in table.strip().splitlines())
    return tuple(
        (re.compile(pattern), tuple(phones.replace("_", "").split())) for pattern, phones in lines
    )


_GERMAN: Final = _rules(r"""
tsch = ch
sch = sh
chs = k s
(?<=[aou])ch = k
(?<=[aou]-)ch = k
(?<=#)ch(?=[ralo]) = k
ch = sh
c?k = k
qu = k v
ph = f
th = t
(?<=[#-])sp = sh p
(?<=[#-])st = sh t
(?<=[#-])s(?=[aeiouäöüy]) = z
t?z = t s
ig(?=#) = ih sh
b(?=[#-]|s?t) = p
d(?=[#-]|s?t) = t
ng = ng
nk = ng k
g(?=[#-]|s?t) = k
([bdfgklmnprst])(?=\1) = _
äu|eu = oy
ei|ai|ey|ay = ay
ie = iy
au = aw
ee|eh = ey
aa|ah = aa
oo|oh = ow
uh = uw
ih = iy
äh?|ae = eh
öh?|oe = er
üh?|ue = y uw
er(?=[#-]) = er
e(?=#) = ax
e(?=-) = ey
e = eh
i(?=[#-]) = iy
i = ih
o(?=[#-]) = ow
o = ao
u(?=[#-]) = uw
u = uh
a = aa
y = y uw
(?<=[#-])h = hh
h = _
j = y
v = f
w = v
x = k s
[cq] = k
ß = s
([bdfglmnprst]) = \1
""")

_FRENCH: Final = _rules(r"""
(?<=[aeiouéèê])[tdspxz]+(?=#) = _
(?<=[nrlt])[tdspxz]+(?=#) = _
eaux?|au = ow
oin(?![aeiouyéèê]) = w ae n
o[iîy] = w aa
o[uùû] = uw
[oœ]?eu|œu?|[oœ]e = er
ien(?!-?[aeiouyéèênm]) = y ae n
(?:[ae]i|[iuy])[nm](?!-?[aeiouyéèêîœnmh]) = ae n
[ae][nm](?!-?[aeiouyéèêîœnmh]) = ao n
o[nm](?!-?[aeiouyéèêîœnmh]) = ow n
(?:(?<=[ae])|(?<=[eœ]u))il(?=[#l-]) = y
(?<=[aeu]i)ll = y
ill = iy y
[ae][iî](?!l) = eh
e[rz](?=#) = ey
é = ey
[èêë] = eh
(?:es|ent|e)(?=#) = ?ax
e(?=-) = ax
e = eh
gn = n y
ch = sh
ph = f
th = t
qu? = k
gu(?=[eéèêi]) = g
ge(?=[aou]) = zh
g(?=[eéèêiîy]) = zh
c(?=[eéèêiîy]) = s
ç = s
([bcdfgklmnprst])(?=\1) = _
c = k
j = zh
(?<=[aeiouyéèêàâîô])s(?=[aeiouyéèêàâîô]) = z
(?<=[aeiouyéèêàâîô]-)s(?=[aeiouyéèêàâîô]) = z
x = k s
h = _
[iy](?=[aeouéèêàâô]) = y
[iîïy] = iy
[uûùü] = y uw
[aàâ] = aa
[oô](?=[#-]|s) = ow
[oô] = ao
w = v
([bdfgklmnprstvz]) = \1
""")

SPELLINGS: Final[Mapping[str, Rules]] = MappingProxyType({"de": _GERMAN, "fr": _FRENCH})


def letter_sounds(syllables: Sequence[str], rules: Rules) -> list[tuple[str, ...]]:
    """Return the phones of each syllable of one word; a syllable of no known letter has none.

    >>> letter_sounds(["Schö", "ne"], SPELLINGS["de"])
    [('sh', 'er'), ('n', 'ax')]
    >>> letter_sounds(["chan", "ter"], SPELLINGS["fr"])
    [('sh', 'ao', 'n'), ('t', 'ey')]
    """
    text = f"#{'-'.join(_letters(syllable) for syllable in syllables)}#"
    phones: list[list[str]] = [[]]
    place = 1
    while place < len(text) - 1:
        if text[place] == "-":
            phones.append([])
            place += 1
            continue
        length, sounds = _sound_at(text, place, rules)
        phones[-1].extend(_heard(sounds, phones[-1]))
        place += length
    return [tuple(one) for one in phones]


def _sound_at(text: str, place: int, rules: Rules) -> tuple[int, tuple[str, ...]]:
    """Return how many letters the first matching rule takes and what they sound like."""
    for pattern, sounds in rules:
        if match := pattern.match(text, place):
            return len(match.group()), tuple(match.expand(sound) for sound in sounds)
    return 1, ()


def _heard(sounds: Sequence[str], before: Sequence[str]) -> list[str]:
    """Drop a mute vowel where the syllable has another."""
    if any(phone in VOWELS for phone in before):
        return [sound for sound in sounds if not sound.startswith(_IF_MUTE)]
    return [sound.removeprefix(_IF_MUTE) for sound in sounds]


def _letters(syllable: str) -> str:
    text = unicodedata.normalize("NFC", syllable.lower())
    return "".join(letter for letter in text if letter.isalpha())[:_LONGEST_SYLLABLE]
