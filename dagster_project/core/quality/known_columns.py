"""Suites held against the tables that there are: their names, columns and types, not their rows.

Belongs here: what of a suite cannot hold for a table of these columns. Does not: where the columns
are known from, or the shape of a suite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import duckdb

from dagster_project.core.feeds.sql import identifier
from dagster_project.core.quality.arguments import QUERY
from dagster_project.core.quality.places import Wrong, near
from dagster_project.core.quality.suites import COLUMN_ARGUMENTS, NO_ROWS, Expected

# Schema and table to columns and their DuckDB types; no columns: the table exists, no more is known
Table = tuple[str, str]
Known = Mapping[Table, Mapping[str, str]]
Expectations = Iterable[tuple[int, Expected]]  # with their positions in the file
FAMILIES = {
    "text": ("varchar", "text", "string", "char", "bpchar"),
    "time": ("date", "timestamp", "datetime"),
    "flag": ("bool", "logical"),
    "number": (
        "bigint", "int", "smallint", "tinyint", "hugeint", "uint", "ubigint", "usmallint",
        "utinyint", "uhugeint", "double", "float", "real", "decimal", "numeric", "long", "short",
    ),
}  # fmt: skip
PREFIX = re.compile(r"^[A-Z][A-Za-z ]+ Error: ")
NAMED = re.compile(r'"([^"]+)"|name (\S+) does not exist')


def wrong_columns(table: Table, expectations: Expectations, known: Known) -> Iterator[Wrong]:
    """A table that nobody makes, columns it does not have, arguments that do not fit their type."""
    columns = known.get(table)
    if columns is None:
        asked = ".".join(table)
        yield Wrong(("table",), f"nobody makes {asked}{near(asked, map('.'.join, known))}")
    elif columns:
        for position, expected in expectations:
            place = ("expectations", position, "kwargs")
            missing = set(expected.columns) - set(columns)
            for key, name in _named(expected):
                if name in missing:
                    message = f"{'.'.join(table)} has no column {name}"
                    yield Wrong((*place, *key), message + near(name, columns))
            for argument, complaint in () if missing else _unfit(expected, columns):
                yield Wrong((*place, argument), complaint)


class EmptyTables:
    """The known tables, each with one row of nulls, on which queries are tried.

    Even a table of no rows would let a comparison of a number with a word pass: the engine reads
    the word as a number when it meets the first row.
    """

    def __init__(self, known: Known) -> None:
        self._unknown = [f"{schema}.{table}" for (schema, table), held in known.items() if not held]
        config = {"threads": 1, "autoinstall_known_extensions": False}
        self._engine = duckdb.connect(config=config)
        self._engine.execute("begin")
        for schema in sorted({schema for schema, _ in known}):
            self._engine.execute(f"create schema if not exists {identifier(schema)}")
        for (schema, table), columns in known.items():
            if columns:
                name = f"{identifier(schema)}.{identifier(table)}"
                body = ", ".join(f"{identifier(c)} {kind}" for c, kind in columns.items())
                self._engine.execute(f"create table {name} ({body})")
                self._engine.execute(f"insert into {name} default values")
        self._engine.execute("commit")

    def close(self) -> None:
        """Forget them."""
        self._engine.close()

    def wrong_queries(self, table: Table, expectations: Expectations) -> Iterator[Wrong]:
        """Queries with a column, table or function that there is not, or with wrong syntax."""
        for position, expected in expectations:
            if expected.expectation != NO_ROWS:
                continue
            query = expected.kwargs[QUERY].format(batch=".".join(table))
            if any(name in query for name in self._unknown):
                continue
            place = ("expectations", position, "kwargs", QUERY)
            try:
                self._engine.execute(f"select count(*) from ({query}\n) as asked").fetchall()
            except duckdb.Error as error:
                yield _told(error, place)


def _told(error: duckdb.Error, place: tuple[str | int, ...]) -> Wrong:
    """DuckDB's words without the text of the query; its first name says in which line."""
    message = PREFIX.sub("", " ".join(str(error).split("\n\nLINE ")[0].split()))
    found = NAMED.search(message)
    return Wrong(place, message, word=(found[1] or found[2]) if found else None)


def _named(expected: Expected) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a column is named, below the arguments, and its name."""
    for argument in COLUMN_ARGUMENTS:
        if argument in expected.kwargs:
            yield (argument,), expected.kwargs[argument]
    for position, name in enumerate(expected.kwargs.get("column_list", ())):
        yield ("column_list", position), name


def _unfit(expected: Expected, columns: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Arguments that do not fit the type of their column, and why."""
    arguments = expected.kwargs
    kinds = [_family(columns[name]) for _, name in _named(expected)]
    if "column_A" in arguments and None not in kinds and kinds[0] != kinds[1]:
        pair = f"{arguments['column_A']} is a {kinds[0]}, {arguments['column_B']} a {kinds[1]}"
        yield "column_B", pair
    if "column" not in arguments or kinds[0] is None:
        return
    name, kind = arguments["column"], kinds[0]
    if (wanted := _wanted(expected.expectation)) and kind != wanted:
        yield "column", f"{name} is a {kind}; {expected.expectation} is about a {wanted}"
    if "values_to_be_between" in expected.expectation:
        yield from _unfit_bounds(arguments, name, kind)
    for value in arguments.get("value_set", ()):
        if not _fits(value, kind):
            yield "value_set", f"{name} is a {kind}, {value!r} is none"
            return


def _wanted(expectation: str) -> str | None:
    if "value_lengths" in expectation:
        return "text"
    return "number" if "column_mean" in expectation or "column_sum" in expectation else None


def _unfit_bounds(arguments: Mapping[str, Any], name: str, kind: str) -> Iterator[tuple[str, str]]:
    if kind in {"text", "flag"}:
        yield "column", f"{name} is a {kind} and has no bounds"
        return
    for bound in ("min_value", "max_value"):
        value = arguments.get(bound)
        if value is not None and not _fits(value, kind):
            yield bound, f"{name} is a {kind}, {value!r} is none"


def _fits(value: Any, kind: str) -> bool:
    """Whether a value can be compared with a column of this family; days may be written as text."""
    if isinstance(value, bool):
        return kind == "flag"
    if isinstance(value, (int, float)):
        return kind == "number"
    if isinstance(value, date):
        return kind == "time"
    return kind in {"text", "time"}


def _family(kind: str) -> str | None:
    """Text, time, flag or number; None for every other type, lists above all."""
    plain = kind.lower().removesuffix(" not null").strip()
    if plain.endswith("]"):
        return None
    return next((name for name, starts in FAMILIES.items() if plain.startswith(starts)), None)
