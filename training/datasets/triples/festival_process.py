"""One Festival process that stays open: Scheme in, text out, with a time limit."""

import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from models.errors import DataError

HOW_TO_INSTALL: Final = "`apt install festival festvox-kallpc16k`"
_START: Final = """
(if (assoc 'kal_diphone voice-locations)
  (begin (voice_kal_diphone) (set! after_synth_hooks nil) (format t "voice kal\\n")))
"""
_SYLLABLE: Final = re.compile(r"\(\(([a-z ]+)\) \d\)")
_READ_BYTES = 65_536
_SONGS_PER_SWEEP = 20  # Festival sweeps by itself only after gigabytes of sound
_START_SECONDS = 60.0


class FestivalError(Exception):
    """Festival died, hung or gave no sound; a new process may do better."""


def find_festival() -> str:
    """Return the path of the program.

    Raises:
        DataError: If it is not installed.
    """
    found = shutil.which("festival")
    if found is None:
        raise DataError(f"festival: expected the program to sing, found none; {HOW_TO_INSTALL}")
    return found


class FestivalProcess:
    """Festival with the voice kal_diphone.

    Args:
        timeout_seconds: How long one request may take before the process is ended.

    Raises:
        DataError: If Festival or its voice is not installed.
    """

    def __init__(self, *, timeout_seconds: float) -> None:
        program = find_festival()
        self._timeout = _START_SECONDS
        self._n_asked = self._n_songs = 0
        self._folder = tempfile.TemporaryDirectory(prefix="kyomei-festival-")
        self._process = subprocess.Popen(  # noqa: S603, no shell, a program of the system
            [program, "--pipe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._folder.name, "LC_ALL": "C"},
        )
        try:
            answer = self.ask(_START)
        except FestivalError:
            answer = ""
        self._timeout = timeout_seconds
        if "voice kal" not in answer:
            self.close()
            raise DataError(
                f"festival: expected the voice kal_diphone, found none; {HOW_TO_INSTALL}"
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def close(self) -> None:
        """End the process and remove its files; may be called again."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what it did not read any more
                    continue
        self._process.wait()
        self._folder.cleanup()

    def look_up(self, word: str) -> tuple[tuple[str, ...], ...]:
        """Return the phones of each syllable, by dictionary or letter-to-sound rules.

        Args:
            word: Letters a to z and apostrophes only.
        """
        answer = self.ask(f'(format t "%l\\n" (lex.lookup "{word}" nil))')
        return tuple(tuple(one.split()) for one in _SYLLABLE.findall(answer))

    def synthesise(self, segments: str) -> bytes:
        """Return 16-bit samples at 16 kHz of the items of a ``Segments`` utterance.

        Raises:
            FestivalError: If it dies, hangs or writes nothing.
        """
        path = Path(self._folder.name) / "song.raw"
        path.unlink(missing_ok=True)
        sweep = "" if self._n_songs % _SONGS_PER_SWEEP else "\n(gc)"
        self._n_songs += 1
        self.ask(
            f"(set! song (Utterance Segments ({segments})))\n(utt.synth song)\n"
            f'(utt.save.wave song "{path}" \'raw)\n(set! song nil){sweep}'
        )
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise FestivalError("it wrote no sound") from error

    def ask(self, scheme: str) -> str:
        """Evaluate expressions and return what they print.

        Raises:
            FestivalError: If it dies or does not answer in time.
        """
        self._n_asked += 1
        marker = f"kyomei {self._n_asked} done"
        question = f'{scheme}\n(format t "\\n{marker}\\n")\n(fflush nil)\n'
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101, a pipe was asked for
        try:
            stdin.write(question.encode("ascii"))
            stdin.flush()
        except BrokenPipeError as error:
            raise FestivalError("it has ended") from error
        return self._read_until(marker.encode("ascii"))

    def _read_until(self, marker: bytes) -> str:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101, a pipe was asked for
        end = time.monotonic() + self._timeout
        answer = b""
        while marker not in answer:
            ready, _, _ = select.select([stdout], [], [], max(end - time.monotonic(), 0.0))
            if not ready:
                raise FestivalError(f"it gave no answer in {self._timeout:g} s")
            read = os.read(stdout.fileno(), _READ_BYTES)
            if not read:
                raise FestivalError("it has ended")
            answer += read
        return answer.split(marker, 1)[0].decode("ascii", errors="replace")
