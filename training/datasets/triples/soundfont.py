"""Plays notes through a soundfont by the FluidSynth library."""

import ctypes
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np

from models.errors import DataError
from models.types import Float32Array

SAMPLE_RATE_HZ: Final = 16_000
SOUNDFONT_VARIABLE: Final = "KYOMEI_SOUNDFONT"
INSTALL: Final = "apt install fluidsynth fluid-soundfont-gm; pip install 'kyomei[songs]'"
_FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/soundfonts"))
_VOICES: Final = 128
_BLOCK: Final = 64  # samples that FluidSynth computes at a time
_NAMES = ("FluidR3_GM.sf2", "TimGM6mb.sf2", "default-GM.sf2")


class TimedNote(NamedTuple):
    """One note to play.

    Attributes:
        onset: Seconds.
        end: Seconds, after the onset.
        pitch: MIDI pitch.
        velocity: 1..127.
    """

    onset: float
    end: float
    pitch: int
    velocity: int


def find_soundfont(named: Path | None = None) -> Path:
    """Return the soundfont to use: the named one, ``KYOMEI_SOUNDFONT``, or an installed one.

    Raises:
        DataError: If there is none.
    """
    variable = os.environ.get(SOUNDFONT_VARIABLE)
    if named is None and variable:
        named = Path(variable)
    if named is not None:
        if not named.is_file():
            raise DataError(f"expected a soundfont (.sf2), {named} is no file")
        return named
    for path in (folder / name for name in _NAMES for folder in _FOLDERS):
        if path.is_file():
            return path
    raise DataError(f"found no soundfont: {INSTALL}, or name a General MIDI .sf2 by --soundfont")


class SoundfontPlayer:
    """A synthesiser with one soundfont, without reverberation and chorus.

    The same notes give the same sound, whatever was played before: to the bit with the soundfont
    FluidR3, to a hundredth of a 16-bit step with others.

    Args:
        soundfont: An ``.sf2`` file.

    Raises:
        DataError: If the library is missing or the file cannot be read.
    """

    def __init__(self, soundfont: Path) -> None:
        self._library = _fluidsynth()
        self._synth = self._library.Synth(samplerate=float(SAMPLE_RATE_HZ), gain=0.4)
        for setting in ("synth.reverb.active", "synth.chorus.active"):
            self._synth.setting(setting, 0)
        self._synth.setting("synth.polyphony", _VOICES)
        self._synth.setting("synth.dynamic-sample-loading", 1)
        self._font = self._synth.sfload(str(soundfont))
        if self._font < 0:
            self.close()
            raise DataError(f"expected a soundfont (.sf2), {soundfont} cannot be read")
        # The first sound of each of its voices begins a fraction of a sample off: nobody hears it.
        self.play(
            [TimedNote(0.0, 0.1, pitch, 1) for pitch in range(32, 96)], program=0, seconds=0.2
        )

    def play(self, notes: Sequence[TimedNote], *, program: int, seconds: float) -> Float32Array:
        """Play notes with one instrument.

        Args:
            notes: In any order.
            program: General MIDI program, 0..127.
            seconds: Length; what would ring longer is cut.

        Returns:
            Mono samples, shape (T,), not scaled.
        """
        self._synth.system_reset()
        self._synth.program_select(0, self._font, 0, program)
        total = round(seconds * SAMPLE_RATE_HZ)
        pieces, now = [], 0
        for place, pitch, velocity in _events(notes):
            place = min(place, total)
            if place > now:
                pieces.append(self._samples(place - now))
                now = place
            if velocity and place < total:
                self._synth.noteon(0, pitch, velocity)
            else:
                self._synth.noteoff(0, pitch)
        if total > now:
            pieces.append(self._samples(total - now))
        self._synth.all_sounds_off(0)  # what rings on must not be heard in the next one
        self._samples(-total % _BLOCK + 2 * _BLOCK)  # nor begin within a block
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def close(self) -> None:
        """Free the synthesiser."""
        self._synth.delete()

    def __enter__(self) -> Self:
        """Open for a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the synthesiser."""
        self.close()

    def _samples(self, count: int) -> Float32Array:
        """Synthesise the next samples in floating point: 16-bit output would be dithered."""
        both = np.zeros((2, count), np.float32)
        left, right = (row.ctypes.data_as(ctypes.c_void_p) for row in both)
        write = self._library._fl.fluid_synth_write_float
        write(self._synth.synth, ctypes.c_int(count), left, 0, 1, right, 0, 1)
        return both.mean(axis=0)


def _events(notes: Sequence[TimedNote]) -> Iterator[tuple[int, int, int]]:
    """Yield (sample, pitch, velocity) in time order, ends (velocity 0) before onsets."""
    events = []
    for note in notes:
        first, last = round(note.onset * SAMPLE_RATE_HZ), round(note.end * SAMPLE_RATE_HZ)
        events.append((first, 1, note.pitch, note.velocity))
        events.append((max(last, first + 1), 0, note.pitch, 0))
    for place, _, pitch, velocity in sorted(events):
        yield place, pitch, velocity


def _fluidsynth() -> Any:
    try:
        import fluidsynth  # loads the shared library
    except ImportError as error:
        raise DataError(f"playing through a soundfont needs FluidSynth: {INSTALL}") from error
    fluidsynth._fl.fluid_synth_write_float.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int,
    ]
    return fluidsynth
