"""Every test of the catalog runs on SQLite and on a real PostgreSQL."""

import pytest

from service.catalog.database import sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request, tmp_path):
    """URL of an empty catalog."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "catalog.sqlite3")
    return request.getfixturevalue("postgresql").new_catalog()
