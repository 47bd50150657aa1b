"""Daily net sales per series, as the forecast reads them from the star schema.

Belongs here: which series there are, which days count, up to which day. Does not: models.
Amounts are net sales in the reporting currency. A day is *traded* when it has an amount; NaN means
that nothing can be learnt from it: the shop or banner was closed, or a line of that day could not
be converted for want of an exchange rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np

from dagster_project.core.forecasting.baselines import MEAN_DAYS
from dagster_project.core.forecasting.events import CalendarDay, feast_days
from dagster_project.core.forecasting.origin import last_complete_day

HORIZON_DAYS = 28
MINIMUM_WINDOWS = 3
# The shortest history: what the baseline looks at before the first of three back-test windows.
MINIMUM_HISTORY_DAYS = MEAN_DAYS + MINIMUM_WINDOWS * HORIZON_DAYS
# Below five receipts a day, or with a tenth of the days empty, demand is intermittent: other
# methods do better there, at a thousandth of the cost.
MINIMUM_RECEIPTS_PER_DAY = 5.0
MINIMUM_TRADED_SHARE = 0.9
# A promotion that runs longer is no event of the day but the usual state.
LONGEST_PROMOTION_DAYS = 28
CALENDAR_MARGIN_DAYS = 45  # the widest window of a feast is 28 days

# Whose holidays dim_date names, in the order of the query; China also works on some weekends.
HOLIDAY_COUNTRIES = ("US", "CN", "IR", "GB", "CN")

LEVELS = ("total", "banner", "channel", "department", "store")


@dataclass(frozen=True)
class SalesSeries:
    """One series: day by day from the panel's first date to its origin."""

    key: str
    level: str
    member_code: str
    member_name: str
    banner: str | None
    senders: tuple[str, ...]
    countries: tuple[str, ...]
    amounts: np.ndarray  # (days,) NaN = not traded
    receipts_per_day: float | None  # mean of the last 84 days; None where any number will do
    unconverted_days: int  # days with a line that has no exchange rate

    @property
    def first_index(self) -> int:
        """Position of the first traded day."""
        traded = np.flatnonzero(~np.isnan(self.amounts))
        return int(traded[0]) if len(traded) else len(self.amounts)


@dataclass(frozen=True)
class Panel:
    """All series with the calendar they share, which reaches over the horizon."""

    first_date: date
    origin_date: date
    series: tuple[SalesSeries, ...]
    calendar: tuple[CalendarDay, ...]  # with a margin on both sides, for feasts
    promotions: Mapping[str, np.ndarray]  # sender → (days + horizon,) whether one is on

    @property
    def day_count(self) -> int:
        """Days of history, the origin included."""
        return (self.origin_date - self.first_date).days + 1

    def day(self, index: int) -> date:
        """The date at a position; positions from day_count on lie in the horizon."""
        return self.first_date + timedelta(days=index)

    @property
    def weekdays(self) -> np.ndarray:
        """Weekday of each day of history and horizon, Monday = 0."""
        days = np.arange(self.day_count + HORIZON_DAYS)
        return (days + self.first_date.weekday()) % 7

    def promoted(self, series: SalesSeries) -> np.ndarray:
        """Whether one of the series' senders has a promotion on, for history and horizon."""
        found = np.zeros(self.day_count + HORIZON_DAYS, dtype=bool)
        for sender in series.senders:
            found |= self.promotions.get(sender, False)
        return found

    def feasts(self, countries: Iterable[str]) -> tuple[tuple[int, ...], ...]:
        """Positions of the days of each feast of the countries, within history and horizon."""
        found: dict[str, list[int]] = {}
        for feast, day in feast_days(countries, self.calendar):
            position = (day - self.first_date).days
            if 0 <= position < self.day_count + HORIZON_DAYS:
                found.setdefault(feast.name, []).append(position)
        return tuple(tuple(days) for days in found.values())


def read_panel(connection: duckdb.DuckDBPyConnection) -> Panel | None:
    """The panel of every series with enough history, up to the last complete business day.

    None when there are no sales, or none that end in a complete day. Reads core marts only.
    """
    origin = last_complete_day(connection)
    if origin is None:
        return None
    connection.execute(_DAILY_SALES, [origin])
    rows = connection.fetchnumpy()
    if not len(rows["series_key"]):
        return None
    first = rows["business_date"].min().astype("datetime64[D]").item()
    days = (origin - first).days + 1
    counted = dict(connection.execute(_RECEIPTS, [origin, MEAN_DAYS]).fetchall())
    series = [_with_receipts(one, counted) for one in _all_series(rows, first, days)]
    series = [one for one in series if has_enough_history(one)]
    if sum(one.level == "banner" for one in series) == 1:  # the total under another name
        series = [one for one in series if one.level != "banner"]
    return Panel(
        first_date=first,
        origin_date=origin,
        series=tuple(series),
        calendar=_read_calendar(connection, first, origin),
        promotions=_read_promotions(connection, first, origin),
    )


