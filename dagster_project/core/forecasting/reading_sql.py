"""The queries by which a forecast's series are read from the star.

Belongs here: SQL, made of the validated names of a definition. Does not: what becomes of its rows.

Members are numbered in temporary tables, in the order of their codes, so that the many rows of the
one query over all lines hold small whole numbers alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import duckdb

from dagster_project.core.forecasting.definitions import COLUMN_OF, Definition

# By what a row is told apart, in the order of the bits of ``cut`` from the highest.
CUT_BY = ("sender", "banner", "store", "channel", "department", "product", "film")
_UNKNOWN_DEPARTMENT = "select id from forecast_department where line_key = -9"
LONGEST_PROMOTION_DAYS = 28  # what runs longer is no event of the day but the usual state

# One row per store that the source names: as it is today, its banner among the others.
_STORES = """
create or replace temp table forecast_store as
with named as (
    select distinct {sender} as line_sender, l.store_durable_key
    from {source} as l
    {store_join}
    where l.{date} <= $1
),
described as (
    select
        n.line_sender, n.store_durable_key,
        coalesce(s.store_code, 'unknown') as code,
        coalesce(s.name, 'Unknown') as name,
        coalesce(s.banner, n.line_sender) as banner,
        s.country_code,
    from named as n
    left join core.dim_store as s
        on s.store_durable_key = n.store_durable_key and s.is_current and s.store_durable_key >= 0
)
select
    cast(dense_rank() over (order by line_sender, code) - 1 as integer) as store_id,
    cast(dense_rank() over (order by banner) - 1 as integer) as banner_id,
    cast(dense_rank() over (order by line_sender) - 1 as integer) as sender_id,
    line_sender as sender, store_durable_key, code, name, banner, country_code,
from described
"""

# Grain of each: one row per key that a line can have; what is unknown has no number where it
# could be no series of its own.
_MEMBERS = {
    "channel": """
create or replace temp table forecast_channel as
select
    channel_key as line_key, coalesce(channel_code, 'unknown') as code, name,
    cast(dense_rank() over (order by coalesce(channel_code, 'unknown')) - 1 as integer) as id,
    '' as sender,
from core.dim_channel
""",
    "department": """
create or replace temp table forecast_department as
select
    product_key as line_key, coalesce(department, 'Unknown') as code, code as name,
    cast(dense_rank() over (order by coalesce(department, 'Unknown')) - 1 as integer) as id,
    '' as sender,
from (from core.dim_product union all by name select -9 as product_key)
""",
    "product": """
create or replace temp table forecast_product as
select
    product_durable_key as line_key, product_code as code, name, sender,
    cast(row_number() over (order by sender, product_code) - 1 as integer) as id,
from core.dim_product
where is_current and product_durable_key >= 0
""",
    "film": """
create or replace temp table forecast_film as
select
    film_key as line_key, film_code as code, name, sender,
    cast(row_number() over (order by sender, film_code) - 1 as integer) as id,
from core.dim_film
where film_key >= 0
""",
}

# Grain: one row per cut, member and day with a line. Sums of decimals: the same in any order.
# Lines are added up before they are joined to numbers.
_DAILY = """
with added as (
    select
        l.{date} as day, {sender} as sender, {keys}
        sum(cast(l.{measure} as decimal(18, 4))) as amount,
        count(*) - count(l.{measure}) as unconverted_count,
    from {source} as l
    {store_join}
    where l.{date} <= $1
    group by all
),
numbered as (
    select
        datediff('day', date '1970-01-01', a.day) as day, a.amount, a.unconverted_count,
        s.sender_id, s.banner_id, s.store_id,
        {ids}
    from added as a
    inner join forecast_store as s
        on s.sender = a.sender and s.store_durable_key = a.store_durable_key
    {joins}
)
select
    cast({cut} as integer) as cut,
    cast(day as integer) as day,
    {told}
    cast(coalesce(sum(amount), 0) as double) as amount,
    sum(unconverted_count) > 0 as is_unconverted,
from numbered
group by grouping sets ({sets})
"""

# Grain: one row per cut, member and day on which a product of it was on offer or display: how
# many of its pairs of store and product; and, as day -1, how many the plan ever names.
_COVERAGE = """
with numbered as (
    select distinct
        datediff('day', date '1970-01-01', c.business_date) as day,
        c.store_durable_key, c.product_durable_key,
        s.sender_id, s.banner_id, s.store_id,
        {ids}
    from core.fct_promotion_coverage as c
    inner join forecast_store as s
        on s.sender = c.sender and s.store_durable_key = c.store_durable_key
    left join core.dim_promotion as p on p.promotion_key = c.promotion_key and p.promotion_key >= 0
    {joins}
    where
        c.business_date <= $1
        and (c.promotion_key = -2 or p.ends_on - p.starts_on < {longest})
),
with_plan as (
    from numbered
    union all by name
    select -1 as day, * exclude (day),
    from (
        select distinct on (store_durable_key, product_durable_key) *,
        from numbered
        order by store_durable_key, product_durable_key, day
    )
)
select
    cast({cut} as integer) as cut,
    cast(day as integer) as day,
    {told}
    cast(count(*) as double) as pair_count,
