"""Check that a WAV file is as long as its header states; libsndfile silently accepts less."""

from typing import Literal

from models.errors import MediaError

_UNKNOWN_LENGTH = 0xFFFF_FF00  # writers to a pipe leave a value near 2^32


def check_complete(data: bytes) -> None:
    """Walk the chunks up to ``data``.

    Raises:
        MediaError: ``damaged`` when the samples end before the stated length or there are none.
    """
    byte_order: Literal["big", "little"] = "big" if data[:4] == b"RIFX" else "little"
    position = 12
    while position + 8 <= len(data):
        name = data[position : position + 4]
        length = int.from_bytes(data[position + 4 : position + 8], byte_order)
        present = len(data) - position - 8
        if name == b"data":
            if present < length < _UNKNOWN_LENGTH:
                raise MediaError(
                    "damaged",
                    f"expected {length} bytes of WAV samples as the header states, got {present}; "
                    f"the file is cut",
                )
            return
        position += 8 + length + length % 2
    raise MediaError("damaged", "expected a WAV file with a data chunk, got none")
