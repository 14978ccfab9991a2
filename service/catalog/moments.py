"""Dates in metadata: which texts are one, and which moment each stands for."""

import re
from datetime import UTC, datetime

_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?"
)
_DATE_LENGTH = len("2026-11-25")


def parse_moment(text: str) -> datetime | None:
    """Return the moment that an ISO 8601 date or time stands for; None for any other text.

    A date stands for its first moment; without an offset, UTC is meant.

    Example:
        >>> parse_moment("2026-11-25T18:00+01:00").isoformat()
        '2026-11-25T17:00:00+00:00'
        >>> parse_moment("soon") is None
        True
    """
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_date(text: str) -> bool:
    """Tell whether a text that ``parse_moment`` reads is a whole day."""
    return len(text) == _DATE_LENGTH
