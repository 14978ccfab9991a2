"""File names as text that can be stored, sent and printed, also where their bytes are no UTF-8."""

import hashlib
import os

_HASH_DIGITS = 8


def printable_name(name: str) -> str:
    r"""Return a name with U+FFFD in place of each byte that is not UTF-8.

    Python holds such bytes as lone surrogates, which neither a database nor a terminal takes.

    Args:
        name: A file name or path, as the operating system gave it.

    Example:
        >>> printable_name("caf\udce9") == "caf\ufffd"
        True
    """
    return os.fsencode(name).decode("utf-8", "replace")


def distinct_name(name: str) -> str:
    r"""Return ``printable_name``, with a hash of the raw bytes where they are not UTF-8.

    Two such names may look alike when printed; the hash keeps them apart, the same in every run.

    Args:
        name: A file name or path, as the operating system gave it.

    Example:
        >>> distinct_name("rain"), distinct_name("\udcff") == "\ufffd~a8100ae6"
        ('rain', True)
    """
    printed = printable_name(name)
    if printed == name:
        return name
    return f"{printed}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:_HASH_DIGITS]}"
