"""When the forecasts are made anew, and when not even the marts are read for it."""

from datetime import UTC, date, datetime

import pytest
from forecast_marts import open_star, sell

from dagster_project.core import forecasting
from dagster_project.core.modelling import record_build
from dagster_project.core.ops_tables import OPS_TABLES
from dagster_project.defs import forecast
from dagster_project.defs.forecast import BUILD, INPUTS


@pytest.fixture
def connection():
    made = open_star()
    made.execute("create schema ops; create schema vault")
    made.execute(OPS_TABLES)
    for store in (1, 2, 3):
        sell(made, store, 1, [10.0 + day % 7 for day in range(60)])
    build(made, "fct_sales_line", 1)
    return made


def build(connection, mart: str, day: int) -> None:
    connection.execute(
        "insert or replace into ops.built_table values ($1, $2)",
        [mart, datetime(2026, 1, day, tzinfo=UTC)],
    )


def news(connection, *, is_arrival: bool = False) -> object:
    return forecast._news(connection, "EUR", is_arrival=is_arrival)


def made(connection) -> None:
    """Forecasts of what there is, as far as the next run can tell."""
    found = news(connection)
    record_build(connection, BUILD, 1, found.code)
    record_build(connection, INPUTS, 1, found.inputs)


def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_all(_connection: object) -> None:
        raise AssertionError("the marts were read")

    monkeypatch.setattr(forecasting, "read_all", read_all)


def test_before_the_first_forecast_everything_is_news_even_by_day(connection):
    assert not isinstance(news(connection), str)
    assert not isinstance(news(connection, is_arrival=True), str)


def test_while_no_mart_is_built_again_nothing_is_read(connection, monkeypatch):
    made(connection)
    no_reading(monkeypatch)
    build(connection, "fct_survey", 2)  # no forecast reads it

    assert news(connection) == "unchanged: no mart was built again"


def test_a_mart_built_again_with_the_same_rows_is_read_once(connection, monkeypatch):
    made(connection)
    build(connection, "fct_sales_line", 2)

    assert news(connection) == "unchanged: no series has new sales"

    no_reading(monkeypatch)
    assert news(connection) == "unchanged: no mart was built again"


def test_new_sales_are_news_by_night_and_left_alone_by_day(connection):
    made(connection)
    for store in (1, 2, 3):
        sell(connection, store, 1, [50.0], first=date(2017, 3, 3))
    build(connection, "fct_sales_line", 2)

    assert not isinstance(news(connection), str)
    assert news(connection, is_arrival=True).startswith("left to the next refresh")


def test_other_code_and_another_currency_are_news(connection, monkeypatch):
    made(connection)

    assert not isinstance(forecast._news(connection, "GBP", is_arrival=False), str)
    monkeypatch.setattr("dagster_project.core.forecasting.service.LIBRARIES", ("numpy",))
    assert not isinstance(news(connection), str)
