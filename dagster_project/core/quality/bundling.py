"""Queries of suites taken apart, so that one scan of a table answers as many as can share it.

Belongs here: which part of a query is an aggregate over the table's rows, read from DuckDB's own
syntax tree, never from the text. Does not: running queries, or judging.

Two shapes are common, and both need one pass over the rows: rows that fulfil a condition
(``select 1 from {batch} where …``), and figures that are compared (``select 1 from (select
count(*) as a, count(*) filter (where …) as b from {batch}) where b > 0.01 * a``). Everything else,
groups and joins above all, stays a statement of its own.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb

BATCH = "judged_batch"  # stands for the table while a query is taken apart
MEASURED = "measured"  # the one row of figures
# Cheap, and the same over the rows of a filter as over the rows of a condition.
AGGREGATES = frozenset(
    {"count_star", "count", "count_if", "countif", "sum", "avg", "mean", "min", "max"}
    | {"bool_and", "bool_or"}
)
NOT_ROW_BY_ROW = frozenset(
    {"SUBQUERY", "WINDOW", "LAMBDA", "STAR", "PARAMETER", "POSITIONAL_REFERENCE"}
)
Node = dict[str, Any]


class _StaysWholeError(Exception):
    """The query is not of a shape that can share a scan."""


@dataclass(frozen=True)
class Shared:
    """A query as figures of all rows of the table, and what is left of it over their one row."""

    figures: dict[str, str]  # name to aggregate
    asked: str  # a select from ``measured`` whose only row holds the count


@dataclass
class _Taken:
    """What is being taken apart."""

    connection: duckdb.DuckDBPyConnection
    columns: frozenset[str]
    prefix: str  # of the figures' names
    figures: dict[str, str] = field(default_factory=dict)

    def name(self, aggregate: str) -> str:
        """The figure's name, the same for the same aggregate."""
        for name, known in self.figures.items():
            if known == aggregate:
                return name
        name = f"{self.prefix}_{len(self.figures)}"
        self.figures[name] = aggregate
        return name


def in_words_of(query: str, table: str) -> str:
    """A suite's query over a table; doubled braces are single ones, as the library has it.

    Raises KeyError, IndexError or ValueError where other braces than ``{batch}`` are single.
    """
    return query.format(batch=table)


def take_apart(
    connection: duckdb.DuckDBPyConnection, query: str, types: Mapping[str, str], prefix: str
) -> Shared | None:
    """The query as one that shares a scan of its table, None where it has to run on its own.

    Counts the same rows as ``select count(*) from (query)``; the figures' names begin with the
    prefix. Nothing is run, only parsed.
    """
    tree = _parsed(connection, in_words_of(query, BATCH))
    if tree is None:
        return None
    taken = _Taken(connection, frozenset(name.lower() for name in types), prefix)
    try:
        return _rows(taken, tree) or _figures(taken, tree)
    except _StaysWholeError:
        return None


def _parsed(connection: duckdb.DuckDBPyConnection, query: str) -> Node | None:
    found = connection.execute("select json_serialize_sql($1::varchar)", [query]).fetchone()
    tree: Node = json.loads(found[0]) if found else {"error": True}
    return None if tree["error"] or len(tree["statements"]) != 1 else tree


def _text(taken: _Taken, tree: Node) -> str:
    row = taken.connection.execute(
        "select json_deserialize_sql($1::json)", [json.dumps(tree)]
    ).fetchone()
    return str(row[0]) if row else ""


@cache
def _nothing_else() -> str:
    """The tree of a query that selects one expression and reads no table."""
    with duckdb.connect(config={"threads": 1}) as engine:
        return json.dumps(_parsed(engine, "select 1"))


def _expression(taken: _Taken, expression: Node) -> str:
    """An expression's SQL, written by the engine as the only thing that a query selects."""
    tree = json.loads(_nothing_else())
    tree["statements"][0]["node"]["select_list"] = [expression | {"alias": ""}]
    return _text(taken, tree).removeprefix("SELECT ")


