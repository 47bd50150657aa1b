"""Dates that a database can hold and no calendar: rejected, so that nothing has to reckon on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE

MakeBench = Callable[..., Bench]


@pytest.mark.parametrize(
    "time",
    ["infinity", "-infinity", "20170-03-01 10:00:00", "0044-03-15 (BC) 10:00:00"],
    ids=["endless", "without a beginning", "a year with a digit too many", "before our era"],
)
def test_a_time_outside_any_calendar_rejects_its_record_alone(
    bench_for: MakeBench, time: str
) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE + f"R1,2,tea,1,4.00,{time}\n" + THREE)
    outcome = till.load()
    assert (outcome.loaded_count, outcome.rejected_count) == (2, 1)
    assert till.rows("select record_number, column_name, error_code from ops.rejects") == [
        (2, "sold_at", "bad_timestamp")
    ]
    [(first, last)] = till.rows(
        "select first_business_at::varchar, last_business_at::varchar from ops.file_ledger"
    )
    assert (first, last) == ("2017-03-01 10:00:00+00", "2017-03-01 11:00:00+00")


def test_the_last_day_of_all_years_stands_for_never_and_is_kept(bench_for: MakeBench) -> None:
    rates = {
        "feed": "rates", "description": "Rates.", "sender": "bank", "owner": "test",
        "template": "exchange_rate", "format": "csv", "files": "*.csv",
        "arrival": {"complete_by": "rename", "reject_threshold": 0.9},
        "columns": {"a": [], "b": [], "day": [], "rate": []},
        "records": {"rate": {"fields": {
            "base_currency_code": "a", "quote_currency_code": "b", "rate_date": "day",
            "rate": "rate",
        }}},
    }  # fmt: skip
    bank = bench_for(**rates)
    bank.deliver("a.csv", "a,b,day,rate\nUSD,CNY,9999-12-31,6.9\nUSD,CNY,infinity,6.9\n")
    bank.load()
    assert bank.rows("select rate_date::varchar from raw.exchange_rate__rate") == [("9999-12-31",)]
    assert bank.rows("select error_code from ops.rejects") == [("bad_date",)]


@pytest.mark.parametrize(
    ("zone", "time"),
    [("UTC", "23:59:59"), ("Asia/Shanghai", "23:59:59"), ("America/New_York", "00:00:00")],
)
def test_a_time_that_stands_for_never_is_kept(bench_for: MakeBench, zone: str, time: str) -> None:
    till = bench_for(**LINES | {"time_zone": zone})
    till.deliver("a.csv", HEADER + ONE + f"R1,2,tea,1,4.00,9999-12-31 {time}\n")
    assert till.load().loaded_count == 2
