"""The ways in which the music of a triple is heard."""

from typing import Final

VOICE: Final = "voice"
ACCOMPANIED: Final = "accompanied"
SUNG: Final = "sung"
RENDITIONS: Final = (VOICE, ACCOMPANIED, SUNG)
"""The melody by one instrument; with the other parts on a piano; the words, sung."""
