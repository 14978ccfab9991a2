"""What is different with a database server: errors in plain words, and several writers."""

import errno
import threading

import psycopg
import pytest
from sqlalchemy import text

from models.errors import ArtefactError
from service.catalog.catalog import Catalog
from service.catalog.database import open_database
from service.catalog.records import Filter
from tests.service.catalog.test_catalog import draft


def said(url):
    with pytest.raises(ArtefactError) as caught:
        Catalog(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_wrong_password_is_refused_without_it(postgresql):
    message = said(postgresql.url(password="mellon"))  # noqa: S106  # a wrong one
    assert "KYOMEI_DATABASE_URL" in message
    assert "password authentication failed" in message
    assert "mellon" not in message


def test_a_server_that_is_not_there_is_named_without_the_password():
    message = said("postgresql+psycopg://me:mellon@127.0.0.1:1/x")
    assert "127.0.0.1:1/x" in message
    assert "refused" in message
    assert "mellon" not in message


def test_an_unknown_database_is_named(postgresql):
    assert '"nothing" does not exist' in said(postgresql.url().replace("/postgres", "/nothing"))


def test_a_full_disk_of_the_server_stores_nothing(postgresql):
    url = postgresql.new_catalog()
    catalog = Catalog(url)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute("CREATE TRIGGER filler BEFORE INSERT ON items EXECUTE FUNCTION fill()")
    with pytest.raises(OSError, match="could not extend file") as caught:
        catalog.insert([draft(1)])
    assert caught.value.errno == errno.ENOSPC
    assert catalog.page(Filter(), 0, 1)[1] == 0
    catalog.close()


def test_connections_that_the_server_closed_are_made_anew(postgresql):
    url = postgresql.new_catalog()
    catalog = Catalog(url)
    catalog.insert([draft(1)])
    postgresql.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    assert catalog.get(draft(1).id) is not None
    catalog.close()


def test_a_connection_lost_in_a_transaction_is_an_error_in_plain_words(postgresql):
    engine, _ = open_database(postgresql.new_catalog())
    with engine.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        postgresql.run(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises(ArtefactError, match="expected a database that answers"):
            connection.scalar(text("SELECT 1"))
    engine.dispose()


def test_two_processes_that_start_at_once_make_one_catalog(postgresql):
    url = postgresql.new_catalog()
    made, go = [], threading.Barrier(4)

    def start():
        go.wait()
        catalog = Catalog(url)
        made.append(catalog.collection_id)
        catalog.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_writers_of_several_processes_get_numbers_in_the_order_of_commits(postgresql):
    url = postgresql.new_catalog()
    catalogs = [Catalog(url) for _ in range(3)]

    def write(catalog, first):
        for n in range(first, first + 20):
            catalog.insert([draft(n), draft(1000 + n)])

    threads = [
        threading.Thread(target=write, args=(catalog, 100 * place))
        for place, catalog in enumerate(catalogs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items, total = catalogs[0].page(Filter(), 0, 1000)
    assert total == 120
    assert [item.number for item in items] == list(range(1, 121))
    for catalog in catalogs:
        assert catalog.sequence() == 120
        catalog.close()


def test_what_one_process_holds_alone_the_others_wait_for(postgresql):
    url = postgresql.new_catalog()
    first, second = Catalog(url), Catalog(url)
    order, entered = [], threading.Event()

    def wait():
        entered.set()
        with second.exclusive():
            order.append("second")

    with first.exclusive():
        thread = threading.Thread(target=wait)
        thread.start()
        entered.wait()
        thread.join(timeout=0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    for catalog in (first, second):
        catalog.close()
