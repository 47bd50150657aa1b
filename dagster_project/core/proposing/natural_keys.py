"""What tells one record from another: the smallest set of columns that is unique.

Belongs here: the key over all sampled records. Does not: the keys of shipped templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from dagster_project.core.declarations import FieldType
from dagster_project.core.proposing.columns import LONG_TEXT, Column
from dagster_project.core.proposing.words import is_identifying, known_meanings

MAX_COLUMNS = 4
TRIED = 12  # of the columns, the likeliest first
FEW_ROWS = 20  # a key that so few records prove is a guess


_DOUBTLESS = 2  # columns up to this doubt may be a key alone


@dataclass(frozen=True)
class NaturalKey:
    """Places of the key's columns, whether a repeat's number belongs to it, and the evidence."""

    places: tuple[int, ...]
    has_repeats: bool
    evidence: str
    is_open: bool


def find_key(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> NaturalKey:
    """The smallest set of columns that no two different records share."""
    distinct = list(dict.fromkeys(tuple(row) for row in rows))
    repeats = len(rows) - len(distinct)
    places = _likeliest(columns, distinct)
    found = _unique(columns, places, distinct) if distinct else tuple(places[:1])
    if found is None:
        found, unique = tuple(range(len(columns))), False
    else:
        unique = True
    names = ", ".join(columns[place].name for place in found)
    count = f"{len(distinct):,} different records"
    told = f"{names}: no two of {count} share it" if unique else f"all columns: of {count}"
    if repeats:
        told += (
            f"; {repeats} records repeat another one exactly: each is kept as a record of its own, "
            "numbered by occurrence"
        )
    is_open = bool(repeats) or len(distinct) < FEW_ROWS or not unique
    return NaturalKey(found, bool(repeats), told, is_open)


def _likeliest(columns: Sequence[Column], rows: Sequence[tuple[str, ...]]) -> list[int]:
    """Columns without a blank, identifiers first, amounts and prose last."""
    filled = [
        place
        for place, column in enumerate(columns)
        if not column.is_left_out
        and column.treatment in {"keep", "token"}
        and all(row[place].strip() for row in rows)
    ]
    return sorted(filled, key=lambda place: (_doubt(columns[place]), place))


def _doubt(column: Column) -> int:
    found = known_meanings(column.name)
    if "line_number" in found:
        return 0
    if is_identifying(column.name) or column.is_identifier:
        return 1 if "product_code" in found else 0
    if column.type in {FieldType.DATE, FieldType.TIMESTAMP}:
        return 3
    if column.type in {FieldType.MONEY, FieldType.NUMBER, FieldType.RATE, FieldType.QUANTITY}:
        return 4
    values = list(column.values.counts)[:200] if column.values else []
    is_prose = bool(values) and sum(map(len, values)) / len(values) > LONG_TEXT
    return 5 if is_prose else 2


def _unique(
    columns: Sequence[Column], places: list[int], rows: Sequence[tuple[str, ...]]
) -> tuple[int, ...] | None:
    doubts = {place: _doubt(columns[place]) for place in places}
    singles = [p for p in places if len({row[p] for row in rows}) == len(rows)]
    if singles and doubts[singles[0]] <= _DOUBTLESS:
        return (singles[0],)
    tried = places[:TRIED]
    counts = {p: len(Counter(row[p] for row in rows)) for p in tried}
    for size in range(2, MAX_COLUMNS + 1):
        for chosen in combinations(tried, size):
            possible = 1
            for place in chosen:
                possible *= counts[place]
            if possible < len(rows):
                continue
            if len({tuple(row[p] for p in chosen) for row in rows}) == len(rows):
                return chosen
        if singles:  # an amount or prose that happens to be unique, where no pair of others is
            return (singles[0],)
    return None
