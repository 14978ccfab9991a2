"""Which accidentals have to be drawn: engravers draw only those that the file writes out."""

import re

_SHARPS = "FCGDAEB"
_NAMES = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


class Accidentals:
    """The state of one bar: what is in force for each line and space.

    Args:
        fifths: Sharps (positive) or flats (negative) of the key signature, -7..7.
    """

    def __init__(self, fifths: int) -> None:
        sharpened = _SHARPS[: max(fifths, 0)]
        flattened = _SHARPS[::-1][: max(-fifths, 0)]
        self._key = dict.fromkeys(sharpened, 1) | dict.fromkeys(flattened, -1)
        self._bar: dict[tuple[str, int], int] = {}

    @classmethod
    def of_key(cls, key: str) -> "Accidentals":
        """Start a bar under a MusicXML ``<key>``; a key without ``<fifths>`` counts as none."""
        found = re.search(r"<fifths>\s*(-?\d+)", key)
        return cls(int(found.group(1)) if found else 0)

    def needed(self, step: str, octave: int, alter: int, *, tied: bool = False) -> str | None:
        """Return the MusicXML name of the accidental this note needs, and remember it.

        Args:
            step: C to B.
            octave: 4 is the one of middle C.
            alter: Semitones from the natural step, -2..2.
            tied: Held over from before, so that nothing is drawn.
        """
        in_force = self._bar.get((step, octave), self._key.get(step, 0))
        if tied or alter == in_force:
            return None
        self._bar[step, octave] = alter
        return _NAMES.get(alter)
