"""The series of one forecast, read from the star into the panel that the engine goes by.

Belongs here: which series there are, which days count, in what order. Does not: SQL
(``reading_sql``), amounts of members (``reading_rows``), what is known ahead (``reading_ahead``),
models.

A day has an amount when the series could sell: 0 where its store or banner traded and it sold
nothing, NaN where it was closed, had not begun, or a line could not be converted. Stores are as
they are today, so that a banner is the sum of its stores for the whole of its history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np

from dagster_project.core.forecasting import hierarchy, reading_ahead, reading_sql
from dagster_project.core.forecasting.definitions import Definition
from dagster_project.core.forecasting.engine.panel import Panel
from dagster_project.core.forecasting.engine.weeks import closed_ahead
from dagster_project.core.forecasting.hierarchy import Member, Sums, series_key
from dagster_project.core.forecasting.origin import last_complete_day
from dagster_project.core.forecasting.reading_names import Names
from dagster_project.core.forecasting.reading_programme import PROGRAMME, programme
from dagster_project.core.forecasting.reading_rows import Block, Rows, read_blocks


@dataclass(frozen=True)
class Reading:
    """One forecast's series, with what they are of."""

    definition: Definition
    panel: Panel
    members: tuple[Member, ...]  # (N,) parallel to the panel's rows
    left_out: tuple[tuple[str, int], ...]  # level and how many were too small for a series
    notes: tuple[str, ...]  # in words: what was left out, what is not known ahead

    def sums(self) -> tuple[Sums, ...]:
        """Which series sum to which."""
        return hierarchy.sums(self.definition.series, self.members, self.panel.values)

    @property
    def smooth(self) -> np.ndarray:
        """(N,) bool: series that may be tried with the models for smooth demand."""
        kinds = {one.level: one.set == "smooth" for one in self.definition.series}
        return np.array([kinds[one.level] for one in self.members], dtype=bool)


def read(connection: duckdb.DuckDBPyConnection, definition: Definition) -> Reading | None:
    """The series up to the last complete business day; None when there are none.

    Reads marts only. The same rows give the same panel, bit for bit, in whatever order they stand.
    """
    origin = last_complete_day(connection)
    if origin is None:
        return None
    columns = _columns(connection, definition.source)
    if not columns:
        return None
    try:
        for statement in reading_sql.number_members(definition, columns):
            connection.execute(statement, [origin] if "$1" in statement else [])
        rows = Rows.read(connection, definition, columns, origin)
        if not len(rows.day):
            return None
        names = Names.read(connection, definition, rows.stores_of_channels())
        blocks, notes = read_blocks(rows, names.within(), definition.series)
        span = reading_ahead.Span(rows.first_date, origin, definition.horizon_days)
        found = _reading(connection, definition, blocks, names, span)
        return found and replace(found, notes=(*notes, *found.notes))
    finally:
        reading_sql.drop_numbers(connection)


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> set[str]:
    """Columns of the mart; none where it has never been built."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where concat(schema_name, '.', table_name) = $1",
        [source],
    ).fetchall()
    return {column for (column,) in rows}


def _reading(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    blocks: Sequence[Block],
    names: Names,
    span: reading_ahead.Span,
) -> Reading | None:
    blocks = [_in_order(block, names) for block in _without_lone_banner(blocks)]
    members = _with_parents(
        [one for block in blocks for one in _members(block, names, span.first)], definition
    )
    if not members:
        return None
    values = np.concatenate([block.values for block in blocks])
    history = np.concatenate([block.closed for block in blocks])
    regressors, dropped = reading_ahead.regressors(connection, definition, blocks, members, span)
    if PROGRAMME in definition.regressors:
        shows, told = programme(connection, blocks, span)
        regressors |= shows
        dropped += told
    panel = Panel(
        first_date=span.first,
        horizon=definition.horizon_days,
        keys=tuple(one.key for one in members),
        segments=tuple(":".join(filter(None, (one.level, one.banner))) for one in members),
        values=values,
        closed=np.pad(history, ((0, 0), (0, definition.horizon_days))),
        sold_out=reading_ahead.sold_out(connection, blocks, span) & ~history,
        regressors=regressors,
        countries=_countries(definition, blocks, names),
        calendar=reading_ahead.calendar(connection, span),
        closures_announced=False,
    )
    panel.closed[:, panel.day_count :] = closed_ahead(panel)
    left_out = tuple((block.level.level, block.left_out) for block in blocks)
    return Reading(definition, panel, tuple(members), left_out, tuple(dropped))


def _without_lone_banner(blocks: Sequence[Block]) -> list[Block]:
    """All but the level of a single banner: that is the total under another name."""
    has_total = any(not block.level.by for block in blocks)
    return [
        block
        for block in blocks
        if not (has_total and block.level.by == ("banner",) and len(block.values) == 1)
    ]


def _in_order(block: Block, names: Names) -> Block:
    keys = [_key(block, names, n) for n in range(len(block.values))]
    order = sorted(range(len(keys)), key=lambda n: (bool(block.is_rest[n]), keys[n]))
    return block.only(np.array(order, dtype=int))


def _key(block: Block, names: Names, n: int) -> str:
    return series_key(block.level.level, names.parts(block.told(n)), is_rest=bool(block.is_rest[n]))


def _members(block: Block, names: Names, first: date) -> list[Member]:
    """The members of a level, without their parents."""
    known = ~np.isnan(block.values)
    begun = np.where(known.any(axis=1), known.argmax(axis=1), -1).tolist()
    found = []
    for n, start in enumerate(begun):
        told, is_rest = block.told(n), bool(block.is_rest[n])
        code, name = names.described(told)
        last = int(block.last_sold[n])
        found.append(
            Member(
                key=_key(block, names, n),
                level=block.level.level,
                member_code=f"{code}:{hierarchy.REST}" if is_rest else code,
                member_name=f"{name}, all others" if is_rest else name,
                banner=names.banner(block.places_of(n)),
                parents=(),
                senders=names.area(block.places_of(n)).senders,
                first_date=_day(first, start),
                last_sold_date=_day(first, last),
                selling_days=int(block.selling_days[n]),
                is_rest=is_rest,
                places=block.places_of(n),
            )
        )
    return found


def _day(first: date, index: int) -> date | None:
    return None if index < 0 else date.fromordinal(first.toordinal() + index)


def _with_parents(members: list[Member], definition: Definition) -> list[Member]:
    known = {
        (one.level, hierarchy.place_of(definition.level(one.level).by, one.places)): one.key
        for one in members
        if not one.is_rest
    }
    above = {
        own.level: [up for up in definition.series if hierarchy.is_parent(up, own)]
        for own in definition.series
    }
    found = []
    for one in members:
        places = ((up.level, hierarchy.place_of(up.by, one.places)) for up in above[one.level])
        keys = (known.get(place) for place in places)
        found.append(replace(one, parents=tuple(key for key in keys if key is not None)))
    return found


def _countries(
    definition: Definition, blocks: Sequence[Block], names: Names
) -> tuple[tuple[str, ...], ...]:
    """Whose feasts each series keeps."""
    rows = [block.places_of(n) for block in blocks for n in range(len(block.values))]
    if definition.events == "none":
        return ((),) * len(rows)
    return tuple(names.area(places).countries for places in rows)
