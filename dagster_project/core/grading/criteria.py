"""What is held against the day of a store: one statement each, all of them findings alike.

Belongs here: the findings, their points and their words. Does not: adding them up (``store_days``).
Each statement reads ``day`` (a row per store and day with receipts) or the book, and gives store,
day, criterion, points and a sentence with counts, never a value of a receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

CRITERIA = ("complete", "timely", "balanced", "plausible")
# What a finding weighs. A day's points are those of its worst finding of each criterion, added up.
POINTS: Mapping[str, int] = {"little": 1, "much": 2, "nothing came": 5}
CLOCK_MINUTES = 5  # between a till and the machine that loads
BACKLOG_HOURS = 20  # after most of the day's receipts: a till that sends all day is within them
# Of the day's receipts: fewer may be one that was corrected.
BACKLOG_SHARE, MUCH_BACKLOG_SHARE = 0.02, 0.2
SHORT_SHARE = 0.02  # of the day's receipts with lines missing
MISSING_SHARE = 0.02  # of the day's receipt numbers
CASH_SHARES = (0.005, 0.02)  # of the counted cash that is over or short: little, much
RECENT_DAYS = 14  # a store without a receipt for so long has closed


@dataclass(frozen=True)
class Missing:
    """Receipt numbers of one store and day that never came."""

    sender: str
    store_code: str
    day: date
    count: int


DAYS = f"""
create or replace temp table day as
with receipts as (
    select
        facts.*, loads.committed_at, loads.feed,
        median(loads.committed_at) over (
            partition by facts.store_durable_key, facts.business_date
        ) as usual_load_at
    from core.fct_transaction as facts
    inner join ops.batch as loads on facts.batch_id = loads.batch_id
    where facts.business_date between $since and $through and facts.store_durable_key > 0
)
select
    store_durable_key,
    business_date,
    count(*) as receipt_count,
    count(*) filter (where is_complete = false) as short_count,
    count(*) filter (
        where is_sale and is_complete is distinct from false and is_balanced = false
    ) as unbalanced_count,
    count(*) filter (where sold_at > committed_at + interval {CLOCK_MINUTES} minute) as ahead_count,
    max(date_diff('minute', committed_at, sold_at)) as ahead_minutes,
    count(*) filter (
        where committed_at >= usual_load_at + interval {BACKLOG_HOURS} hour
    ) as late_count,
    max(date_diff('day', usual_load_at, committed_at)) as late_days,
    arg_max(feed, batch_id) as feed
from receipts
group by store_durable_key, business_date
"""
_SHORT = f"""
select
    store_durable_key, business_date, 'complete' as criterion,
    case when short_count > {SHORT_SHARE} * receipt_count then 2 else 1 end as points,
    format('{{:,}} of {{:,}} receipts lack lines that the till counted',
        short_count, receipt_count) as sentence
from temp.day
where short_count > 0
"""
_NUMBERS = f"""
select
    day.store_durable_key, day.business_date, 'complete',
    case when missing.number_count > {MISSING_SHARE} * day.receipt_count then 2 else 1 end,
    format('{{:,}} receipt {{}} missing',
        missing.number_count,
        case when missing.number_count = 1 then 'number is' else 'numbers are' end)
from temp.missing_number as missing
inner join temp.day as day
    on missing.store_durable_key = day.store_durable_key
    and missing.business_date = day.business_date
"""
_BACKLOG = f"""
select
    store_durable_key, business_date, 'timely',
    case when late_count > {MUCH_BACKLOG_SHARE} * receipt_count then 2 else 1 end,
    format('{{:,}} of {{:,}} receipts came up to {{}} days after the others: a till was offline',
        late_count, receipt_count, greatest(late_days, 1))
from temp.day
where late_count > {BACKLOG_SHARE} * receipt_count
"""
_CLOCK = """
select
    store_durable_key, business_date, 'timely', 2,
    format('{:,} receipts are dated up to {:,} minutes after they arrived: a till clock is ahead',
        ahead_count, ahead_minutes)
from temp.day
where ahead_count > 0
"""
_UNBALANCED = """
select
    store_durable_key, business_date, 'balanced', 2,
    format('{:,} of {:,} receipts were not paid to the cent', unbalanced_count, receipt_count)
from temp.day
where unbalanced_count > 0
"""
_CASH = f"""
with sessions as (
    select
        store_durable_key, business_date,
        sum(abs(over_short_amount)) / nullif(sum(abs(counted_amount)), 0) as off_share
    from core.fct_till_session
    where business_date between $since and $through and store_durable_key > 0
    group by store_durable_key, business_date
)
select
    store_durable_key, business_date, 'balanced',
    case when off_share > {CASH_SHARES[1]} then 2 else 1 end,
    format('the cash of the tills is off by {{:.1f}} % of what was counted', 100 * off_share)
from sessions
where off_share > {CASH_SHARES[0]}
"""
# An alarm of all stores is one of each store that had a receipt within the two weeks before.
_ALARMS = f"""
with open_alarms as (
    select
        try_cast(store as bigint) as store_durable_key, table_name, kind, measure, severity,
        sentence,
        cast(unnest(generate_series(
            greatest(business_date, cast($since as date)),
            least(last_business_date, cast($through as date)), interval 1 day
        )) as date) as business_date
    from ops.anomaly
    where resolved_at is null and last_business_date >= $since and business_date <= $through
),
of_stores as (
    select * from open_alarms where store_durable_key is not null
    union all by name
    select alarms.* replace (active.store_durable_key as store_durable_key)
    from open_alarms as alarms
    inner join (
        select distinct store_durable_key, business_date from core.fct_transaction
        where
            business_date between cast($since as date) - {RECENT_DAYS} and $through
            and store_durable_key > 0
    ) as active
        on active.business_date between alarms.business_date - {RECENT_DAYS} and
        alarms.business_date
    where alarms.store_durable_key is null
),
judged as (
    select
        alarms.store_durable_key, alarms.business_date, alarms.sentence, alarms.severity,
        alarms.kind in ('silent', 'late') and alarms.measure = 'row_count' as is_absent,
        alarms.kind = 'late' as is_late,
        day.receipt_count is not null as has_receipts
    from of_stores as alarms
    left join temp.day as day
        on alarms.store_durable_key = day.store_durable_key
        and alarms.business_date = day.business_date
)
select distinct
    store_durable_key, business_date,
    case when is_absent then 'complete' when is_late then 'timely' else 'plausible' end,
    case
        when is_absent and not has_receipts then 5
        when severity = 'severe' or is_absent then 2
        else 1
    end,
    rtrim(sentence, '.')
from judged
"""
FINDINGS = (_SHORT, _NUMBERS, _BACKLOG, _CLOCK, _UNBALANCED, _CASH, _ALARMS)
