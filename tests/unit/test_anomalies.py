"""Damaged days are alarms with a reason, ordinary ones are none, on a warehouse made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from anomaly_shops import (
    AT,
    DAMAGE,
    DAY,
    HOLIDAY,
    LAST,
    TABLE,
    WATCH,
    declared,
    opened_shops,
)

from dagster_project.core.anomalies import (
    Alarm,
    Verdict,
    Watch,
    WatchError,
    judge_all,
    load_watch,
)
from dagster_project.core.home import PACKAGE, PROJECT
from dagster_project.core.yaml_files import read_yaml


@pytest.fixture
def shops() -> Iterator[duckdb.DuckDBPyConnection]:
    with opened_shops() as connection:
        yield connection


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return declared(tmp_path)


@pytest.fixture
def alarms(shops: duckdb.DuckDBPyConnection, watch: Watch) -> Callable[[str], tuple[Alarm, ...]]:
    """The alarms after a statement has damaged the shops."""

    def found(damage: str = "") -> tuple[Alarm, ...]:
        shops.execute(damage or "select 1")
        return judge_all(shops, watch)[0].alarms

    return found


Alarms = Callable[..., tuple[Alarm, ...]]


def test_ordinary_days_raise_nothing(alarms: Alarms) -> None:
    assert alarms() == ()


def test_half_a_day_is_one_alarm_that_lists_the_products_it_lacks(alarms: Alarms) -> None:
    (alarm,) = alarms(f"delete from {TABLE} where {AT} and n % 5 >= 2")

    assert (alarm.table_name, alarm.store, alarm.day) == (TABLE, "3", DAY)
    assert alarm.measure == "row_count"
    assert alarm.found < alarm.low < alarm.expected < alarm.high
    assert alarm.expected == pytest.approx(150, rel=0.1)  # shop 3 on a Wednesday
    assert "store 3" in alarm.sentence
    assert str(DAY) in alarm.sentence


def test_half_as_many_rows_again_are_an_alarm(alarms: Alarms) -> None:
    (alarm,) = alarms(
        f"insert into {TABLE} select * replace (n + 1000 as n, 1439 - minute as minute) "
        f"from {TABLE} where {AT} and n % 2 = 0"
    )
    assert (alarm.store, alarm.day, alarm.measure) == ("3", DAY, "row_count")
    assert alarm.found > alarm.high


def test_a_forgotten_column_is_an_alarm_of_that_column(alarms: Alarms) -> None:
    (alarm,) = alarms(f"update {TABLE} set cost_amount = null where {AT} and n % 3 = 0")

    assert (alarm.store, alarm.day, alarm.measure) == ("3", DAY, "missing_share:cost_amount")
    assert alarm.found == pytest.approx(0.36, abs=0.04)  # a third, and 4 % of the rest


def test_a_price_in_cents_is_one_alarm_however_many_measures_show_it(alarms: Alarms) -> None:
    (alarm,) = alarms(f"update {TABLE} set net_amount = net_amount * 100 where {AT}")

    assert (alarm.store, alarm.day, alarm.kind) == ("3", DAY, "amount")
    assert alarm.severity == "severe"
    shown = {alarm.measure, *alarm.also}
    assert {f"{one}:net_amount" for one in ("mean", "p10", "p50", "p90", "largest")} <= shown


def test_a_silent_store_is_an_alarm_and_its_sunday_is_none(alarms: Alarms) -> None:
    saturday, monday = DAY + timedelta(days=3), DAY + timedelta(days=5)
    (alarm,) = alarms(
        f"delete from {TABLE} where store_durable_key = 3 "
        f"and business_date between '{saturday}' and '{monday}'"
    )
    assert (alarm.kind, alarm.store) == ("silent", "3")
    assert (alarm.day, alarm.last_day) == (saturday, monday)


def test_a_shop_that_rests_on_mondays_is_not_missed_on_them(alarms: Alarms) -> None:
    assert [alarm for alarm in alarms() if alarm.store == "6"] == []


def test_a_feed_that_stopped_is_late_while_others_go_on(alarms: Alarms) -> None:
    since = LAST - timedelta(days=2)  # Friday and Saturday; all are closed on the last day
    (alarm,) = alarms(
        f"delete from {TABLE} where store_durable_key = 3 and business_date >= '{since}'"
    )
    assert (alarm.kind, alarm.store, alarm.day) == ("late", "3", since)
    assert alarm.last_day == since + timedelta(days=1)
    assert "5 other stores have" in alarm.sentence


def test_a_day_that_came_days_after_the_others_was_late(alarms: Alarms) -> None:
    (alarm,) = alarms(f"update {TABLE} set batch_id = batch_id + 4 where {AT}")

    assert (alarm.kind, alarm.measure, alarm.store) == ("late", "arrival_days", "3")
    assert (alarm.found, alarm.expected) == (5, 1)


@pytest.mark.parametrize("keeps_own", [False, True], ids=["instead of the day", "beside it"])
def test_a_repeated_day_names_the_day_it_repeats(alarms: Alarms, keeps_own: bool) -> None:
    original = DAY - timedelta(days=1)
    removed = "" if keeps_own else f"delete from {TABLE} where {AT};"
    (alarm,) = alarms(
        f"{removed} insert into {TABLE} select * replace (date '{DAY}' as business_date) "
        f"from {TABLE} where store_durable_key = 3 and business_date = '{original}'"
    )
    assert (alarm.kind, alarm.store, alarm.day) == ("repeated", "3", DAY)
    assert str(original) in alarm.sentence


def test_a_day_loaded_twice_shows_in_the_rows_that_are_there_twice(alarms: Alarms) -> None:
    (alarm,) = alarms(f"insert into {TABLE} from {TABLE} where {AT}")

    assert (alarm.store, alarm.day) == ("3", DAY)
    assert {"row_count", "twin_share"} <= {alarm.measure, *alarm.also}


def test_a_holiday_on_which_shops_close_or_sell_half_is_no_alarm(alarms: Alarms) -> None:
    assert alarms(
        f"delete from {TABLE} where business_date = '{HOLIDAY}' "
        "and (store_durable_key <= 2 or n % 2 = 0)"
    ) == ()  # fmt: skip


def test_the_same_closure_on_an_ordinary_day_is_one_alarm_of_all(alarms: Alarms) -> None:
    (alarm,) = alarms(f"delete from {TABLE} where business_date = '{DAY}'")

    assert (alarm.kind, alarm.store, alarm.day) == ("silent", None, DAY)
    assert "6 of 6 stores" in alarm.sentence


def test_a_column_that_all_stores_forget_is_one_alarm_of_all(alarms: Alarms) -> None:
    (alarm,) = alarms(f"update {TABLE} set cost_amount = null where business_date = '{DAY}'")

    assert (alarm.store, alarm.measure) == (None, "missing_share:cost_amount")


def test_what_goes_on_for_days_is_one_alarm(alarms: Alarms) -> None:
    until = DAY + timedelta(days=2)
    (alarm,) = alarms(
        f"update {TABLE} set cost_amount = null where store_durable_key = 3 "
        f"and business_date between '{DAY}' and '{until}'"
    )
    assert (alarm.day, alarm.last_day) == (DAY, until)


def test_a_new_store_has_too_little_history_and_no_alarm(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    opened = LAST - timedelta(days=10)
    shops.execute(
        f"insert into {TABLE} select * replace (7 as store_durable_key, n % 7 as minute) "
        f"from {TABLE} where store_durable_key = 1 and business_date >= '{opened}'; "
        f"delete from {TABLE} where store_durable_key = 7 and business_date = '{LAST}'::date - 1 "
        "and n > 3"
    )
    (verdict,) = judge_all(shops, watch)

    assert [alarm for alarm in verdict.alarms if alarm.store == "7"] == []
    (too_little,) = verdict.too_little
    assert (too_little.store, too_little.days_seen, too_little.days_needed) == ("7", 9, 22)
    assert "too little history" in too_little.sentence


def test_an_empty_table_has_no_verdict_to_give(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(f"delete from {TABLE}")

    assert judge_all(shops, watch) == [Verdict(TABLE, None, 0, (), ())]


def test_rows_in_any_order_raise_the_same_alarms(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(DAMAGE)
    before = judge_all(shops, watch)
    shops.execute(f"create or replace table {TABLE} as from {TABLE} order by hash(n, minute)")

    assert len(before[0].alarms) == 2
    assert judge_all(shops, watch) == before


def test_a_later_day_changes_no_verdict_on_an_earlier_one(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(DAMAGE)
    then = judge_all(shops, watch, DAY + timedelta(days=2))

    assert then[0].alarms == judge_all(shops, watch)[0].alarms


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("why: The lines that all sales figures are made of.", "", "tables.0.why: Field required"),
        ("nulls: [cost_amount]", "nulls: [cost amount]", "tables.0.nulls.0: String should match"),
        ("day: business_date", "days: business_date", "tables.0.day: Field required"),
        ("load: batch_id", "price: batch_id", "tables.0.price: Extra inputs"),
        ("tables:", "thresholds: {minimum_days: 3}\ntables:", "thresholds.minimum_days: Input"),
        ("calendar: core.dim_date", "calendar: [", "while parsing"),
    ],
    ids=["no reason", "no column name", "missing key", "unknown key", "threshold", "no yaml"],
)
def test_a_mistake_in_the_declaration_is_one_line_with_file_and_place(
    tmp_path: Path, written: str, instead: str, said: str
) -> None:
    path = tmp_path / "anomalies.yaml"
    assert written in WATCH
    path.write_text(WATCH.replace(written, instead), "utf-8")

    with pytest.raises(WatchError) as raised:
        load_watch(path)
    assert str(raised.value).startswith(f"{path}: {said}")
    assert "\n" not in str(raised.value)


def test_a_column_that_is_not_there_is_named(
    shops: duckdb.DuckDBPyConnection, watch: Watch
) -> None:
    shops.execute(f"alter table {TABLE} drop column cost_amount")

    with pytest.raises(WatchError, match=r"core\.fct_sales_line has no column cost_amount"):
        judge_all(shops, watch)


def test_every_watched_column_is_in_the_contract_of_its_mart() -> None:
    watch = load_watch(PACKAGE / "anomalies.yaml")
    marts = PROJECT / "dbt_project" / "models" / "marts" / "core"
    contracts = {
        f"core.{model['name']}": {column["name"] for column in model["columns"]}
        for path in marts.glob("_core_*.yml")
        for model in read_yaml(path.read_text("utf-8")).get("models", [])
        if "columns" in model
    }
    wanted = {watched.name: watched.columns for watched in watch.tables}
    wanted[watch.stores.table] = {watch.stores.key, watch.stores.country, watch.stores.name}
    wanted[watch.promotions.table] = {watch.promotions.starts_on, watch.promotions.ends_on}
    wanted[watch.calendar] = {"calendar_date", "holiday_name_gb", "holiday_name_cn"}

    assert {TABLE, "core.fct_transaction", "core.fct_tender"} <= set(wanted)
    assert {name: columns - contracts[name] for name, columns in wanted.items()} == {
        name: set() for name in wanted
    }
