"""Every number that is asked of a table, from as few statements as answer them.

Belongs here: putting aggregates and queries into one statement, and what is left when it fails.
Does not: what is asked (``measures``), or judging by it (``engine``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb

from dagster_project.core.quality.bundling import MEASURED, Shared, in_words_of, take_apart
from dagster_project.core.quality.measures import Judged, Measure

Key = TypeVar("Key", bound=Hashable)
# Runs SQL with its parameters and gives its only row; raises ``Failed`` where the engine cannot.
Run = Callable[[str, tuple[Any, ...]], tuple[Any, ...]]


class FailedError(Exception):
    """A statement failed; ``kind`` names the error's class and quotes no data."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass
class _Statement:
    """One statement over a table: figures of all rows, and what is selected of their row."""

    table: str
    figures: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)

    def add(self, measure: Measure) -> None:
        name = f"figure_{len(self.figures)}"
        self.figures.append(f"{measure.sql} as {name}")
        self.parameters += measure.parameters
        self.selected.append(name)

    def add_query(self, shared: Shared) -> None:
        self.figures += [f"{sql} as {name}" for name, sql in shared.figures.items()]
        self.selected.append(f"({shared.asked})")

    @property
    def sql(self) -> str:
        """A view of many columns is read once, too: the figures are computed before all else."""
        return (
            f"with {MEASURED} as materialized (select {', '.join(self.figures)} "
            f"from {self.table}) select {', '.join(self.selected)} from {MEASURED}"
        )


def scan(
    connection: duckdb.DuckDBPyConnection,
    run: Run,
    table: Judged,
    measures: Mapping[Key, Measure],
    queries: Mapping[Key, str],
) -> dict[Key, Any]:
    """The number of every measure, and of every query the count of its rows, by their keys.

    Where one of them fails, its value is the FailedError, and the others are what they are.
    """
    found: dict[Key, Any] = {}
    together = _Statement(table.full_name)
    keys: list[Key] = []
    alone: dict[Key, tuple[str, tuple[Any, ...]]] = {}
    for key, measure in measures.items():
        if measure.is_aggregate:
            keys.append(key)
            together.add(measure)
        else:
            alone[key] = (measure.sql, measure.parameters)
    shared = _shared(connection, table, queries)
    for key, query in queries.items():
        if key in shared:
            keys.append(key)
            together.add_query(shared[key])
        else:
            alone[key] = (_counting(query, table), ())
    if keys:
        found |= _together(run, together, keys) or _one_by_one(
            run, _single(table, measures, queries, keys)
        )
    return found | _one_by_one(run, alone)


def _shared(
    connection: duckdb.DuckDBPyConnection, table: Judged, queries: Mapping[Key, str]
) -> dict[Key, Shared]:
    apart = {
        key: take_apart(connection, query, table.types, f"query_{place}")
        for place, (key, query) in enumerate(queries.items())
    }
    return {key: shared for key, shared in apart.items() if shared is not None}


def _counting(query: str, table: Judged) -> str:
    return f"select count(*) from ({in_words_of(query, table.full_name)}) as asked"


def _together(run: Run, statement: _Statement, keys: list[Key]) -> dict[Key, Any] | None:
    """None where one of them fails, and all with it."""
    try:
        row = run(statement.sql, tuple(statement.parameters))
    except FailedError:
        return None
    return dict(zip(keys, row, strict=True))


def _single(
    table: Judged, measures: Mapping[Key, Measure], queries: Mapping[Key, str], keys: list[Key]
) -> dict[Key, tuple[str, tuple[Any, ...]]]:
    made = {}
    for key in keys:
        if key in measures:
            sql = f"select {measures[key].sql} from {table.full_name}"
            made[key] = (sql, measures[key].parameters)
        else:
            made[key] = (_counting(queries[key], table), ())
    return made


def _one_by_one(run: Run, statements: Mapping[Key, tuple[str, tuple[Any, ...]]]) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    for key, (sql, parameters) in statements.items():
        try:
            found[key] = run(sql, parameters)[0]
        except FailedError as error:
            found[key] = error
    return found