def has_enough_history(series: SalesSeries) -> bool:
    """Whether a daily model has a chance: long, alive, seldom empty, busy enough.

    History of at least 168 days and a sale in the last 28; sales on at least 90 % of the last 168
    days, weekdays of rest aside; at least five receipts a day over the last 84. Total, banner and
    channel are exempt from the last one, not from the others. Days without an exchange rate count
    as days with sales.
    """
    if len(series.amounts) - series.first_index < MINIMUM_HISTORY_DAYS:
        return False
    known = series.amounts[-MINIMUM_HISTORY_DAYS:]
    traded = ~np.isnan(known)
    by_weekday = traded.reshape(-1, 7).any(axis=0)  # 168 days are 24 weeks
    open_days = int(by_weekday.sum()) * len(known) // 7
    sold = int((np.nan_to_num(known) > 0).sum()) + series.unconverted_days
    alive = bool(traded[-HORIZON_DAYS:].any()) or series.unconverted_days > 0
    receipts = series.receipts_per_day
    busy = receipts is None or receipts >= MINIMUM_RECEIPTS_PER_DAY
    often = sold >= MINIMUM_TRADED_SHARE * open_days
    return alive and often and busy


# Grain: one row per series and business day with a line. Decimal sums: the same in any order.
# Lines are added up before they are joined to names.
_DAILY_SALES = """
with lines as (
    select
        l.business_date, l.sender, l.store_key, l.store_durable_key, l.channel_key, p.department,
        l.net_amount_reporting,
    from core.fct_sales_line as l
    left join core.dim_product as p on p.product_key = l.product_key
    where l.business_date <= $1
),
added as (
    select
        business_date, sender, store_key, store_durable_key, channel_key, department,
        sum(net_amount_reporting) as amount,
        count(*) filter (where net_amount_reporting is null) as unconverted_count,
    from lines
    group by business_date, sender, store_key, store_durable_key, channel_key, department
),
named as (
    select
        a.business_date,
        a.sender,
        a.amount,
        a.unconverted_count,
        s.country_code,
        coalesce(s.banner, a.sender) as banner,
        coalesce(c.channel_code, 'unknown') as channel_code,
        coalesce(c.name, 'Unknown') as channel_name,
        coalesce(a.department, 'Unknown') as department,
        coalesce(n.store_code, 'unknown') as store_code,
        coalesce(n.name, 'Unknown') as store_name,
    from added as a
    left join core.dim_store as s on s.store_key = a.store_key
    left join core.dim_store as n
        on n.store_durable_key = a.store_durable_key and n.is_current and n.store_durable_key >= 0
    left join core.dim_channel as c on c.channel_key = a.channel_key
),
daily as (
    select
        business_date,
        case
            when grouping(store_code) = 0 then 'store'
            when grouping(department) = 0 then 'department'
            when grouping(channel_code) = 0 then 'channel'
            when grouping(banner) = 0 then 'banner'
            else 'total'
        end as level,
        coalesce(sender, '') as sender,
        coalesce(banner, '') as banner,
        coalesce(store_code, department, channel_code, banner, 'all') as member_code,
        coalesce(store_name, department, channel_name, banner, 'All sales') as member_name,
        cast(sum(amount) as double) as amount,
        sum(unconverted_count) as unconverted_count,
        array_to_string(list_sort(list(distinct sender)), ',') as senders,
        array_to_string(list_sort(list(distinct country_code)), ',') as countries,
    from named
    group by grouping sets (
        (business_date),
        (business_date, banner),
        (business_date, channel_code, channel_name),
        (business_date, banner, department),
        (business_date, banner, sender, store_code, store_name)
    )
),
keyed as (
    select
        business_date, level, banner, member_code, member_name, senders, countries,
        unconverted_count > 0 as is_unconverted,
        coalesce(amount, 0) as amount,
        case level
            when 'total' then 'total'
            when 'department' then concat_ws(':', level, banner, member_code)
            when 'store' then concat_ws(':', level, sender, member_code)
            else concat_ws(':', level, member_code)
        end as series_key,
    from daily
)
select
    series_key, business_date, level, banner, member_code, member_name, amount, is_unconverted,
    senders, countries,
from keyed
order by series_key, business_date
"""

# Grain: one row per department and store series with receipts in the last 84 days.
_RECEIPTS = """
with lines as (
    select
        l.sender, l.transaction_key, coalesce(s.banner, l.sender) as banner,
        coalesce(p.department, 'Unknown') as department,
        coalesce(n.store_code, 'unknown') as store_code,
    from core.fct_sales_line as l
    left join core.dim_product as p on p.product_key = l.product_key
    left join core.dim_store as s on s.store_key = l.store_key
    left join core.dim_store as n
        on n.store_durable_key = l.store_durable_key and n.is_current and n.store_durable_key >= 0
    where l.business_date > $1 - $2 and l.business_date <= $1
)
select
    concat_ws(':', 'department', banner, department) as series_key,
    count(distinct transaction_key) as receipt_count,
from lines
group by banner, department
union all
select concat_ws(':', 'store', sender, store_code), count(distinct transaction_key)
from lines
group by sender, store_code
"""


