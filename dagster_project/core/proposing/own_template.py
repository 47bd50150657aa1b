"""A template of its own for a table that no shipped one fits: one field a column.

Belongs here: field names and the template's declaration. Does not: deciding the columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from dagster_project.core.declarations import FieldType
from dagster_project.core.proposing.columns import Column
from dagster_project.core.proposing.natural_keys import NaturalKey
from dagster_project.core.proposing.words import known_meanings, plain_name

RECORD = "record"
OCCURRENCE = "occurrence"
RETENTION_DAYS = 730  # as the shipped tills have it


@dataclass(frozen=True)
class OwnField:
    """One field of the own template and what gives it."""

    name: str
    column: Column


def own_fields(columns: Sequence[Column]) -> list[OwnField]:
    """A field for every column that is not left out."""
    taken = {OCCURRENCE, *_reserved()}
    found = []
    for place, column in enumerate(columns, 1):
        if column.is_left_out:
            continue
        base = field_name(column.name, place)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_value" if base in _reserved() and number == 2 else f"{base}_{number}"
        taken |= {name, f"{name}_token", f"{name}_masked", f"{name}_decade", f"{name}_band"}
        found.append(OwnField(name, column))
    return found


def field_name(name: str, place: int) -> str:
    """The sender's name in lower snake case; what it means, where it is not ASCII."""
    snake = re.sub(r"[^a-z0-9]+", "_", plain_name(name)).strip("_")
    if not snake or not plain_name(name).isascii():
        snake = next((one for one in known_meanings(name) if one.isascii()), f"column_{place}")
    return snake if snake[0].isalpha() else f"column_{snake}"


@cache
def _reserved() -> frozenset[str]:
    """Words that the database takes for its own."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category != 'unreserved'"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def business_time(fields: Sequence[OwnField]) -> str | None:
    """The field that says when: a moment before a day, the first of several; none of a person."""
    for kind in (FieldType.TIMESTAMP, FieldType.DATE):
        for one in fields:
            if one.column.type is kind and one.column.treatment == "keep":
                return one.name
    return None


def key_fields(fields: Sequence[OwnField], columns: Sequence[Column], key: NaturalKey) -> list[str]:
    """The key as fields of the template; dropped and prose columns cannot belong to it."""
    chosen = [columns[place] for place in key.places]
    names = [
        one.name
        for one in fields
        if one.column in chosen and one.column.treatment not in {"drop", "generalise"}
    ]
    names = names or [one.name for one in fields if one.column.treatment == "keep"][:1]
    return [*names, OCCURRENCE] if key.has_repeats else names
