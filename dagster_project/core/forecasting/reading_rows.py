"""Days and amounts of members, pivoted from the rows of one query into one array per level.

Belongs here: which members are series, their amounts, what is added up in a rest. Does not: SQL,
names of series, anything ahead. No step goes row by row; sums are of whole ten-thousandths, and so
the same in any order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import duckdb
import numpy as np

from dagster_project.core.forecasting import reading_sql
from dagster_project.core.forecasting.definitions import Definition, Level
from dagster_project.core.forecasting.hierarchy import is_parent, reach
from dagster_project.core.forecasting.trading import open_days

FRACTIONS = 10_000  # amounts are decimals of four places
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Part:
    """Rows of one cut: parallel arrays."""

    day: np.ndarray  # from the panel's first day
    places: Mapping[str, np.ndarray]  # dimension → number of the member
    amount: np.ndarray
    is_unconverted: np.ndarray


@dataclass(frozen=True)
class Rows:
    """What the query found, for all cuts."""

    cut: np.ndarray
    day: np.ndarray  # since 1970
    places: Mapping[str, np.ndarray]
    amount: np.ndarray
    is_unconverted: np.ndarray
    last_day: int  # since 1970: the origin

    @classmethod
    def read(
        cls,
        connection: duckdb.DuckDBPyConnection,
        definition: Definition,
        columns: Collection[str],
        origin: date,
    ) -> Rows:
        """Amounts per day of every member of every level, and of all that trading is told by."""
        query = reading_sql.daily(definition, columns, cuts_needed(definition.series))
        found = connection.execute(query, [origin]).fetchnumpy()
        plain = {name: np.asarray(column) for name, column in found.items()}
        places = {name: plain[f"{name}_id"] for name in reading_sql.CUT_BY}
        return cls(
            plain["cut"], plain["day"], places, plain["amount"],
            plain["is_unconverted"].astype(bool), (origin - EPOCH).days,
        )  # fmt: skip

    @cached_property
    def first_day(self) -> int:
        """Since 1970: the earliest day with a line."""
        return int(self.day.min())

    @property
    def first_date(self) -> date:
        """The panel's first day."""
        return EPOCH + timedelta(days=self.first_day)

    @property
    def day_count(self) -> int:
        """Days of history, the origin included."""
        return self.last_day - self.first_day + 1

    def stores_of_channels(self) -> dict[int, frozenset[int]]:
        """The stores that ever sold through a channel, where the query was asked for them."""
        pairs = self.of(["channel", "store"]).places
        found = np.unique(np.stack([pairs["channel"], pairs["store"]], axis=1), axis=0).tolist()
        return {
            channel: frozenset(store for one, store in found if one == channel)
            for channel in {one for one, _ in found}
        }

    def of(self, by: Collection[str]) -> Part:
        """The rows of a cut whose members are all known."""
        chosen = self.cut == reading_sql.cut_number(by)
        for name in by:
            chosen &= self.places[name] >= 0
        return Part(
            self.day[chosen] - self.first_day,
            {name: self.places[name][chosen] for name in by},
            self.amount[chosen],
            self.is_unconverted[chosen],
        )


def cuts_needed(levels: Sequence[Level]) -> set[frozenset[str]]:
    """The cuts of the levels, and those by which it is known who traded, and where."""
    found = {frozenset(level.by) for level in levels}
    found |= {frozenset([one]) for level in levels if (one := traded_by(level.by))}
    if any("channel" in level.by and "store" not in level.by for level in levels):
        found.add(frozenset(["channel", "store"]))
    return found


def traded_by(by: Collection[str]) -> str | None:
    """Whose trade tells that a series could have sold: its store's, else banner's or sender's.

    None where its own sales alone tell it.
    """
    order = ("store", "banner", "sender")
    further = {"department", "product", "film"} & set(by)
    if not further:
        return None
    return next((one for one in order if one in reach(by)), None)


