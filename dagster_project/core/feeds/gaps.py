"""Numbers that should run without a gap: a terminal's receipts.

Belongs here: which numbers are missing, from what raw holds now, so that a late file closes its
gap. Does not: the first number of a run, which may be any, and what follows the last.

A counter that begins again every day is told by its days, which overlap; then days are runs of
their own. One that begins again once in a while is one run: its numbers are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.core.declarations import Feed, Record, Template, Treatment
from dagster_project.core.feeds.sql import identifier, literal

SHOWN = 5  # ranges named of each terminal
DAY_BEGINS_HOUR = 4  # until then an evening's trade goes on
FEWEST_RESETS = 2  # one may be a single receipt that was rung up late
MAX_DIGITS = 18  # of a bigint
JOINED = " / "  # between the fields that a run of numbers belongs to
STORE_FIELD = "store_code"
_STEPS = """
with texts as ({rows}),
split as (
    select
        subject, day,
        regexp_extract(text, '^(.*?)([0-9]+)([^0-9]*)$', ['prefix', 'digits', 'suffix']) as parts
    from texts
),
numbers as (
    select
        subject, day, parts.prefix as prefix, parts.suffix as suffix,
        try_cast(parts.digits as bigint) as number, length(parts.digits) as digits
    from split
    where length(parts.digits) between 1 and {max_digits}
),
each_day as (
    select subject, prefix, suffix, day, min(number) as lowest, max(number) as highest
    from numbers
    group by subject, prefix, suffix, day
),
neighbours as (
    select
        subject, prefix, suffix,
        lowest <= lag(highest) over (partition by subject, prefix, suffix order by day) as is_again
    from each_day
),
counters as (
    select
        subject, prefix, suffix,
        count(*) filter (where is_again) >= {fewest_resets}
        and avg(is_again::integer) > 0.5 as is_daily
    from neighbours
    group by subject, prefix, suffix
),
runs as (
    select n.* replace (case when c.is_daily then n.day end as day), n.day as sold_day
    from numbers as n
    inner join counters as c
        on n.subject = c.subject and n.prefix = c.prefix and n.suffix = c.suffix
),
-- A number that stands several times is followed by itself, and once by the next.
steps as (
    select *, lead(number) over (partition by subject, prefix, suffix, day order by number) as later
    from runs
)
"""
_RANGES = f"""
{_STEPS}
select
    subject, prefix, suffix, day, number + 1, later - 1, digits,
    sum(later - number - 1) over (partition by subject) as missing,
    count(*) over (partition by subject) as ranges
from steps
where later > number + 1
qualify row_number() over (
    partition by subject order by day desc nulls last, prefix, suffix, number desc
) <= {{shown}}
order by subject, day, prefix, suffix, number
"""


# A gap belongs to the day of the last number before it.
_BY_DAY = f"""
{_STEPS}
select subject, sold_day, sum(later - number - 1) as missing
from steps
where later > number + 1 and sold_day >= $2
group by subject, sold_day
"""


@dataclass(frozen=True)
class Gap:
    """What is missing of one terminal, or whatever numbers belong to."""

    subject: str
    text: str


def number_gaps(connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template) -> list[Gap]:
    """Every terminal with missing numbers, by name; the latest ranges are listed."""
    rows = _numbers(feed, template)
    if feed.sequence is None or rows is None:
        return []
    sql = _RANGES.format(rows=rows, max_digits=MAX_DIGITS, fewest_resets=FEWEST_RESETS, shown=SHOWN)
    found: dict[str, list[str]] = {}
    heads: dict[str, str] = {}
    for name, prefix, suffix, day, first, last, digits, missing, ranges in connection.execute(
        sql, [feed.feed]
    ).fetchall():
        ends = [f"{prefix}{number:0{digits}}{suffix}" for number in sorted({first, last})]
        found.setdefault(name, []).append(" to ".join(ends) + (f" of {day}" if day else ""))
        heads[name] = _head(feed.sequence.number, int(missing), ranges)
    return [Gap(name, f"{heads[name]}{', '.join(texts)}") for name, texts in sorted(found.items())]


def missing_by_store_day(
    connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template, since: date
) -> dict[tuple[str, date], int]:
    """Missing numbers by store code and day from ``since`` on; nothing where stores share a run."""
    rows = _numbers(feed, template)
    if feed.sequence is None or rows is None or STORE_FIELD not in feed.sequence.within:
        return {}
    place = feed.sequence.within.index(STORE_FIELD)
    sql = _BY_DAY.format(rows=rows, max_digits=MAX_DIGITS, fewest_resets=FEWEST_RESETS)
    found: dict[tuple[str, date], int] = {}
    for subject, day, missing in connection.execute(sql, [feed.feed, since]).fetchall():
        store = subject.split(JOINED)[place]
        found[store, day] = found.get((store, day), 0) + int(missing)
    return found


def _numbers(feed: Feed, template: Template) -> str | None:
    """SQL of every number with its terminal and day, None where numbers are not kept as sent."""
    sequence = feed.sequence
    if sequence is None:
        return None
    record = template.records[sequence.record]
    if record.fields[sequence.number].treatment is not Treatment.KEEP:
        return None
    parts = [_column(record, name) for name in sequence.within]
    subject = f"concat_ws({literal(JOINED)}, {', '.join(parts)})" if parts else "''"
    return (
        f"select {subject} as subject, {_day(record, feed)} as day, "
        f"{_column(record, sequence.number)} as text "
        f"from raw.{template.table(sequence.record)} where _feed = $1"
    )


def _head(field: str, missing: int, ranges: int) -> str:
    verb = "number is" if missing == 1 else "numbers are"
    latest = f"; the latest {SHOWN} of {ranges} gaps are" if ranges > SHOWN else ":"
    return f"{missing:,} {field} {verb} missing{latest} "


def _column(record: Record, name: str) -> str:
    """A field as text: its own column, or its place among the fields that a template adds."""
    column = next(iter(record.fields[name].columns(name)))
    if name in record.added:
        return f"coalesce(_extra ->> {literal(column)}, '?')"
    return f"coalesce(cast({identifier(column)} as varchar), '?')"


def _day(record: Record, feed: Feed) -> str:
    if record.business_time is None:
        return "null::date"
    local = (
        f"cast({identifier(record.business_time)} as timestamptz) "
        f"at time zone {literal(feed.time_zone)}"
    )
    return f"cast({local} - interval {DAY_BEGINS_HOUR} hour as date)"