def _all_series(rows: Mapping[str, np.ndarray], first: date, days: int) -> list[SalesSeries]:
    """Every series of the query's rows, ordered by level and key."""
    keys, starts = np.unique(rows["series_key"].astype(str), return_index=True)
    ends = [*starts[1:], len(rows["series_key"])]
    index = (rows["business_date"].astype("datetime64[D]") - np.datetime64(first)).astype(int)
    series = {
        str(key): _one_series(rows, index, slice(start, end), days)
        for key, start, end in zip(keys, starts, ends, strict=True)
    }
    filled = [_with_zero_days(one, series) for one in series.values()]
    return sorted(filled, key=lambda one: (LEVELS.index(one.level), one.key))


def _one_series(
    rows: Mapping[str, np.ndarray], index: np.ndarray, part: slice, days: int
) -> SalesSeries:
    amounts = np.full(days, np.nan)
    amounts[index[part]] = rows["amount"][part]
    unconverted = index[part][rows["is_unconverted"][part].astype(bool)]
    amounts[unconverted] = np.nan
    last = part.stop - 1
    return SalesSeries(
        key=str(rows["series_key"][last]),
        level=str(rows["level"][last]),
        member_code=str(rows["member_code"][last]),
        member_name=str(rows["member_name"][last]),
        banner=str(rows["banner"][last]) or None,
        senders=_distinct(rows["senders"][part]),
        countries=_distinct(rows["countries"][part]),
        amounts=amounts,
        receipts_per_day=None,
        unconverted_days=int((unconverted >= days - MINIMUM_HISTORY_DAYS).sum()),
    )


def _distinct(joined: np.ndarray) -> tuple[str, ...]:
    known = set(np.ma.compressed(joined))  # a store without master data has no country
    return tuple(sorted({name for text in known for name in str(text).split(",") if name}))


def _with_receipts(series: SalesSeries, counted: Mapping[str, int]) -> SalesSeries:
    if series.level not in {"department", "store"}:
        return series
    return replace(series, receipts_per_day=counted.get(series.key, 0) / MEAN_DAYS)


def _with_zero_days(series: SalesSeries, known: Mapping[str, SalesSeries]) -> SalesSeries:
    """A department that sold nothing on a day its banner traded sold 0; it was not closed."""
    if series.level != "department":
        return series
    banner = known[f"banner:{series.banner}"].amounts
    empty = np.isnan(series.amounts) & ~np.isnan(banner)
    empty[: series.first_index] = False
    return replace(series, amounts=np.where(empty, 0.0, series.amounts))


def _read_calendar(
    connection: duckdb.DuckDBPyConnection, first: date, origin: date
) -> tuple[CalendarDay, ...]:
    margin = timedelta(days=CALENDAR_MARGIN_DAYS)
    rows = connection.execute(
        """
        select
            calendar_date, lunar_month, lunar_day, is_lunar_leap_month, jalali_month, jalali_day,
            holiday_name_us, holiday_name_cn, holiday_name_ir, holiday_name_gb,
            case when is_working_weekend_cn then 'Working weekend' end as working_weekend_cn,
        from core.dim_date
        where date_key >= 0 and calendar_date between $1 and $2
        order by calendar_date
        """,
        [first - margin, origin + timedelta(days=HORIZON_DAYS) + margin],
    ).fetchall()
    return tuple(_calendar_day(row) for row in rows)


def _calendar_day(row: tuple[Any, ...]) -> CalendarDay:
    named = zip(HOLIDAY_COUNTRIES, row[6:], strict=True)
    return CalendarDay(*row[:6], frozenset((country, name) for country, name in named if name))


def _read_promotions(
    connection: duckdb.DuckDBPyConnection, first: date, origin: date
) -> dict[str, np.ndarray]:
    """Per sender whether a promotion of at most 28 days is on, where the plan reaches ahead.

    A sender none of whose promotions starts after the origin has not told its plan: what the
    horizon holds is unknown, and so promotions are no regressor for it at all.
    """
    rows = connection.execute(
        """
        select sender, starts_on, ends_on
        from core.dim_promotion
        where promotion_key >= 0 and starts_on <= ends_on and ends_on - starts_on < $1
        order by sender, starts_on, ends_on
        """,
        [LONGEST_PROMOTION_DAYS],
    ).fetchall()
    planned = {sender for sender, starts_on, _ in rows if starts_on > origin}
    days = (origin - first).days + 1 + HORIZON_DAYS
    found = {sender: np.zeros(days, dtype=bool) for sender in sorted(planned)}
    for sender, starts_on, ends_on in rows:
        if sender in planned:
            start, end = (starts_on - first).days, (ends_on - first).days + 1
            found[sender][max(start, 0) : max(end, 0)] = True
    return found