@dataclass(frozen=True)
class Block:
    """The series of one level: arrays parallel to each other."""

    level: Level
    places: Mapping[str, np.ndarray]  # dimension → number, for all that a series is within; or -1
    values: np.ndarray  # (n, T) NaN = nothing to learn
    closed: np.ndarray  # (n, T) no trade that day
    selling_days: np.ndarray  # (n,)
    last_sold: np.ndarray  # (n,) day, -1 = never
    is_rest: np.ndarray  # (n,)
    rest_by: np.ndarray  # (n,) what a rest is told by: the cut of its parent, as a tuple
    left_out: int  # members that are no series

    def told(self, n: int) -> dict[str, int]:
        """The numbers that tell the series from its like."""
        by = self.rest_by[n] if self.is_rest[n] else self.level.by
        return {name: int(self.places[name][n]) for name in by}

    def places_of(self, n: int) -> dict[str, int]:
        """The numbers of all that the series is within."""
        return {name: int(place[n]) for name, place in self.places.items() if place[n] >= 0}

    def only(self, rows: np.ndarray) -> Block:
        """Some of the series, in the order given."""
        names = ("values", "closed", "selling_days", "last_sold", "is_rest", "rest_by")
        places = {name: place[rows] for name, place in self.places.items()}
        return replace(self, places=places, **{name: getattr(self, name)[rows] for name in names})


@dataclass(frozen=True)
class _Pivot:
    """Members of one level before they are chosen, and the member of each row."""

    level: Level
    part: Part
    places: Mapping[str, np.ndarray]  # (M,) of each member, for all it is within
    member: np.ndarray  # (rows,)
    selling_days: np.ndarray  # (M,)
    last_sold: np.ndarray  # (M,)
    has_amounts: np.ndarray  # (M,) bool: any amount but 0

    @classmethod
    def of(cls, rows: Rows, level: Level, within: Mapping[str, np.ndarray]) -> _Pivot:
        part = rows.of(level.by)
        code = codes(part.places, level.by, len(part.day))
        _, first, member = np.unique(code, return_index=True, return_inverse=True)
        places = {name: part.places[name][first] for name in level.by}
        for inner, outer in (key.split(".") for key in within):
            if inner in places and outer not in places:
                places[outer] = within[f"{inner}.{outer}"][places[inner]]
        sold = part.amount > 0
        days = np.bincount(member, weights=sold, minlength=len(first)).astype(int)
        last = np.full(len(first), -1)
        np.maximum.at(last, member[sold], part.day[sold])
        moved = np.bincount(member, weights=part.amount != 0, minlength=len(first)) > 0
        return cls(level, part, places, member, days, last, moved)

    def kept(self, day_count: int) -> np.ndarray:
        """(M,) bool: members that are series of their own."""
        least = self.level.least
        kept = self.selling_days >= least.selling_days
        if least.recent_days is not None:
            kept &= self.last_sold >= day_count - least.recent_days
        if self.level.most is not None and kept.sum() > self.level.most:
            busiest = np.lexsort((np.arange(len(kept)), -self.selling_days, ~kept))
            kept[busiest[self.level.most :]] = False
        return kept

    def added(self, target: np.ndarray, count: int, day_count: int) -> tuple[np.ndarray, ...]:
        """(count, T) amounts, days with a line, days not converted; member → target, -1 none."""
        row = target[self.member]
        used = row >= 0
        at = row[used], self.part.day[used]
        whole = np.zeros((count, day_count), dtype=np.int64)
        np.add.at(whole, at, np.rint(self.part.amount[used] * FRACTIONS).astype(np.int64))
        seen = np.zeros((count, day_count), dtype=bool)
        seen[at] = True
        unknown = np.zeros((count, day_count), dtype=bool)
        unknown[tuple(one[self.part.is_unconverted[used]] for one in at)] = True
        return whole / FRACTIONS, seen, unknown


def read_blocks(
    rows: Rows, within: Mapping[str, np.ndarray], levels: Sequence[Level]
) -> tuple[list[Block], list[str]]:
    """The series of every level, and in words what was left out of them.

    ``within``: ``store.banner`` and the like, the number of the one by the number of the other.
    """
    made: dict[str, Block] = {}
    notes = []
    for level in sorted(levels, key=lambda one: len(reach(one.by))):
        pivot = _Pivot.of(rows, level, within)
        parents = [made[up.level] for up in levels if is_parent(up, level) and up.level in made]
        block = _block(rows, pivot, sorted(parents, key=_distance))
        made[level.level] = block
        if block.left_out:
            notes.append(_told(block))
    return [made[level.level] for level in levels], notes


def _distance(parent: Block) -> tuple[int, int]:
    """The more finely a parent is cut, the nearer it is."""
    return -len(reach(parent.level.by)), -len(parent.values)


def _told(block: Block) -> str:
    least = block.level.least
    recent = f", the last in {least.recent_days} days" if least.recent_days else ""
    most = f"; at most {block.level.most} series" if block.level.most else ""
    return (
        f"{block.level.level}: {block.left_out} members are no series of their own; "
        f"{int(block.is_rest.sum())} rests hold what they add to other series "
        f"(wanted: {least.selling_days} selling days{recent}{most})"
    )


