"""Generalising persons until each looks like many others in whatever a stranger may know.

Belongs here: the ladder of ever coarser views, k-anonymity and l-diversity on it. Does not: who is
in an extract. What others may know of a person (a quasi-identifier) is told only as finely as at
least ``smallest_group`` persons share it, with at least ``fewest_values`` different values of each
attribute that nobody should learn; who fits no step of the ladder is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

PERSONS = "sharing_person"
RELEASED = "sharing_released"
SENSITIVE = ("value_tier", "favourite_department")
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
    smallest_group: int | None  # k as reached; None when nobody is in it
    fewest_values: int | None  # l as reached
    released_by_step: tuple[int, ...]


def generalise(
    connection: duckdb.DuckDBPyConnection, smallest_group: int, fewest_values: int
) -> AnonymityReport:
    """Move persons from ``sharing_person`` to ``sharing_released`` as finely as they may be told.

    ``sharing_person`` is a temporary table of token, birth_decade, member_since_year, the
    attributes of ``EXACT`` and the sensitive ones; it is left with those that were suppressed.
    """
    (person_count,) = connection.execute(f"select count(*) from {PERSONS}").fetchone()
    told = dict(EXACT)
    steps: list[int] = []
    for coarser in LADDER:
        told |= coarser
        steps.append(_release(connection, told, smallest_group, fewest_values, first=not steps))
    reached = _measure(connection)
    released = sum(steps)
    return AnonymityReport(person_count, released, person_count - released, *reached, tuple(steps))


def _release(
    connection: duckdb.DuckDBPyConnection,
    told: dict[str, str],
    smallest_group: int,
    fewest_values: int,
    *,
    first: bool,
) -> int:
    """Release every group of this step that is large and diverse enough; how many persons."""
    kinds = {"born_from": "integer", "born_until": "integer", "member_since_year": "integer"}
    columns = ", ".join(
        f"cast({sql} as {kinds.get(name, 'varchar')}) as {name}" for name, sql in told.items()
    )
    diverse = " and ".join(
        f"count(distinct {name}) over (partition by {', '.join(EXACT)}) >= {fewest_values}"
        for name in SENSITIVE
    )
    connection.execute(
        f"""
        {f"create temp table {RELEASED} as" if first else f"insert into {RELEASED} by name"}
        select token, {", ".join(EXACT)}, {", ".join(SENSITIVE)}
        from (select token, {columns}, {", ".join(SENSITIVE)} from {PERSONS})
        qualify
            count(*) over (partition by {", ".join(EXACT)}) >= {smallest_group}
            and {diverse}
        """
    )
    gone = connection.execute(
        f"delete from {PERSONS} where token in (select token from {RELEASED})"
    ).fetchone()
    return int(gone[0])


def _measure(connection: duckdb.DuckDBPyConnection) -> tuple[int | None, int | None]:
    """The smallest group of the extract, and the fewest values of a sensitive attribute in one."""
    values = ", ".join(f"count(distinct {name})" for name in SENSITIVE)
    return connection.execute(
        f"""
        select min(persons), min(fewest)
        from (
            select count(*) as persons, least({values}) as fewest
            from {RELEASED}
            group by {", ".join(EXACT)}
        )
        """
    ).fetchone()