from with_plan
group by grouping sets ({sets})
"""

# A figure that is carried along says nothing of the day, unless there was nothing left and nothing
# was sold either.
_STOCK = """
with stock as (
    select
        datediff('day', date '1970-01-01', i.business_date) as day, s.store_id, p.id as product_id,
        i.is_stock_out or (i.on_hand_quantity = 0 and coalesce(i.sold_quantity, 0) = 0) as is_out,
    from core.fct_inventory_daily as i
    inner join forecast_store as s
        on s.sender = i.sender and s.store_durable_key = i.store_durable_key
    inner join forecast_product as p on p.line_key = i.product_durable_key
    where i.business_date between $1 and $2
)
"""
# Grain: one row per pair and day without stock.
SOLD_OUT_PAIRS = f"""{_STOCK}
select cast(day as integer) as day, store_id, product_id from stock where is_out
"""
# Grain: one row per product and day on which the share $3 of its stores was without stock.
SOLD_OUT_PRODUCTS = f"""{_STOCK}
select cast(day as integer) as day, product_id
from stock
group by day, product_id
having avg(case when is_out then 1 else 0 end) >= $3
"""

PROMOTIONS = """
select sender, starts_on, ends_on
from core.dim_promotion
where promotion_key >= 0 and starts_on <= ends_on and ends_on - starts_on < $1
order by sender, starts_on, ends_on
"""

CALENDAR = """
select
    calendar_date, lunar_month, lunar_day, is_lunar_leap_month, jalali_month, jalali_day,
    holiday_name_us, holiday_name_cn, holiday_name_ir, holiday_name_gb,
    case when is_working_weekend_cn then 'Working weekend' end as working_weekend_cn,
from core.dim_date
where date_key >= 0 and calendar_date between $1 and $2
order by calendar_date
"""

STORES = """
select distinct on (store_id)
    store_id, banner_id, sender_id, sender, code, name, banner, country_code,
from forecast_store
order by store_id, store_durable_key
"""


def number_members(definition: Definition, columns: Collection[str]) -> list[str]:
    """Statements that number stores ($1 = the last day) and all other members."""
    stores = _STORES.format(**_names(definition, columns))
    return [stores, *(_MEMBERS[name] for name in numbered(definition))]


def members_of(dimension: str) -> str:
    """Number, sender, code and name of each member, in the order of the numbers."""
    return f"""
select distinct on (id) id, sender, code, name
from forecast_{dimension} order by id, line_key
"""


def daily(definition: Definition, columns: Collection[str], cuts: Iterable[frozenset[str]]) -> str:
    """The one query over all lines; $1 = the last day."""
    others = numbered(definition)
    keys = sorted({"store_durable_key", *(COLUMN_OF[name] for name in others)})
    return _DAILY.format(
        **_names(definition, columns),
        measure=definition.measure,
        keys=" ".join(f"l.{key}," for key in keys),
        **_grouped(others, cuts, source="a"),
    )


def coverage(cuts: Iterable[frozenset[str]]) -> str:
    """Pairs on promotion per day, and over all days as day -1; $1 = the last day."""
    cuts = list(cuts)
    named = [name for name in ("department", "product") if any(name in cut for cut in cuts)]
    return _COVERAGE.format(longest=LONGEST_PROMOTION_DAYS, **_grouped(named, cuts, source="c"))


def drop_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave nothing behind of the numbering."""
    for name in ("store", *_MEMBERS):
        connection.execute(f"drop table if exists temp.forecast_{name}")


def cut_number(cut: Collection[str]) -> int:
    """What ``grouping`` says of the rows of a cut: a bit for each column that is not in it."""
    return sum(1 << place for place, name in enumerate(reversed(CUT_BY)) if name not in cut)


def numbered(definition: Definition) -> list[str]:
    """Dimensions beside the store's own that the levels are cut by."""
    used = {dimension for level in definition.series for dimension in level.by}
    return [name for name in CUT_BY if name in used and name in _MEMBERS]


def _names(definition: Definition, columns: Collection[str]) -> dict[str, str]:
    """Where a row's sender is told: by itself, else by its store."""
    own = "sender" in columns
    join = "inner join core.dim_store as o on o.store_durable_key = l.store_durable_key"
    return {
        "source": definition.source,
        "date": definition.date,
        "sender": "l.sender" if own else "coalesce(o.sender, 'unknown')",
        "store_join": "" if own else f"{join} and o.is_current",
    }


def _grouped(
    numbered: Collection[str], cuts: Iterable[frozenset[str]], *, source: str
) -> dict[str, str]:
    """The parts of a query that name the members: their joins, numbers and grouping sets."""
    joins = [
        f"left join forecast_{name} as m_{name} on m_{name}.line_key = {source}.{COLUMN_OF[name]}"
        for name in numbered
    ]
    ids = [f"{_number(name, numbered)} as {name}_id," for name in CUT_BY[3:]]
    listed = [[f"{name}_id" for name in CUT_BY if name in cut] for cut in cuts]
    used = {column for one in listed for column in one}
    bits, told = [], []
    for place, name in enumerate(reversed(CUT_BY)):
        column = f"{name}_id"
        bits.append(f"grouping({column}) * {1 << place}" if column in used else str(1 << place))
        known = f"coalesce({column}, -1)" if column in used else "-1"
        told.append(f"cast({known} as integer) as {column},")
    return {
        "joins": "\n    ".join(joins),
        "ids": "\n        ".join(ids),
        "cut": " + ".join(bits),
        "told": "\n    ".join(told),
        "sets": ", ".join(sorted(f"({', '.join(['day', *one])})" for one in listed)),
    }


def _number(dimension: str, numbered: Collection[str]) -> str:
    """The number of a line's member; -1 where it is unknown or nothing is cut by it."""
    if dimension not in numbered:
        return "-1"
    if dimension == "department":  # a product without master data is of a department of its own
        return f"coalesce(m_department.id, ({_UNKNOWN_DEPARTMENT}))"
    return f"coalesce(m_{dimension}.id, -1)"
