"""What a refresh asks of the forecasts by day: content with good ones, not with broken ones."""

import pytest
import yaml
from forecast_marts import FIRST, open_star, sell

from dagster_project.core.forecasting import forecast_all
from dagster_project.core.forecasting.definitions import load_definitions
from dagster_project.core.forecasting.engine import boosted
from dagster_project.core.home import EXPECTATIONS, Settings

SETTINGS = Settings(
    group_name="Test", time_zone="UTC", nightly_refresh="02:30", reporting_currency="EUR"
)
# Check → what breaks it, and nothing that another check of the list has to do with.
BROKEN = {
    "each_day_is_forecast_once": "insert into forecast.daily from forecast.daily limit 1",
    "days_follow_the_origin": "update forecast.daily set target_date = target_date + 1",
    "quantiles_are_in_order": "update forecast.daily set p10_value = p90_value + 1",
    "values_are_numbers": "update forecast.daily set mean_value = 'nan' where horizon_days = 3",
    "totals_stay_near_the_last_four_weeks": "update forecast.daily set mean_value = 4 * mean_value",
    "parts_add_up_to_the_whole": """
        update forecast.daily set mean_value = 1.00001 * mean_value
        where series_key = 'net_sales/channel:store'
    """,
    "what_sells_steadily_is_expected_to_go_on": """
        update forecast.daily set mean_value = mean_value / 50
        where series_key like 'net_sales/store_category:%'
    """,
}


@pytest.fixture(scope="module")
def connection():
    """Forecasts of three shops of two departments each."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(boosted, "ROUNDS", 10)
        made = open_star()
        for store in (1, 2, 3):
            for product in (1, 3):
                amounts = [10.0 * store + day % 7 + product for day in range(200)]
                sell(made, store, product, amounts, first=FIRST)
        sales = [one for one in load_definitions() if one.name == "net_sales"]
        forecast_all(made, SETTINGS, definitions=sales)
    return made


@pytest.fixture(scope="module")
def queries() -> dict[str, str]:
    """Check → the rows that it wants none of."""
    suite = yaml.safe_load((EXPECTATIONS / "forecast/daily.yaml").read_text())
    named = [one for one in suite["expectations"] if "name" in one]
    return {
        one["name"]: one["kwargs"]["unexpected_rows_query"].replace("{batch}", "forecast.daily")
        for one in named
    }


def test_each_check_has_something_that_breaks_it(queries):
    assert set(queries) == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_is_content_with_good_forecasts_and_not_with_broken_ones(name, connection, queries):
    assert connection.execute(queries[name]).fetchall() == []
    connection.begin()
    try:
        connection.execute(BROKEN[name])
        assert connection.execute(queries[name]).fetchall() != []
    finally:
        connection.rollback()
