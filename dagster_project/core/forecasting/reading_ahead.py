"""What is known of days beside their amounts: promotions, age, stock, the calendar.

Belongs here: arrays over history and horizon, and which of them have no known future. Does not:
amounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np

from dagster_project.core.forecasting import reading_sql
from dagster_project.core.forecasting.definitions import Definition
from dagster_project.core.forecasting.engine.panel import PROMOTION
from dagster_project.core.forecasting.events import CalendarDay
from dagster_project.core.forecasting.hierarchy import Member
from dagster_project.core.forecasting.reading_rows import EPOCH, Block

WEEKS_SINCE_START = "weeks_since_start"
CALENDAR_MARGIN_DAYS = 45  # the widest window of a feast is 28 days
# Whose holidays dim_date names, in the order of the query; China also works on some weekends.
HOLIDAY_COUNTRIES = ("US", "CN", "IR", "GB", "CN")
# A product of many stores is held back where half of those that keep it are without.
SOLD_OUT_SHARE = 0.5


@dataclass(frozen=True)
class Span:
    """The panel's days."""

    first: date
    origin: date
    horizon: int

    @property
    def day_count(self) -> int:
        """Days of history, the origin included."""
        return (self.origin - self.first).days + 1

    @property
    def last(self) -> date:
        """The last day of the horizon."""
        return self.origin + timedelta(days=self.horizon)


