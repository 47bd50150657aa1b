"""Damage to loaded rows, one column or day at a time, drawn by a seed.

Belongs here: which damages there are, to what each applies, and its SQL. Does not: what finds them
(``mutations``). A corruption is done to the raw table that a staging model reads one to one, with
loads and keys left as they were: no loader has seen it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb

LEAST_ROWS = 200  # smaller tables hold too little to be damaged visibly
FILLED = 0.5  # share of rows in which a column says something
NUMBERS = ("DECIMAL", "DOUBLE", "BIGINT", "INTEGER", "HUGEINT")
MOMENTS = ("TIMESTAMP", "DATE")


@dataclass(frozen=True)
class Place:
    """A table's column, and what else of the table a damage goes by."""

    table: str
    column: str
    kind: str  # DuckDB's type
    moment: str | None  # the column by which the table's rows fall on days
    store: str | None

    @property
    def is_number(self) -> bool:
        """Whether it can be multiplied."""
        return self.kind.startswith(NUMBERS)

    @property
    def is_moment(self) -> bool:
        """Whether it can be moved by a day."""
        return self.kind.startswith(MOMENTS)


@dataclass(frozen=True)
class Corruption:
    """One damage: its name, where, and the statements that do it."""

    name: str
    place: Place
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.place.table}.{self.place.column}"


def places(connection: duckdb.DuckDBPyConnection) -> list[Place]:
    """Every column of a raw table with enough rows that says something in enough of them."""
    found = []
    for (table,) in connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'raw' order by table_name"
    ).fetchall():
        described = connection.execute(f"describe raw.{table}").fetchall()
        kinds = {name: kind for name, kind, *_ in described if not name.startswith("_")}
        shares = ", ".join(f'count("{name}") / greatest(count(*), 1)' for name in kinds)
        rows, *filled = connection.execute(f"select count(*), {shares} from raw.{table}").fetchone()
        if rows < LEAST_ROWS:
            continue
        moment = next((name for name, kind in kinds.items() if kind.startswith(MOMENTS)), None)
        store = "store_code" if "store_code" in kinds else None
        found += [
            Place(f"raw.{table}", name, kind, moment, store)
            for (name, kind), share in zip(kinds.items(), filled, strict=True)
            if share >= FILLED
        ]
    return found


def _some(share: int, seed: int) -> str:
    """So many of a hundred rows, the same ones whenever it is asked."""
    return f"hash(_record_key, {seed}) % 100 < {share}"


def _emptied(place: Place, seed: int) -> tuple[str, ...]:
    return (f"update {place.table} set {place.column} = null where {_some(30, seed)}",)


def _hundredfold(place: Place, seed: int) -> tuple[str, ...]:
    return (
        f"update {place.table} set {place.column} = {place.column} * 100 where {_some(10, seed)}",
    )


def _negated(place: Place, seed: int) -> tuple[str, ...]:
    return (f"update {place.table} set {place.column} = -{place.column} where {_some(10, seed)}",)


def _stuck(place: Place, seed: int) -> tuple[str, ...]:
    return (
        f"update {place.table} set {place.column} = "
        f"(select mode({place.column}) from {place.table})",
    )


def _unknown_code(place: Place, seed: int) -> tuple[str, ...]:
    return (
        f"update {place.table} set {place.column} = '?' || left({place.column}, 1) "
        f"where {_some(10, seed)}",
    )


def _shuffled(place: Place, seed: int) -> tuple[str, ...]:
    """Every value stays, each at another row."""
    return (
        f"create or replace temp table shuffled as select a._record_key, b.{place.column} as given "
        f"from (select _record_key, row_number() over (order by hash(_record_key)) as n "
        f"from {place.table}) as a inner join (select {place.column}, row_number() over "
        f"(order by hash(_record_key, {seed})) as n from {place.table}) as b using (n)",
        f"update {place.table} as t set {place.column} = given from temp.shuffled as s "
        f"where t._record_key = s._record_key",
    )


