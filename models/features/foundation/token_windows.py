"""The front end of sentence encoders: words as the numbers of their tokens, in windows."""

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from models.errors import ArtefactError, DataError
from models.features.foundation.checkpoints import INSTALL, TOKENIZER, CheckpointFolder
from models.types import Int32Array

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING = -1
MAX_LINES = 256


class TokenWindows:
    """Cuts a text into windows that the network can read at once, so that nothing is lost.

    Args:
        found: The checkpoint with ``tokenizer.json``.
        size: Tokens of a window, the first and last mark included.
    """

    def __init__(self, found: CheckpointFolder, size: int) -> None:
        self._found = found
        self._size = size

    def whole(self, text: str) -> Int32Array:
        """Return windows of nearly equal length over the whole text, shape (P, size)."""
        tokens = self._tokens(text)
        count = max(1, -(-len(tokens) // (self._size - 2)))
        return np.stack([self._window(part.tolist()) for part in np.array_split(tokens, count)])

    def lines(self, text: str) -> Int32Array:
        """Return a window for each line that is not blank, shape (T, size).

        Only what fits a window of a line counts. Above ``MAX_LINES``, neighbours are joined.
        """
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        count = min(len(lines), MAX_LINES)
        ends = np.arange(count + 1) * len(lines) // count
        parts = [" ".join(lines[a:b]) for a, b in pairwise(ends)]
        return np.stack([self._window(self._tokens(p)[: self._size - 2].tolist()) for p in parts])

    def _tokens(self, text: str) -> Int32Array:
        plain = " ".join(text.split())
        return np.array(self._tokenizer.encode(plain, add_special_tokens=False).ids, dtype=np.int32)

    def _window(self, tokens: list[int]) -> Int32Array:
        first, last = self._marks
        row = [first, *tokens, last]
        return np.array(row + [PADDING] * (self._size - len(row)), dtype=np.int32)

    @cached_property
    def _marks(self) -> tuple[int, int]:
        """Numbers of the marks at the begin and end of a text."""
        marks = self._tokenizer.encode("", add_special_tokens=True).ids
        if len(marks) != 2:
            raise ArtefactError(
                f"{self._found.folder / TOKENIZER}: expected a mark before and after a text, "
                f"found {marks}"
            )
        return marks[0], marks[1]

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise DataError(f"expected the package tokenizers, found none; {INSTALL}") from error
        tokenizer = Tokenizer.from_buffer(self._found.read(TOKENIZER))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer
