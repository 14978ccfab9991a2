"""Conditions: from a ``Filter`` to SQL, and what comes back as an array."""

import operator
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Executable, Select, select

from models.types import Int64Array
from service.catalog.records import Filter, Range, metadata_text
from service.catalog.tables import FactRow, ItemRow, TagRow, fold

# Old SQLite libraries take 999 values in one statement.
CHUNK = 900
CREATED_AT = "created_at"

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}

T = TypeVar("T")


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut values into runs that fit one SQL statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def integers(engine: Engine, query: Select[int]) -> Int64Array:
    """Return the one column of a query, shape (N,), without a Python object for every row kept."""
    with engine.connect() as connection:
        return np.fromiter(chain.from_iterable(raw_cursor(connection, query)), np.int64)


def raw_cursor(connection: Connection, query: Executable) -> Any:
    """Run a query and return the driver's own cursor, which makes a plain tuple of each row."""
    cursor = connection.execute(query).cursor
    assert cursor is not None  # noqa: S101  # a SELECT has one
    return cursor


def conditions(chosen: Filter) -> list[ColumnElement[bool]]:
    """Return what rows of ``items`` must fulfil."""
    wanted: list[ColumnElement[bool]] = []
    if chosen.modality is not None:
        wanted.append(ItemRow.modality == chosen.modality.value)
    if chosen.work_id is not None:
        wanted.append(ItemRow.work_id == chosen.work_id)
    if chosen.label is not None:
        wanted.append(ItemRow.label == chosen.label)
    if chosen.title is not None:
        wanted.append(ItemRow.title_folded.contains(fold(chosen.title), autoescape=True))
    for key, value in chosen.metadata.items():
        having = select(FactRow.item_number).where(
            FactRow.key == key, FactRow.value == metadata_text(value)
        )
        wanted.append(ItemRow.number.in_(having))
    for tag in chosen.tags:
        tagged = select(TagRow.item_number).where(TagRow.tag == tag)
        wanted.append(ItemRow.number.in_(tagged))
    return wanted + list(_range_conditions(chosen.ranges))


def _range_conditions(ranges: Sequence[Range]) -> Iterator[ColumnElement[bool]]:
    """Both bounds of a key go into one question, so that the database reads what lies between."""
    numbers: dict[str, list[Any]] = {}
    moments: dict[str, list[Any]] = {}
    for one in ranges:
        compare = _COMPARE[one.comparison]
        if not isinstance(one.bound, datetime):
            numbers.setdefault(one.key, []).append(compare(FactRow.number, one.bound))
        elif one.key == CREATED_AT:
            yield compare(ItemRow.created_at, one.bound)
        else:
            bound = one.bound.timestamp()
            moments.setdefault(one.key, []).append(compare(FactRow.moment, bound))
    for key, within in [*numbers.items(), *moments.items()]:
        having = select(FactRow.item_number).where(FactRow.key == key, *within)
        yield ItemRow.number.in_(having)
