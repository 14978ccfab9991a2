"""A real PostgreSQL for the tests: the binaries of the package pgserver, over TCP."""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

USER = "kyomei"


class PostgreSQL:
    """A running server; ``new_catalog`` gives the SQLAlchemy URL of an empty schema."""

    def __init__(self, port, password):
        self.port = port
        self.password = password
        self._made = 0

    def url(self, *, password=None, schema=None):
        told = password or self.password
        place = f"postgresql+psycopg://{USER}:{told}@127.0.0.1:{self.port}/postgres"
        return place if schema is None else f"{place}?options=-csearch_path%3D{schema}"

    def new_catalog(self):
        self._made += 1
        name = f"test_{self._made}"
        self.run(f"CREATE SCHEMA {name}")
        return self.url(schema=name)

    def run(self, statement):
        import psycopg

        address = self.url().replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


@contextlib.contextmanager
def running_postgresql(*, fsync=False):
    """Start a server on a free port; it refuses to run as root, so root lends it a copy."""
    binaries, folder = _binaries(), Path(tempfile.mkdtemp(prefix="kyomei-postgresql-"))
    options: Any = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        if os.geteuid() == 0:
            binaries = _lent(binaries, folder)
            options["user"] = "nobody"
        password = secrets.token_hex(8)
        (folder / "password").write_text(password)
        data = folder / "data"
        subprocess.run(
            [
                *(binaries / "initdb", "-D", data, "-U", USER, "-E", "UTF8", "--locale=C"),
                *("--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"),
            ],
            check=True,
            **options,
        )
        port = _free_port()
        settings = ["-p", str(port), "-h", "127.0.0.1", "-k", str(data)] + ["-F"] * (not fsync)
        process = subprocess.Popen([binaries / "postgres", "-D", data, *settings], **options)
        try:
            server = PostgreSQL(port, password)
            _wait_until_up(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # does not wait for clients
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries():
    # Not imported: that alone makes folders for a server of its own.
    found = importlib.util.find_spec("pgserver")
    if found is None or found.origin is None:
        pytest.skip("needs the package pgserver")
    return Path(found.origin).parent / "pginstall" / "bin"


def _lent(binaries, folder):
    """Copy the server to where the user nobody may read it, with a data folder of its own."""
    packages = binaries.parents[2]
    shutil.copytree(packages / "pgserver", folder / "pgserver", symlinks=True)
    shutil.copytree(packages / "pgserver.libs", folder / "pgserver.libs", symlinks=True)
    nobody = pwd.getpwnam("nobody")
    (folder / "data").mkdir()
    for path in (folder, folder / "data"):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return folder / "pgserver" / "pginstall" / "bin"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_up(server, process):
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return
