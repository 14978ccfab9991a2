"""The parameter ``filter``: ``label:rain``, ``tag:live``, ``tempo>=100``, ``made<2020-05-17``."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, get_args

from fastapi import Query

from service.catalog.moments import is_date, parse_moment
from service.catalog.records import Comparison, Filter, Range
from service.errors import ProblemError

_PART = re.compile(r"(?P<key>[^:<>]+)(?P<sign>:|[<>]=?)(?P<value>.*)", re.DOTALL)
_ONLY_EQUAL = frozenset({"label", "title", "work_id", "tag"})
_CREATED_AT = "created_at"
_ONE_DAY = timedelta(days=1)

FilterTexts = Annotated[
    list[str],
    Query(
        default_factory=list,
        alias="filter",
        max_length=16,
        description="`key:value`, or `key>=value` (also `>`, `<=`, `<`) for numbers and dates; may "
        "be repeated, every one must hold. Keys: `label`, `work_id`, `title` (part of it), `tag` "
        "(may be repeated), `created_at` (a date), or any metadata key.",
        examples=[["label:rain", "tempo>=100"]],
    ),
]


@dataclass(slots=True)
class _Parts:
    """What was read of a filter so far."""

    values: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)


def parse_filter(texts: Sequence[str]) -> Filter:
    """Read the texts of a filter.

    Raises:
        ProblemError: ``invalid-request`` for a text that is no condition, or one given twice.

    Example:
        >>> parse_filter(["label:rain", "tempo:120"]).metadata
        {'tempo': '120'}
        >>> parse_filter(["tempo>=100"]).ranges
        (Range(key='tempo', comparison='>=', bound=100.0),)
    """
    parts = _Parts()
    for text in texts:
        match = _PART.fullmatch(text)
        if match is None:
            raise _refusal(f"expected key:value or key>=value, got {text[:80]!r}")
        key, sign, value = match.group("key", "sign", "value")
        if sign != ":":
            _add_range(parts, key, sign, value)
        elif key == _CREATED_AT:
            _add_range(parts, key, ">=", value)
            _add_range(parts, key, "<=", value)
        elif key == "tag":
            parts.tags.append(value)
        elif key in parts.values:
            raise _refusal(f"the key {key[:80]!r} was given twice")
        else:
            parts.values[key] = value
    return Filter(
        label=parts.values.pop("label", None),
        work_id=parts.values.pop("work_id", None),
        title=parts.values.pop("title", None),
        metadata=parts.values,
        tags=tuple(parts.tags),
        ranges=tuple(parts.ranges),
    )


def _add_range(parts: _Parts, key: str, sign: str, value: str) -> None:
    if key.endswith("="):
        raise _refusal(f"expected {sign}= and not ={sign} in {key[:80]}{sign}{value[:80]}")
    if key in _ONLY_EQUAL:
        raise _refusal(f"{key} is compared with `:` only, got {key}{sign}{value[:80]}")
    if any(one.key == key and one.comparison[0] == sign[0] for one in parts.ranges):
        raise _refusal(f"the bound {key[:80]}{sign} was given twice")
    comparison: Comparison = next(one for one in get_args(Comparison) if one == sign)
    moment = parse_moment(value)
    if moment is not None:
        parts.ranges.append(_moment_range(key, comparison, moment, whole_day=is_date(value)))
        return
    number = _number(value)
    if number is None or key == _CREATED_AT:
        expected = "a date" if key == _CREATED_AT else "a number or a date"
        raise _refusal(
            f"{key[:80]}{sign}: expected {expected} such as 2026-11-25, got {value[:80]!r}"
        )
    parts.ranges.append(Range(key, comparison, number))


def _moment_range(key: str, comparison: Comparison, moment: datetime, *, whole_day: bool) -> Range:
    """A day ends where the next one begins: ``<=`` takes all of it in, ``>`` none of it."""
    try:
        if whole_day and comparison == "<=":
            return Range(key, "<", moment + _ONE_DAY)
        if whole_day and comparison == ">":
            return Range(key, ">=", moment + _ONE_DAY)
    except OverflowError:
        raise _refusal(f"{key[:80]}: expected a date before 9999-12-31") from None
    return Range(key, comparison, moment)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _refusal(what: str) -> ProblemError:
    return ProblemError("invalid-request", f"filter: {what}")
