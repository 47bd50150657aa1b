"""The last business day that is complete: forecasts start from the day after it.

A market is a sender's stores of one country. Its last day with sales is complete when it has at
least half of the lines usual on that weekday, and when selling went on until no more than an hour
before the earliest last sale of the four weeks before. Otherwise it may have been delivered in
part, and the day before it is taken: in doubt one day too early, never half a day as a whole one.
The origin is the earliest of the markets' last complete days, so that all series share it; a
market that is more than 28 days behind has ended and holds nobody back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median

import duckdb

USUAL_WEEKS = 8
USUAL_DAYS = 28
SMALLEST_SHARE = 0.5
EARLY_SECONDS = 3600
ENDED_DAYS = 28


@dataclass(frozen=True)
class MarketDay:
    """Lines of one market's business day, and when its last one was sold."""

    day: date
    line_count: int
    last_sale_seconds: float  # since 00:00 of the business date, in the store's time


def last_complete_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The origin by the rule above; None when nothing was sold."""
    rows = connection.execute(_MARKET_DAYS).fetchall()
    markets = [
        [MarketDay(*row[2:]) for row in group]
        for _, group in groupby(rows, key=lambda row: (row[0], row[1]))
    ]
    if not markets:
        return None
    newest = max(market[-1].day for market in markets)
    alive = [m for m in markets if (newest - m[-1].day).days <= ENDED_DAYS]
    return min(complete_day(market) for market in alive)


def complete_day(market: Sequence[MarketDay]) -> date:
    """The last complete day of one market, given its days with sales in order."""
    last = market[-1]
    earlier = market[:-1]
    same_weekday = [
        one.line_count
        for one in earlier
        if one.day.weekday() == last.day.weekday() and (last.day - one.day).days <= 7 * USUAL_WEEKS
    ]
    closings = [one.last_sale_seconds for one in earlier if (last.day - one.day).days <= USUAL_DAYS]
    is_small = bool(same_weekday) and last.line_count < SMALLEST_SHARE * median(same_weekday)
    is_early = bool(closings) and last.last_sale_seconds < min(closings) - EARLY_SECONDS
    return last.day - timedelta(days=1) if is_small or is_early else last.day


# Grain: one row per sender, country and business day with a line. Times are the store's own, or a
# change to summer time would look like an early closing.
_MARKET_DAYS = """
with store_days as (
    select sender, store_key, business_date, count(*) as line_count, max(sold_at) as last_sold_at,
    from core.fct_sales_line
    group by sender, store_key, business_date
)
select
    d.sender,
    coalesce(s.country_code, '') as country_code,
    d.business_date,
    cast(sum(d.line_count) as bigint) as line_count,
    max(epoch(timezone(coalesce(s.time_zone, 'UTC'), d.last_sold_at)) - epoch(d.business_date))
        as last_sale_seconds,
from store_days as d
left join core.dim_store as s on s.store_key = d.store_key
group by 1, 2, 3
order by 1, 2, 3
"""
