"""Forty ways out of a published file that is opened as the guide says, and none of them open."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pytest
from sales_warehouse import build_sales_warehouse, manifest_for
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from dagster_project.core.home import PROJECT
from dagster_project.core.publishing import publish
from dagster_project.core.reading import (
    PYTHON_SETTINGS,
    engine_parameters,
    lock_down_sql,
    open_published,
)

GUIDE = (PROJECT / "docs" / "reading.md").read_text("utf-8")
Ask = Callable[[str], Any]

# {other} is a file beside the published one, {new} one that does not exist.
ESCAPES = (
    "from read_csv('{other}')",
    "from read_text('{other}')",
    "from read_blob('{other}')",
    "from read_json('{other}')",
    "from read_parquet('{other}')",
    "from sniff_csv('{other}')",
    "from '{other}'",
    "from glob('/etc/*')",
    "from query('from read_text(''{other}'')')",
    "from parquet_metadata('{other}')",
    "from read_csv('https://localhost:1/x.csv')",
    "from 's3://bucket/x.parquet'",
    "copy (select 1) to '{new}'",
    "copy core.dim_store to '{new}' (format parquet)",
    "copy core.dim_store from '{other}'",
    "export database '{new}'",
    "import database '{new}'",
    "attach '{other}' as other",
    "attach '{new}' as other",
    "attach '' as other (type postgres)",
    "install httpfs",
    "install spatial from community",
    "load httpfs",
    "load '{other}'",
    "update extensions",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set lock_configuration = false",
    "reset lock_configuration",
    "set autoload_known_extensions = true",
    "set allowed_directories = ['/']",
    "set temp_directory = '{new}'",
    "set extension_directory = '{new}'",
    "set file_search_path = '/etc'",
    "pragma enable_profiling = 'json'",
    "set log_query_path = '{new}'",
    "create secret (type s3, key_id 'a', secret 'b')",
    "select getenv('HOME')",
    "create table core.mine as select 1",
    "delete from core.dim_store",
)
PYTHON_ESCAPES = ("from frame", "from another_table", "select * from frame")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = build_sales_warehouse(tmp_path_factory.mktemp("home"), days=4)
    return publish(warehouse, "analyst", manifest_for(), run_id="r").path


@pytest.fixture
def spelled(tmp_path: Path) -> Callable[[str], str]:
    """Names the files of an escape."""
    other = tmp_path / "other.csv"
    other.write_text("a\nsecret\n")
    numbers = count()
    return lambda statement: statement.format(other=other, new=tmp_path / f"new{next(numbers)}")


def by_configuration(published: Path) -> Iterator[Ask]:
    with open_published(published) as connection:
        yield lambda statement: connection.execute(statement).fetchall()


def by_statements(published: Path) -> Iterator[Ask]:
    with duckdb.connect(published, read_only=True) as connection:
        connection.execute(lock_down_sql())
        yield lambda statement: connection.execute(statement).fetchall()


def by_sqlalchemy(published: Path) -> Iterator[Ask]:
    engine = create_engine(
        f"duckdb:///{published}", poolclass=NullPool, **json.loads(engine_parameters())
    )

    def ask(statement: str) -> Any:
        # A connection each: in a failed transaction everything is refused.
        with engine.connect() as connection:
            return connection.execute(text(statement)).fetchall()

    yield ask


WAYS = {"configuration": by_configuration, "SQL": by_statements, "SQLAlchemy": by_sqlalchemy}


@pytest.fixture(params=WAYS)
def ask(request: pytest.FixtureRequest, published: Path) -> Iterator[Ask]:
    """Asks the file, opened in each of the ways that the guide names."""
    yield from WAYS[request.param](published)


def test_there_are_forty_escapes() -> None:
    assert len(set(ESCAPES)) == 40


def test_none_of_forty_escapes_is_open(
    ask: Ask, spelled: Callable[[str], str], published: Path, tmp_path: Path
) -> None:
    before = sha256(published.read_bytes()).hexdigest()
    open_ones = []
    for statement in ESCAPES:
        try:
            open_ones.append((statement, ask(spelled(statement))))
        except (duckdb.Error, SQLAlchemyError):
            continue
    assert open_ones == []
    assert {path.name for path in tmp_path.iterdir()} == {"other.csv"}
    assert sha256(published.read_bytes()).hexdigest() == before
    # And the connection still does what it is for.
    assert ask("select count(*) from core.fct_sales_line") == [(356,)]


def test_each_escape_is_one_where_nothing_is_locked(
    published: Path, spelled: Callable[[str], str], tmp_path: Path
) -> None:
    """An open connection runs those that need no server: the refusals above are the lock's."""
    ran = set()
    for statement in ESCAPES:
        with duckdb.connect(published, read_only=True) as connection:
            try:
                connection.execute(spelled(statement)).fetchall()
            except duckdb.Error:
                continue
            ran.add(statement.split("(")[0].split()[0])
    assert {"from", "copy", "export", "set", "reset", "pragma"} <= ran


@pytest.mark.parametrize("statement", PYTHON_ESCAPES)
def test_a_variable_of_the_program_is_no_table(published: Path, statement: str) -> None:
    frame = another_table = pandas.DataFrame({"secret": [1]})
    with duckdb.connect(published, read_only=True) as connection:
        assert len(connection.execute(statement.replace("another_table", "frame")).fetchall()) == 1
    with open_published(published) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute(statement)
    assert len(frame) == len(another_table)


def test_the_guide_prints_the_connection_that_is_tested() -> None:
    (statements,) = re.findall(r"```sql\n(\s*set .*?)```", GUIDE, re.DOTALL)
    assert [line.strip() for line in statements.strip().splitlines()] == (
        lock_down_sql().splitlines()
    )
    assert engine_parameters() in GUIDE
    (printed,) = re.findall(r"settings = (\{.*?\})", GUIDE, re.DOTALL)
    assert ast.literal_eval(printed) == PYTHON_SETTINGS
