"""Card numbers in fields that are kept as they are: codes, identifiers and figures.

Belongs here: finding them in a staged record and what replaces them. Does not: free text, which
is declared ``scan`` (``protect``). Nearly every file has none, so the columns of the staged table
are asked ever more closely, and only those that may still have one are asked for their values.

A text is kept with the number masked. A key that holds one would become another key, and a figure
has no mask: such records are rejected, unless the feed names the field among its ``own_numbers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import SQL_TYPES, Feed, FieldType, Record, Treatment
from dagster_project.core.feeds.cards import (
    LONGEST_ELSEWHERE,
    LOOSE_CANDIDATE,
    SHORTEST_CODE,
    UNIONPAY,
    is_card_number,
    mask_code,
)
from dagster_project.core.feeds.sql import literal

FIGURES = frozenset(
    {FieldType.INTEGER, FieldType.MONEY, FieldType.QUANTITY, FieldType.RATE, FieldType.NUMBER}
)
KEPT = frozenset({Treatment.KEEP, Treatment.GENERALISE})


@dataclass(frozen=True)
class Watched:
    """One kept field: the raw column that shows it, and whether it cannot be masked."""

    field: str
    column: str
    is_figure: bool
    refuses: bool

    def suspicion(self, value: str, *, by_pattern: bool = True) -> str:
        """A predicate over a value; most fail its first and cheapest part.

        Not by pattern, it holds of more values and is prepared sooner.
        """
        if self.is_figure:
            return f"abs({value}) >= 1e{SHORTEST_CODE - 1}"
        pattern = f"regexp_matches({value}, {literal(LOOSE_CANDIDATE)})" if by_pattern else "true"
        others = f"translate({value}, '0123456789', '')"
        # Bytes are counted faster than signs, and are never fewer. Order numbers of 17 digits and
        # more are common; of card numbers so long there are UnionPay's alone.
        return (
            f"case when {value} is null or strlen({value}) < {SHORTEST_CODE} then false "
            # Plain text with too few digits: most codes are.
            f"when strlen({value}) = length({value}) "
            f"and strlen({value}) - strlen({others}) < {SHORTEST_CODE} then false "
            f"when left({value}, 2) != '{UNIONPAY}' "
            f"and strlen({value}) > {LONGEST_ELSEWHERE} and {others} = '' then false "
            f"else {pattern} end"
        )


def watched(feed: Feed, record: Record, name: str) -> Iterator[Watched]:
    """The record's mapped fields that are kept as they are, those excepted that the feed names."""
    for field in feed.records[name].fields:
        declared = record.fields[field]
        if field in feed.own_numbers or declared.treatment not in KEPT:
            continue
        columns = declared.columns(field)
        column, kind = next(iter(columns.items()), ("", ""))
        is_figure = declared.type in FIGURES
        if is_figure or kind == "varchar":
            shown = "_extra" if field in record.added else column
            is_text = SQL_TYPES[declared.type] == "varchar"
            refuses = is_figure or (is_text and field in record.key)
            yield Watched(field, shown, is_figure and field not in record.added, refuses)


def suspicious(
    connection: duckdb.DuckDBPyConnection, table: str, fields: list[Watched]
) -> list[Watched]:
    """Those fields of which a staged value may be a card number."""
    # A pattern costs more to prepare than to use: columns of short codes are not asked by it.
    for by_pattern in (False, True):
        if not fields:
            break
        predicates = (one.suspicion(one.column, by_pattern=by_pattern) for one in fields)
        asked = ", ".join(f"bool_or({predicate})" for predicate in predicates)
        row = connection.execute(f"select {asked} from {table}").fetchone() or ()
        fields = [one for one, found in zip(fields, row, strict=True) if found]
    return fields


def intruders(connection: duckdb.DuckDBPyConnection, values: str, one: Watched, table: str) -> int:
    """Make the table ``value → clean`` of a field's card numbers; how many values have one.

    ``values`` is a query of the field's texts, as mapped (one column, ``value``).
    """
    import pyarrow as pa

    if one.is_figure:
        rows = connection.execute(
            "select distinct try_cast(try_cast(value as double) as hugeint)::varchar "
            f"from ({values}) where abs(try_cast(value as double)) >= 1e{SHORTEST_CODE - 1}"
        ).fetchall()
        found = {text: "" for (text,) in rows if text and is_card_number(text.lstrip("-"))}
    else:
        rows = connection.execute(
            f"select distinct value from ({values}) where {one.suspicion('value')}"
        ).fetchall()
        found = {text: clean for (text,) in rows for clean, cards in [mask_code(text)] if cards}
    kind = "hugeint" if one.is_figure else "varchar"
    pairs = pa.table(
        {
            "value": pa.array(list(found), pa.string()),
            "clean": pa.array(found.values(), pa.string()),
        }
    )
    connection.register(f"{table}_arrow", pairs)
    connection.execute(
        f"create or replace temp table {table} as "
        f"select cast(value as {kind}) as value, clean from {table}_arrow"
    )
    connection.unregister(f"{table}_arrow")
    return len(found)


__all__ = ["Watched", "intruders", "suspicious", "watched"]
