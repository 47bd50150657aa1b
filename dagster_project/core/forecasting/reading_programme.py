"""The shows of films, as the programme tells: by slot, with their seats, some days ahead.

Belongs here: shows and seats of each series, for how many days ahead the programme is told. Does
not: which shows there may be after that (``engine.film_programme``).

A show is known by its first ticket, so a coming day is known only as far as seats are sold ahead.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np

from dagster_project.core.forecasting.engine.film_programme import (
    KNOWN_DAYS,
    SEATS,
    SHOWS_OF,
)
from dagster_project.core.forecasting.engine.panel import WEEK
from dagster_project.core.forecasting.reading_ahead import Span, row_of
from dagster_project.core.forecasting.reading_rows import EPOCH, Block

PROGRAMME = "programme"  # the regressor by which a definition asks for all of these
# A day ahead is told when it has that share of the shows of the same weekday a week before; what
# is missing has sold no ticket yet.
TOLD_SHARE = 0.8

# Grain: one row per show of a known film. Slot 0 begins before 17:00, 2 from 21:00 on or at night;
# a show at an unknown hour is taken for an evening's. Seats are 0 where a class does not tell its.
_SHOWS = """
select
    cast(datediff('day', date '1970-01-01', o.show_date) as integer) as day,
    s.store_id, s.sender_id, s.banner_id, f.id as film_id,
    cast(case
        when min(t.hour) between 6 and 16 then 0
        when min(t.hour) >= 21 or min(t.hour) < 6 then 2
        else 1
    end as integer) as slot,
    cast(case when min(coalesce(o.seat_count, 0)) > 0 then sum(o.seat_count) else 0 end as double)
        as seats,
from core.fct_seat_occupancy as o
inner join forecast_store as s on s.store_durable_key = o.store_durable_key
inner join forecast_film as f on f.line_key = o.film_key
left join core.dim_time_of_day as t
    on t.time_of_day_key = o.time_of_day_key and t.time_of_day_key >= 0
where o.show_date between $1 and $2
group by o.show_date, s.store_id, s.sender_id, s.banner_id, f.id, o.show_key
"""


def programme(
    connection: duckdb.DuckDBPyConnection, blocks: Sequence[Block], span: Span
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Name → (N, T + H): shows by slot, their seats (0 = not known), days ahead that are told.

    Empty where no show is known; and in words how far the programme is told. After the members
    were numbered, films among them.
    """
    found = connection.execute(_SHOWS, [span.first, span.last]).fetchnumpy()
    shows = {name: np.asarray(column) for name, column in found.items()}
    if not len(shows["day"]):
        return {}, ["programme is dropped: no show of a known film"]
    day = shows["day"] - (span.first - EPOCH).days
    parts = [_of_block(block, shows, day, span) for block in blocks]
    made = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    known = _told_days(shows["store_id"], day, span)
    note = (
        f"programme is told for {known} of {span.horizon} days ahead: after them films keep the "
        "shows of their last week as films usually do"
    )
    return made | {KNOWN_DAYS: np.full(made[SEATS].shape, float(known))}, [note]


def _of_block(
    block: Block, shows: dict[str, np.ndarray], day: np.ndarray, span: Span
) -> dict[str, np.ndarray]:
    """Shows and seats of one level's series; none of what is added up in a rest."""
    own = np.flatnonzero(~block.is_rest)
    shape = (len(block.values), span.day_count + span.horizon)
    made = {name: np.zeros(shape) for name in (*SHOWS_OF, SEATS)}
    if not len(own):
        return made
    places = {name: shows[f"{name}_id"] for name in block.level.by}
    row = row_of(block, own, block.level.by, places) if places else np.full(len(day), own[0])
    used = row >= 0
    for slot, name in enumerate(SHOWS_OF):
        chosen = used & (shows["slot"] == slot)
        np.add.at(made[name], (row[chosen], day[chosen]), 1.0)
    np.add.at(made[SEATS], (row[used], day[used]), shows["seats"][used])
    unknown = used & (shows["seats"] <= 0)
    made[SEATS][row[unknown], day[unknown]] = 0.0
    return made


def _told_days(store: np.ndarray, day: np.ndarray, span: Span) -> int:
    """Days after the origin for which every cinema that is in business tells its programme."""
    count = np.zeros((int(store.max()) + 1, span.day_count + span.horizon))
    np.add.at(count, (store, day), 1.0)
    recent = count[:, max(span.day_count - WEEK, 0) : span.day_count].sum(axis=1) > 0
    for ahead in range(span.day_count, count.shape[1]):
        before = count[recent, max(ahead - WEEK, 0)]
        if not recent.any() or not (count[recent, ahead] >= TOLD_SHARE * before).all():
            return ahead - span.day_count
    return span.horizon
