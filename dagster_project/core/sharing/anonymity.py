"""Generalising persons until each looks like many others in whatever is told of them.

Belongs here: the ladder of ever coarser views, k-anonymity and l-diversity on it. Does not: who is
in an extract. A row is told only as finely as at least ``smallest_group`` persons share all of it:
what others may know of a person (a quasi-identifier), and what nobody should learn, which somebody
may know all the same. Rows that are alike but for the latter have ``fewest_values`` different
values of it, so that who knows the rest does not learn it. Who fits no step is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

PERSONS = "sharing_person"
RELEASED = "sharing_released"
SENSITIVE = ("favourite_department", "value_tier")
# Attribute → how it is told, step by step; a step goes on from the one before.
EXACT = {
    "country_code": "country_code",
    "city": "city",
    "born_from": "birth_decade",
    "born_until": "birth_decade + 9",
    "gender": "gender",
    "loyalty_tier": "loyalty_tier",
    "member_since_year": "member_since_year",
}
HIDDEN = "null"
KINDS = {"born_from": "integer", "born_until": "integer", "member_since_year": "integer"}
LADDER: tuple[dict[str, str], ...] = (
    {},
    {"member_since_year": HIDDEN},
    {
        "born_from": "birth_decade - birth_decade % 20",
        "born_until": "birth_decade - birth_decade % 20 + 19",
    },
    {"city": HIDDEN},
    {"loyalty_tier": HIDDEN},
    {"gender": HIDDEN},
    {"born_from": HIDDEN, "born_until": HIDDEN},
)


@dataclass(frozen=True)
class AnonymityReport:
    """What generalising came to, measured on the finished extract."""

    person_count: int  # who might have been in it
    released_count: int
    suppressed_count: int
    smallest_group: int | None  # k as reached, by whole rows; None when nobody is in it
    fewest_values: int | None  # l as reached, "not told" being a value; None when nothing is told
    told_counts: dict[str, int]  # released persons of whom a sensitive attribute is told
    released_by_step: tuple[int, ...]


def generalise(
    connection: duckdb.DuckDBPyConnection,
    smallest_group: int,
    fewest_values: int,
    telling: Sequence[str] = SENSITIVE,
) -> AnonymityReport:
    """Move persons from ``sharing_person`` to ``sharing_released`` as finely as they may be told.

    ``sharing_person`` is a temporary table of token, birth_decade, member_since_year, the
    attributes of ``EXACT`` and the sensitive ones; it is left with those that were suppressed.
    ``telling`` are the sensitive attributes wanted, the most important one first: a coarser view of
    the rest is preferred to leaving one out, and the last is left out first.
    """
    (person_count,) = connection.execute(f"select count(*) from {PERSONS}").fetchone()
    columns = ", ".join(
        f"{name} {KINDS.get(name, 'varchar')}" for name in ("token", *EXACT, *SENSITIVE)
    )
    connection.execute(f"create temp table {RELEASED} ({columns})")
    steps = []
    for wanted in range(len(telling), -1, -1):
        told = dict(EXACT)
        for coarser in LADDER:
            told |= coarser
            steps.append(
                _release(connection, told, telling[:wanted], smallest_group, fewest_values)
            )
    smallest, fewest = _measure(connection)
    counts = ", ".join(f"count({name})" for name in SENSITIVE)
    values = connection.execute(f"select {counts} from {RELEASED}").fetchone()
    released = sum(steps)
    return AnonymityReport(
        person_count,
        released,
        person_count - released,
        smallest,
        fewest,
        dict(zip(SENSITIVE, values, strict=True)),
        tuple(steps),
    )


def _release(
    connection: duckdb.DuckDBPyConnection,
    told: dict[str, str],
    attributes: Sequence[str],
    smallest_group: int,
    fewest_values: int,
) -> int:
    """Release every row of this step that enough persons share, if those like it differ enough.

    Returns how many persons.
    """
    group = ", ".join(EXACT)
    row = ", ".join((*EXACT, *attributes))
    columns = ", ".join(
        f"cast({sql} as {KINDS.get(name, 'varchar')}) as {name}" for name, sql in told.items()
    )
    differing = " and ".join(
        [f"count(distinct {name}) >= {fewest_values}" for name in attributes] or ["true"]
    )
    connection.execute(
        f"""
        insert into {RELEASED} by name
        with shared as (
            select token, {row}
            from (select token, {columns}, {", ".join(SENSITIVE)} from {PERSONS})
            qualify count(*) over (partition by {row}) >= {smallest_group}
        ), diverse as (
            select {group} from shared group by all having {differing}
        )
        select shared.*
        from shared
        inner join diverse on {_same("shared", "diverse", EXACT)}
        """
    )
    gone = connection.execute(
        f"delete from {PERSONS} where token in (select token from {RELEASED})"
    ).fetchone()
    return int(gone[0])


def _measure(connection: duckdb.DuckDBPyConnection) -> tuple[int | None, int | None]:
    """The fewest equal rows, and the fewest values of a sensitive attribute told of a group."""
    group = ", ".join(EXACT)
    values = ", ".join(
        f"case when count({name}) > 0 "
        f"then count(distinct {name}) + (count(*) > count({name}))::integer end"
        for name in SENSITIVE
    )
    return connection.execute(
        f"""
        select
            (select min(persons) from (
                select count(*) as persons
                from {RELEASED}
                group by {group}, {", ".join(SENSITIVE)}
            )),
            (select min(fewest) from (
                select least({values}) as fewest from {RELEASED} group by {group}
            ))
        """
    ).fetchone()


def _same(left: str, right: str, columns: Iterable[str]) -> str:
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in columns)
