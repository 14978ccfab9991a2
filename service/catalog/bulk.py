"""Thousands of rows at once, past the conversions that SQLAlchemy makes for each value."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from service.catalog.tables import Base

_MARKS = {"qmark": "?", "format": "%s", "pyformat": "%s"}


def insert_rows(
    connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows whose values the driver takes as they are (see ``service.catalog.rows``).

    Args:
        connection: In a transaction.
        table: Where to.
        rows: At least two columns each, all the same ones.
    """
    if not rows:
        return
    names = list(rows[0])
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    marks = ", ".join([_MARKS[connection.dialect.paramstyle]] * len(names))
    statement = f"INSERT INTO {quote(table.__tablename__)} ({columns}) VALUES ({marks})"  # noqa: S608  # names of our own tables
    values_of = itemgetter(*names)
    connection.exec_driver_sql(statement, [values_of(row) for row in rows])
