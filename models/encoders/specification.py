"""The plain-JSON description an encoder is rebuilt from, and its checks."""

from collections.abc import Mapping
from typing import Any

from models.errors import ShapeError

Specification = Mapping[str, Any]


def value(specification: Specification, key: str, kind: type) -> Any:
    """Read one entry of a specification.

    Raises:
        ShapeError: If it is missing or of another type.
    """
    found = specification.get(key)
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise _unexpected(specification, key, kind.__name__)
    return found


def size(specification: Specification, key: str) -> int:
    """Read a whole number of at least 1.

    Raises:
        ShapeError: If it is missing or anything else.
    """
    found: int = value(specification, key, int)
    if found < 1:
        raise _unexpected(specification, key, "a whole number of at least 1")
    return found


def sizes(specification: Specification, key: str) -> list[int]:
    """Read a list of at least two whole numbers of at least 1.

    Raises:
        ShapeError: If it is missing or anything else.
    """
    found: list[Any] = value(specification, key, list)
    if len(found) < 2 or not all(type(one) is int and one >= 1 for one in found):
        raise _unexpected(specification, key, "two or more whole numbers of at least 1")
    return found


def share(specification: Specification, key: str) -> float:
    """Read a share in [0, 1), such as a rate of dropout.

    Raises:
        ShapeError: If it is missing or anything else.
    """
    found: float = value(specification, key, float)
    if not 0.0 <= found < 1.0:
        raise _unexpected(specification, key, "a share in [0, 1)")
    return found


def _unexpected(specification: Specification, key: str, wanted: str) -> ShapeError:
    kind, found = specification.get("kind"), specification.get(key)
    return ShapeError(f"expected {wanted} for {key!r} of a {kind} encoder, got {found!r}")
