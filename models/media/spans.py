"""Cut a length into equal spans."""


def spans(total: int, length: int, hop: int) -> list[tuple[int, int]]:
    """Return (start, end) of spans that cover 0 .. ``total``; the last one ends there.

    Args:
        total: What to cover.
        length: Of each span; a shorter total is one span.
        hop: From one start to the next, at most ``length``.

    Example:
        >>> spans(10, 4, 4)
        [(0, 4), (4, 8), (6, 10)]
    """
    if total <= length:
        return [(0, total)]
    starts = [*range(0, total - length, hop), total - length]
    return [(start, start + length) for start in starts]
