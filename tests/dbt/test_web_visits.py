"""Visits of a web shop over midnight, with events that come late: built by steps and at once."""

from __future__ import annotations

from typing import Any

import pytest
from small_warehouse import SmallWarehouse
from two_retailers import EAST, EAST_STORES

# The shop's day ends at 04:00 in Shanghai, which is 20:00 UTC.
VISITS = """
    select web_session_key, business_date::varchar, event_count, has_order
    from core.fct_web_session order by started_at, web_session_key
"""


def events(**times: str) -> list[dict[str, Any]]:
    """One page view each: event id to time; the browser is the id's first letter."""
    return [
        {"event_id": name, "store_code": "W", "visitor_id_token": name[0],
         "event_type": "page_view", "page": "/", "occurred_at": f"2017-07-{time}+00"}
        for name, time in times.items()
    ]  # fmt: skip


def build(small: SmallWarehouse, batch: int, *more: str) -> list[tuple[Any, ...]]:
    """Build the visits and note the load as published; their day, events and order."""
    run = small.dbt("run", "--select", "+fct_web_session", *more)
    assert run.exit_code == 0, run.words
    with small.warehouse.connect() as connection:
        connection.execute("delete from ops.build_state where build = 'models'")
        connection.execute(
            "insert into ops.build_state values ('models', ?, 'test', now())", [batch]
        )
    return small.query(VISITS)


def found(rows: list[tuple[Any, ...]]) -> list[tuple[str, int]]:
    return [(day, count) for _, day, count, _ in rows]


@pytest.mark.long
def test_late_events_join_and_split_visits_over_midnight_as_a_full_build_does(
    fresh: SmallWarehouse,
) -> None:
    fresh.deliver("store__store", EAST_STORES, batch=1, sender=EAST)
    fresh.deliver(
        "web_event__event",
        # v: 19:40 and 20:15 lie 35 minutes and a midnight apart. u: one visit over midnight.
        events(v1="01 19:40:00", v2="01 20:15:00", v3="02 19:50:00", u1="01 19:59:00",
               u2="01 20:01:00", w1="03 08:00:00"),
        batch=1, sender=EAST,
    )  # fmt: skip
    assert found(build(fresh, 1)) == [
        ("2017-07-01", 1), ("2017-07-01", 2), ("2017-07-02", 1), ("2017-07-02", 1),
        ("2017-07-03", 1),
    ]  # fmt: skip

    # 19:58 joins v's first two visits; 20:10 prolongs the third into the day after.
    fresh.deliver(
        "web_event__event", events(v4="01 19:58:00", v5="02 20:10:00"), batch=2, sender=EAST
    )
    by_steps = build(fresh, 2)
    assert found(by_steps) == [
        ("2017-07-01", 3), ("2017-07-01", 2), ("2017-07-02", 2), ("2017-07-03", 1),
    ]  # fmt: skip

    # A visit that began earlier than anybody knew takes the key of its new first event, on both
    # of its days.
    fresh.deliver("web_event__event", events(v6="02 19:30:00", u0="01 19:45:00"), batch=3,
                  sender=EAST)  # fmt: skip
    by_steps = build(fresh, 3)
    assert found(by_steps) == [
        ("2017-07-01", 3), ("2017-07-01", 3), ("2017-07-02", 3), ("2017-07-03", 1),
    ]  # fmt: skip
    dangling = """
        select count(*) from core.fct_web_event as events
        left join core.fct_web_session as sessions on session_key = web_session_key
        where web_session_key is null
    """
    assert fresh.query(dangling) == [(0,)]
    assert build(fresh, 3, "--full-refresh") == by_steps
