"""Card numbers in fields that are kept as they are: codes, identifiers and figures.

Belongs here: finding them in a staged record and what replaces them. Does not: free text, which
is declared ``scan`` (``protect``). Nearly every file has none, so the staged table is looked at
once, column by column, and only columns with a suspicious value are looked at again.

A text is kept with the number masked. A key that holds one would become another key, and a figure
has no mask: such records are rejected, unless the feed names the field among its ``own_numbers``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import SQL_TYPES, Feed, FieldType, Record, Treatment
from dagster_project.core.feeds.cards import (
    CANDIDATE,
    LONGEST_ELSEWHERE,
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

    def suspicion(self, value: str) -> str:
        """A predicate over a value; most fail its first and cheapest part."""
        if self.is_figure:
            return f"abs({value}) >= 1e{SHORTEST_CODE - 1}"
        # Bytes are counted faster than signs, and are never fewer. Order numbers of 17 digits and
        # more are common; of card numbers so long there are UnionPay's alone.
        return (
            f"case when strlen({value}) < {SHORTEST_CODE} then false "
            # Plain text with too few digits: most codes are.
            f"when strlen({value}) = length({value}) and strlen({value}) "
            f"- strlen(translate({value}, '0123456789', '')) < {SHORTEST_CODE} then false "
            f"when left({value}, 2) != '{UNIONPAY}' "
            f"and regexp_full_match({value}, '[0-9]{{{LONGEST_ELSEWHERE + 1},}}') then false "
            f"else regexp_matches({value}, {literal(CANDIDATE)}) end"
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
    if not fields:
        return []
    # Patterns cost more to prepare than to use: columns of short codes are not asked at all.
    sizes = ", ".join(
        "true" if one.is_figure else f"max(strlen({one.column})) >= {SHORTEST_CODE}"
        for one in fields
    )
    long = connection.execute(f"select {sizes} from {table}").fetchone() or ()
    fields = [one for one, is_long in zip(fields, long, strict=True) if is_long]
    if not fields:
        return []
    asked = ", ".join(f"bool_or({one.suspicion(one.column)})" for one in fields)
    row = connection.execute(f"select {asked} from {table}").fetchone() or ()
    return [one for one, found in zip(fields, row, strict=True) if found]


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