def regressors(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    blocks: Sequence[Block],
    members: Sequence[Member],
    span: Span,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Name → (N, T + H), and in words what was dropped for want of a known future."""
    found: dict[str, np.ndarray] = {}
    notes: list[str] = []
    if PROMOTION in definition.regressors:
        made, told = _promotion(connection, blocks, members, span)
        notes += told
        if made.any():
            found[PROMOTION] = made
    if WEEKS_SINCE_START in definition.regressors:
        found[WEEKS_SINCE_START] = _weeks_since_start(blocks, span)
    return found, notes


def _weeks_since_start(blocks: Sequence[Block], span: Span) -> np.ndarray:
    """(N, T + H) whole weeks since a series' first day; a film's first day in any cinema."""
    start = np.concatenate([_start(block) for block in blocks])
    days = np.arange(span.day_count + span.horizon)
    return np.maximum((days[None, :] - start[:, None]) // 7, 0).astype(float)


def _start(block: Block) -> np.ndarray:
    known = ~np.isnan(block.values)
    start = np.where(known.any(axis=1), known.argmax(axis=1), known.shape[1])
    if "film" in block.level.by:
        own = np.flatnonzero(~block.is_rest)
        films, film = np.unique(block.places["film"][own], return_inverse=True)
        released = np.full(len(films), known.shape[1])
        np.minimum.at(released, film, start[own])
        start[own] = released[film]
    return start


def _promotion(
    connection: duckdb.DuckDBPyConnection,
    blocks: Sequence[Block],
    members: Sequence[Member],
    span: Span,
) -> tuple[np.ndarray, list[str]]:
    """(N, T + H) the share of a series' products on promotion, or whether its sender has one on.

    By product and store where the sender's plan of those reaches past the origin; else by the
    sender's promotions, of which single products know nothing.
    """
    planned = sender_promotions(connection, span)
    covered = _covered_senders(connection, span)
    found = np.zeros((len(members), span.day_count + span.horizon))
    start = 0
    for block in blocks:
        own = members[start : start + len(block.values)]
        target = found[start : start + len(own)]
        start += len(own)
        further = {"department", "product"} & set(block.level.by)
        by_product = np.array([bool(further) and set(one.senders) <= covered for one in own])
        if by_product.any():
            share = _covered_share(connection, block, span)
            target[by_product] = share[by_product]
        if "product" not in further:
            for n in np.flatnonzero(~by_product).tolist():
                for sender in own[n].senders:
                    target[n] = np.maximum(target[n], planned.get(sender, 0.0))
    return found, _dropped(members, set(planned), covered)


def _dropped(members: Sequence[Member], planned: set[str], covered: set[str]) -> list[str]:
    senders = sorted({sender for one in members for sender in one.senders})
    notes = [
        f"promotion of {sender} is dropped: no plan reaches past the last day"
        for sender in senders
        if sender not in planned | covered
    ]
    if any("product" in one.places for one in members):
        notes += [
            f"promotion of the products of {sender} is dropped: "
            "its plan names no product past the last day"
            for sender in senders
            if sender in planned - covered
        ]
    return notes


def sender_promotions(connection: duckdb.DuckDBPyConnection, span: Span) -> dict[str, np.ndarray]:
    """Sender → (T + H,) whether a promotion of at most 28 days is on, 0 or 1.

    A sender none of whose promotions starts after the origin has not told its plan: what the
    horizon holds is unknown, and so promotions are no regressor for it at all.
    """
    rows = connection.execute(
        reading_sql.PROMOTIONS, [reading_sql.LONGEST_PROMOTION_DAYS]
    ).fetchall()
    days = span.day_count + span.horizon
    ahead = {sender for sender, starts_on, _ in rows if starts_on > span.origin}
    found = {sender: np.zeros(days) for sender in sorted(ahead)}
    for sender, starts_on, ends_on in rows:
        if sender in found:
            start, end = (starts_on - span.first).days, (ends_on - span.first).days + 1
            found[sender][max(start, 0) : max(end, 0)] = 1.0
    return found


def _covered_senders(connection: duckdb.DuckDBPyConnection, span: Span) -> set[str]:
    """Senders whose plan of products on promotion reaches past the origin."""
    rows = connection.execute(
        "select distinct sender from core.fct_promotion_coverage "
        "where business_date > $1 and business_date <= $2",
        [span.origin, span.last],
    ).fetchall()
    return {sender for (sender,) in rows}


def _covered_share(connection: duckdb.DuckDBPyConnection, block: Block, span: Span) -> np.ndarray:
    """(n, T + H) pairs on promotion, as a share of the pairs that the plan ever names.

    A rest goes by its parent's share.
    """
    found = np.zeros((len(block.values), span.day_count + span.horizon))
    # A rest of the whole goes by nothing: its products are of all kinds.
    for rest_by in [(), *sorted({one for one in block.rest_by if one})]:
        same = np.array([one == rest_by for one in block.rest_by], dtype=bool)
        chosen = np.flatnonzero(same & (block.is_rest == bool(rest_by)))
        by = rest_by or block.level.by
        if not len(chosen) or not {"product", "department"} & set(by):
            continue
        query = reading_sql.coverage([frozenset(by)])
        rows = connection.execute(query, [span.last]).fetchnumpy()
        places = {name: np.asarray(rows[f"{name}_id"]) for name in by}
        row = row_of(block, chosen, by, places)
        day = np.asarray(rows["day"])
        pairs = np.ones(len(found))
        ever = (day == -1) & (row >= 0)
        pairs[row[ever]] = np.asarray(rows["pair_count"])[ever]
        at = day - (span.first - EPOCH).days
        used = (at >= 0) & (day >= 0) & (row >= 0)
        found[row[used], at[used]] = np.asarray(rows["pair_count"])[used] / pairs[row[used]]
    return found


def row_of(
    block: Block, chosen: np.ndarray, by: Sequence[str], places: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The series of each combination of members, -1 where there is none."""
    count = len(next(iter(places.values())))
    above, below = np.zeros(len(chosen), dtype=np.int64), np.zeros(count, dtype=np.int64)
    told = np.ones(count, dtype=bool)
    for name in by:
        own = block.places[name][chosen]
        size = int(max(own.max(initial=0), places[name].max(initial=0))) + 1
        above, below = above * size + own, below * size + places[name]
        told &= places[name] >= 0
    order = np.argsort(above, kind="stable")
    at = np.searchsorted(above, below, sorter=order)
    at = np.minimum(at, len(chosen) - 1)
    hit = told & (above[order[at]] == below)
    return np.where(hit, chosen[order[at]], -1)


def sold_out(
    connection: duckdb.DuckDBPyConnection, blocks: Sequence[Block], span: Span
) -> np.ndarray:
    """(N, T) products without stock: in their store, or in half of the stores that keep them."""
    found = []
    for block in blocks:
        flags = np.zeros(block.values.shape, dtype=bool)
        queries = {("product",): reading_sql.SOLD_OUT_PRODUCTS,
                   ("product", "store"): reading_sql.SOLD_OUT_PAIRS}  # fmt: skip
        query = queries.get(tuple(sorted(block.level.by)))
        own = np.flatnonzero(~block.is_rest)
        if query is not None and len(own):
            bound: list[Any] = [span.first, span.origin]
            if block.level.by == ("product",):
                bound.append(SOLD_OUT_SHARE)
            rows = connection.execute(query, bound).fetchnumpy()
            places = {name: np.asarray(rows[f"{name}_id"]) for name in block.level.by}
            row = row_of(block, own, block.level.by, places)
            at = np.asarray(rows["day"]) - (span.first - EPOCH).days
            flags[row[row >= 0], at[row >= 0]] = True
        found.append(flags)
    return np.concatenate(found)


def calendar(connection: duckdb.DuckDBPyConnection, span: Span) -> tuple[CalendarDay, ...]:
    """Every day of the panel, with a margin on both sides."""
    margin = timedelta(days=CALENDAR_MARGIN_DAYS)
    rows = connection.execute(
        reading_sql.CALENDAR, [span.first - margin, span.last + margin]
    ).fetchall()
    return tuple(_calendar_day(row) for row in rows)


def _calendar_day(row: tuple[Any, ...]) -> CalendarDay:
    named = zip(HOLIDAY_COUNTRIES, row[6:], strict=True)
    return CalendarDay(*row[:6], frozenset((country, name) for country, name in named if name))