def _block(rows: Rows, pivot: _Pivot, parents: Sequence[Block]) -> Block:
    """``parents`` nearest first: what is no series goes to the rest of the first that is one."""
    kept = pivot.kept(rows.day_count)
    for parent in parents:  # the part of what is no series is none either
        kept &= _above(pivot, parent)[2]
    target = np.where(kept, np.cumsum(kept) - 1, -1)
    count = int(kept.sum())
    places = {name: place[kept] for name, place in pivot.places.items()}
    rest_by: list[tuple[str, ...]] = [()] * count
    left = ~kept
    for parent in parents:
        rests, own = _rests(pivot, kept, left, parent)
        target = np.where(rests >= 0, rests + len(rest_by), target)
        left &= rests < 0
        rest_by += [parent.level.by] * len(own)
        none = np.full(len(own), -1)
        for name, place in places.items():
            above = parent.places[name][own] if name in parent.places else none
            places[name] = np.append(place, above)
    total = int(target.max(initial=-1)) + 1
    values, seen, unknown = pivot.added(target, total, rows.day_count)
    traded = _traded(rows, pivot.level, places, seen)
    begun = np.cumsum(seen, axis=1) > 0
    values[unknown | ~begun | ~(traded | seen)] = np.nan
    sold = np.nan_to_num(values) > 0
    last = np.where(sold.any(axis=1), rows.day_count - 1 - sold[:, ::-1].argmax(axis=1), -1)
    return Block(
        pivot.level, places, values, ~(traded | seen), sold.sum(axis=1), last,
        np.arange(total) >= count, _as_objects(rest_by), int((~kept).sum()),
    )  # fmt: skip


def _as_objects(tuples: Sequence[tuple[str, ...]]) -> np.ndarray:
    found = np.empty(len(tuples), dtype=object)
    for n, one in enumerate(tuples):  # numpy would take tuples of one length for a table
        found[n] = one
    return found


def _above(pivot: _Pivot, parent: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of the parent's series (rests -1) and of each member; whether it is part of one."""
    by = parent.level.by
    width = [int(max(pivot.places[n].max(initial=0), parent.places[n].max(initial=0))) + 1
             for n in by]  # fmt: skip
    above = _ravelled(parent.places, by, width, len(parent.values))
    above = np.where(parent.is_rest, -1, above)
    below = _ravelled(pivot.places, by, width, len(pivot.selling_days))
    return above, below, np.isin(below, above)


def _rests(
    pivot: _Pivot, kept: np.ndarray, left: np.ndarray, parent: Block
) -> tuple[np.ndarray, np.ndarray]:
    """Number of the rest of each member, -1 = none; the parent's row of each rest.

    A parent none of whose parts is a series has no rest: it would be the parent again. Members
    that never had an amount are missing from no sum.
    """
    above, below, is_part = _above(pivot, parent)
    wanted = np.isin(below, below[kept]) & left & is_part
    found = np.unique(below[wanted & pivot.has_amounts])
    wanted &= np.isin(below, found)
    order = np.argsort(above, kind="stable")
    own = order[np.searchsorted(above, found, sorter=order)]
    return np.where(wanted, np.searchsorted(found, below), -1), own


def _traded(
    rows: Rows, level: Level, places: Mapping[str, np.ndarray], seen: np.ndarray
) -> np.ndarray:
    """(n, T) whether the store, banner or sender of each series traded."""
    reference = traded_by(level.by)
    weekday = rows.first_date.weekday()
    if not len(seen):
        return seen
    if reference is None:
        return open_days(seen, weekday)
    part = rows.of([reference])
    size = int(max(part.places[reference].max(initial=0), places[reference].max(initial=0))) + 1
    # The last row is for series that are of none: a rest of the whole traded where any did.
    days = np.zeros((size + 1, rows.day_count), dtype=bool)
    days[part.places[reference], part.day] = True
    days = open_days(days, weekday)
    days[size] = days.any(axis=0)
    return days[places[reference]]


def codes(places: Mapping[str, np.ndarray], by: Sequence[str], count: int) -> np.ndarray:
    """(count,) one whole number for each combination of members."""
    width = [int(places[name].max(initial=0)) + 1 for name in by]
    return _ravelled(places, by, width, count)


def _ravelled(
    places: Mapping[str, np.ndarray], by: Sequence[str], width: Sequence[int], count: int
) -> np.ndarray:
    code = np.zeros(count, dtype=np.int64)
    for name, size in zip(by, width, strict=True):
        code = code * size + places[name]
    return code
