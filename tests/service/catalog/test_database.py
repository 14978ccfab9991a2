import errno
import sqlite3

import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from models.errors import ArtefactError
from service.catalog.database import SCHEMA_VERSION, open_database, sqlite_url, transaction
from service.catalog.queries import conditions
from service.catalog.records import Filter
from service.catalog.tables import Base, InfoRow


@pytest.fixture
def url(tmp_path):
    return sqlite_url(tmp_path / "catalog.sqlite3")


def opened_and_closed(url):
    engine, collection_id = open_database(url)
    engine.dispose()
    return collection_id


def test_the_collection_id_stays_and_differs_between_catalogs(url, tmp_path):
    first = opened_and_closed(url)
    assert opened_and_closed(url) == first
    assert opened_and_closed(sqlite_url(tmp_path / "other.sqlite3")) != first


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_sqlite_is_set_up_on_every_connection(url, pragma, expected):
    engine, _ = open_database(url)
    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            assert connection.scalar(text(f"PRAGMA {pragma}")) == expected
    engine.dispose()


@pytest.mark.parametrize(("version", "age"), [(SCHEMA_VERSION + 1, "newer"), (0, "older")])
def test_another_schema_version_is_refused_with_both_versions(url, tmp_path, version, age):
    opened_and_closed(url)
    connection = sqlite3.connect(tmp_path / "catalog.sqlite3")
    connection.execute("UPDATE catalog_info SET version = ?", (version,))
    connection.commit()
    connection.close()
    pattern = f"schema version {version}.*reads version {SCHEMA_VERSION}.*{age} Kyomei"
    with pytest.raises(ArtefactError, match=pattern):
        open_database(url)


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path):
    path = tmp_path / "catalog.sqlite3"
    path.write_bytes(b"this is a diary, not a database" * 99)
    with pytest.raises(ArtefactError, match=r"catalog\.sqlite3.*not a database"):
        open_database(sqlite_url(path))


def test_a_folder_that_is_not_there_is_an_artefact_error(tmp_path):
    with pytest.raises(ArtefactError, match="unable to open"):
        open_database(sqlite_url(tmp_path / "nowhere" / "catalog.sqlite3"))


@pytest.mark.parametrize("url", ["nonsense", "nosuchdb://u:secret@h/x", "sqlite+nodriver:///x"])
def test_a_url_that_cannot_work_is_refused_by_its_setting_without_the_password(url):
    with pytest.raises(ArtefactError, match="KYOMEI_DATABASE_URL") as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_creation_that_was_cut_short_is_finished(url):
    engine, _ = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE embeddings"))
        connection.execute(text("DELETE FROM catalog_info"))
    engine.dispose()
    engine, _ = open_database(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM embeddings")) == 0
    engine.dispose()


def test_a_full_database_is_reported_as_no_space_and_nothing_is_stored(url):
    engine, _ = open_database(url)

    @event.listens_for(engine, "checkout")
    def stay_small(connection, record, proxy):
        connection.execute("PRAGMA max_page_count = 1")  # SQLite: not below the present size

    rows = [InfoRow(row=row, version=1, collection_id="x" * 32) for row in range(2, 10_000)]
    with pytest.raises(OSError, match="database is full") as caught, transaction(engine) as session:
        session.add_all(rows)
    assert caught.value.errno == errno.ENOSPC
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM catalog_info")) == 1
    engine.dispose()


def test_other_database_errors_pass_through(url):
    engine, _ = open_database(url)
    with pytest.raises(DBAPIError, match="no such table"), transaction(engine) as session:
        session.execute(text("SELECT * FROM absent"))
    engine.dispose()


def test_tables_and_conditions_compile_for_postgresql():
    dialect = postgresql.dialect()
    tables = "".join(
        str(CreateTable(table).compile(dialect=dialect)) for table in Base.metadata.sorted_tables
    )
    assert "number BIGINT NOT NULL" in tables
    assert "AUTOINCREMENT" not in tables
    chosen = Filter(title="a%", label="b", metadata={"k": 1})
    for condition in conditions(chosen):
        assert str(condition.compile(dialect=dialect))