def _a_day_late(place: Place, seed: int) -> tuple[str, ...]:
    return (
        f"update {place.table} set {place.column} = {place.column} + interval 1 day "
        f"where {_some(20, seed)}",
    )


def _a_day_lost(place: Place, seed: int) -> tuple[str, ...]:
    day = f"cast({place.moment} as date)"
    return (
        f"delete from {place.table} where {day} = (select {day} from {place.table} "
        f"group by 1 order by hash({day}, {seed}) limit 1)",
    )


def _a_day_repeated(place: Place, seed: int) -> tuple[str, ...]:
    """A day's rows a second time under keys of their own, as from a till that sends twice."""
    day = f"cast({place.moment} as date)"
    return (
        f"insert into {place.table} by name select * replace (_record_key + 1 as _record_key, "
        f"{place.column} || 'x' as {place.column}) from {place.table} where {day} = "
        f"(select {day} from {place.table} group by 1 order by hash({day}, {seed}) limit 1)",
    )


def _rows_lost(place: Place, seed: int) -> tuple[str, ...]:
    return (f"delete from {place.table} where {_some(10, seed)}",)


def _stores_swapped(place: Place, seed: int) -> tuple[str, ...]:
    codes = (
        f"select store_code from {place.table} group by 1 order by hash(store_code, {seed}) limit 2"
    )
    return (
        f"update {place.table} set store_code = case store_code "
        f"when (select min(store_code) from ({codes})) then (select max(store_code) from ({codes}))"
        f" else (select min(store_code) from ({codes})) end where store_code in ({codes})",
    )


Applies = Callable[[Place], bool]
Damage = Callable[[Place, int], tuple[str, ...]]
DAMAGES: dict[str, tuple[Applies, Damage]] = {
    "emptied": (lambda place: True, _emptied),
    "hundredfold": (lambda place: place.is_number, _hundredfold),
    "negated": (lambda place: place.is_number, _negated),
    "stuck": (lambda place: True, _stuck),
    "unknown code": (lambda place: place.kind == "VARCHAR", _unknown_code),
    "shuffled": (lambda place: True, _shuffled),
    "a day late": (lambda place: place.is_moment, _a_day_late),
    "a day lost": (lambda place: place.moment == place.column, _a_day_lost),
    "a day repeated": (
        lambda place: (
            place.moment is not None
            and place.kind == "VARCHAR"
            and place.column.endswith(("_id", "_number"))
        ),
        _a_day_repeated,
    ),
    "rows lost": (lambda place: place.moment == place.column, _rows_lost),
    "stores swapped": (lambda place: place.column == place.store, _stores_swapped),
}


def draw(found: Sequence[Place], count: int, seed: int) -> list[Corruption]:
    """So many corruptions: a damage, then a table that it applies to, then a column of that."""
    chance = random.Random(seed)
    drawn: list[Corruption] = []
    while len(drawn) < count:
        name = chance.choice(list(DAMAGES))
        applies, damage = DAMAGES[name]
        fitting = [place for place in found if applies(place)]
        table = chance.choice(sorted({place.table for place in fitting}))
        place = chance.choice([place for place in fitting if place.table == table])
        drawn.append(Corruption(name, place, damage(place, chance.randrange(1_000_000))))
    return drawn


def corrupt(connection: duckdb.DuckDBPyConnection, corruption: Corruption) -> int:
    """Do it; the number of rows that are other than before."""
    table = corruption.place.table
    connection.execute(f"create or replace temp table before as from {table}")
    for statement in corruption.statements:
        connection.execute(statement)
    (changed,) = connection.execute(
        f"select (select count(*) from (from {table} except all from temp.before)) + "
        f"(select count(*) from (from temp.before except all from {table}))"
    ).fetchone()
    connection.execute("drop table temp.before")
    return int(changed)
