"""Opening the database: connection settings, schema version, errors in plain words."""

import errno
import hashlib
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError
from sqlalchemy.orm import Session

from models.errors import ArtefactError
from service.catalog.tables import Base, InfoRow

SCHEMA_VERSION = 3
MIGRATED_VERSIONS = (1, 2)
_BUSY_TIMEOUT_MS = 10_000
_POSTGRESQL_DISK_FULL = "53100"


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def is_server(url: str | None) -> bool:
    """Whether a database is one that several processes on several machines may use."""
    return url is not None and not url.startswith("sqlite")


@contextmanager
def held_alone(engine: Engine, name: str) -> Iterator[None]:
    """Wait until no other process holds this name, and hold it; nothing to do for SQLite.

    PostgreSQL lets go of it when the connection ends, also by the death of its process.
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.begin() as connection:
        _hold(connection, name)
        yield


def _hold(connection: Connection, name: str) -> None:
    """Take an advisory lock of PostgreSQL until the end of the transaction."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def open_database(url: str) -> tuple[Engine, str]:
    """Connect, make the tables if there are none, and check their version.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:///data/catalog.sqlite3``.

    Returns:
        The engine, and the id of the collection that the catalog belongs to, 32 hex digits.

    Raises:
        ArtefactError: When the database cannot be reached, is damaged or of another version.
    """
    engine = connect(url)
    with plain_errors(engine):
        return engine, _open_schema(engine)


def connect(url: str) -> Engine:
    """Make an engine, with SQLite set up to survive power cuts; nothing is read yet.

    Raises:
        ArtefactError: When the URL is none or its driver is missing.
    """
    try:
        # Before a connection is used again it is asked whether the server is still there.
        engine = create_engine(make_url(url), pool_pre_ping=is_server(url))
    except (ArgumentError, ImportError) as error:
        # The URL itself stays out of the message: it may hold a password.
        raise ArtefactError(
            f"KYOMEI_DATABASE_URL: expected a URL such as sqlite:///PATH or "
            f"postgresql+psycopg://USER:PASSWORD@HOST/NAME with its driver installed, got: {error}"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    else:
        event.listen(engine, "handle_error", _explain_loss)
    return engine


def _explain_loss(context: ExceptionContext) -> None:
    """Say in plain words that a server does not answer or refuses us.

    Raises:
        ArtefactError: Instead of the driver's error; without the password.
    """
    if context.is_pre_ping:  # it connects anew
        return
    if context.is_disconnect or context.connection is None:
        url = None if context.engine is None else context.engine.url
        told = " ".join(str(context.original_exception).split())
        raise ArtefactError(
            f"KYOMEI_DATABASE_URL: expected a database that answers at {url}, got: {told}"
        ) from context.original_exception


@contextmanager
def plain_errors(engine: Engine) -> Iterator[None]:
    """Say in plain words what is wrong with a database, and let go of it then.

    Raises:
        ArtefactError: When it cannot be reached or is damaged.
    """
    try:
        yield
    except DatabaseError as error:
        engine.dispose()
        if is_full(error.orig):
            raise OSError(errno.ENOSPC, f"the database is full: {error.orig}") from error
        raise ArtefactError(
            f"expected a Kyomei catalog at {engine.url}, got: {error.orig}; "
            "restore it from a backup or choose another data folder"
        ) from error
    except BaseException:
        engine.dispose()
        raise


def _set_up_sqlite(connection: Any, record: object) -> None:
    """Readers beside a writer (WAL), patience, foreign keys, commits that survive power cuts."""
    del record
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _open_schema(engine: Engine) -> str:
    with Session(engine) as session, session.begin():
        found = stored_version(session.connection())
        if found is None:
            begin(session.connection())
            found = stored_version(session.connection())  # another process may have made it
        if found is None:
            Base.metadata.create_all(session.connection())
            made = InfoRow(row=1, version=SCHEMA_VERSION, collection_id=uuid.uuid4().hex)
            session.add(made)
            return made.collection_id
        if found != SCHEMA_VERSION:
            raise ArtefactError(other_version(str(engine.url), found))
        return session.scalars(select(InfoRow.collection_id).where(InfoRow.row == 1)).one()


def stored_version(connection: Connection) -> int | None:
    """Return the schema version of a database, None when it holds no catalog."""
    if not inspect(connection).has_table(InfoRow.__tablename__):
        return None
    return connection.scalar(select(InfoRow.version).where(InfoRow.row == 1))


def begin(connection: Connection) -> None:
    """Make what follows one transaction, tables too: SQLite's driver begins only at an INSERT."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        _hold(connection, "kyomei tables")


def other_version(place: str, found: int) -> str:
    """Say that a catalog has another schema version, and what to do."""
    if found in MIGRATED_VERSIONS:
        repair = "bring it up to date with `kyomei migrate --data FOLDER`, which keeps a copy"
    else:
        age = "newer" if found > SCHEMA_VERSION else "older"
        repair = (
            f"open it with the {age} Kyomei that wrote it, or build a new collection with "
            "`kyomei index FOLDER --data NEW_FOLDER`"
        )
    return (
        f"the catalog at {place} has schema version {found}, this Kyomei reads version "
        f"{SCHEMA_VERSION}: {repair}"
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One unit of work: committed at the end, rolled back on any error.

    Raises:
        OSError: With ``ENOSPC`` when the disk or the database is full.
    """
    try:
        with Session(engine) as session, session.begin():
            yield session
    except DBAPIError as error:
        if not is_full(error.orig):
            raise
        raise OSError(errno.ENOSPC, f"the database is full: {error.orig}") from error


def is_full(error: object) -> bool:
    """Tell whether a driver's error means that there is no space left."""
    return (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(error, "sqlstate", None) == _POSTGRESQL_DISK_FULL
    )