def _rows(taken: _Taken, tree: Node) -> Shared | None:
    """Rows of the table that fulfil a condition."""
    node = tree["statements"][0]["node"]
    if not _is_plain(node) or not node["where_clause"] or node["having"]:
        return None
    if any(item["class"] not in {"CONSTANT", "COLUMN_REF"} for item in node["select_list"]):
        return None
    for item in node["select_list"]:
        _row_by_row(taken, item, node["from_table"])
    condition = _row_by_row(taken, node["where_clause"], node["from_table"])
    counted = f"count(*) filter (where {_expression(taken, condition)})"
    return Shared({taken.name(counted): counted}, f"select {taken.name(counted)} from {MEASURED}")


def _figures(taken: _Taken, tree: Node) -> Shared | None:
    """A query that reads the table by nothing but figures of all its rows."""
    for node in list(_nodes(tree)):
        if _is_plain(node):
            _replace_figures(taken, node)
    if not taken.figures or any(inner.get("table_name") == BATCH for inner in _dicts(tree)):
        return None
    return Shared(taken.figures, f"select count(*) from ({_text(taken, tree)}) as asked")


def _replace_figures(taken: _Taken, node: Node) -> None:
    """The aggregates of a node go into the shared scan, the node reads them from its one row."""
    parts = [*node["select_list"], *([node["having"]] if node["having"] else [])]
    if not any(_is_aggregate(inner) for part in parts for inner in _dicts(part)):
        raise _StaysWholeError
    condition = node["where_clause"]
    if condition:
        condition = _row_by_row(taken, condition, node["from_table"])
    node["select_list"] = [
        _figure(taken, item, condition, node["from_table"]) for item in node["select_list"]
    ]
    having = node["having"]
    node["where_clause"] = having and _figure(taken, having, condition, node["from_table"])
    node["having"] = None
    node["from_table"] = node["from_table"] | {"table_name": MEASURED, "alias": ""}


def _figure(taken: _Taken, item: Any, condition: Node | None, table: Node) -> Any:
    """An expression whose aggregates are names of figures; it may read no single row."""
    if isinstance(item, list):
        return [_figure(taken, one, condition, table) for one in item]
    if not isinstance(item, dict):
        return item
    if _is_aggregate(item):
        return _column_of_figures(taken, item, condition, table)
    if item.get("class") in NOT_ROW_BY_ROW | {"COLUMN_REF"}:
        raise _StaysWholeError
    return {key: _figure(taken, value, condition, table) for key, value in item.items()}


def _column_of_figures(taken: _Taken, call: Node, condition: Node | None, table: Node) -> Node:
    counted = _row_by_row(taken, call, table)
    own = counted.get("filter")
    if condition and own:
        both = {"class": "CONJUNCTION", "type": "CONJUNCTION_AND", "alias": ""}
        counted["filter"] = both | {"children": [copy.deepcopy(condition), own]}
    elif condition:
        counted["filter"] = copy.deepcopy(condition)
    name = taken.name(_expression(taken, counted))
    reference = {"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [name]}
    return reference | {"alias": call["alias"]}


def _is_plain(node: Node) -> bool:
    """Whether a node reads the table alone, and neither groups, sorts, limits nor samples."""
    source = node.get("from_table") or {}
    return (
        node.get("type") == "SELECT_NODE"
        and source.get("table_name") == BATCH
        and not any(source.get(key) for key in ("sample", "column_name_alias", "at_clause"))
        and not any(node[key] for key in ("modifiers", "group_expressions", "group_sets"))
        and not any(node[key] for key in ("qualify", "sample"))
        and node["aggregate_handling"] == "STANDARD_HANDLING"
    )


def _is_aggregate(item: Node) -> bool:
    return (
        item.get("class") == "FUNCTION"
        and item["function_name"] in AGGREGATES
        and not item["distinct"]
    )


def _row_by_row(taken: _Taken, expression: Node, table: Node) -> Node:
    """A copy that names columns of the table only, without the table's own name before them."""
    made = copy.deepcopy(expression)
    for inner in _dicts(made):
        if inner.get("class") in NOT_ROW_BY_ROW:
            raise _StaysWholeError
        if inner.get("class") == "COLUMN_REF":
            *before, name = inner["column_names"]
            if name.lower() not in taken.columns or before not in ([], [table["alias"]]):
                raise _StaysWholeError
            inner["column_names"] = [name]
    return made


def _dicts(tree: Any) -> Iterator[Node]:
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from _dicts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _dicts(value)


def _nodes(tree: Node) -> Iterator[Node]:
    return (node for node in _dicts(tree) if node.get("type") == "SELECT_NODE")
