"""Which series a forecast has, which days count, and what is known ahead of them."""

from datetime import date, timedelta

import numpy as np
import pytest
from forecast_marts import DAYS, FIRST, ORIGIN, open_star, promote, sell, stock

from dagster_project.core.forecasting.definitions import Definition, load_definitions
from dagster_project.core.forecasting.hierarchy import series_key
from dagster_project.core.forecasting.reading import Reading, read

SALES = {
    "forecast": "net_sales", "description": "Net sales by store and category.",
    "source": "core.fct_sales_line", "measure": "net_amount_reporting",
    "unit": "reporting_currency", "date": "business_date", "grain": "day",
    "regressors": ["promotion"],
    "series": [
        {"level": "total", "by": [], "set": "smooth"},
        {"level": "banner", "by": ["banner"], "set": "smooth"},
        {"level": "channel", "by": ["channel"], "set": "smooth"},
        {"level": "store", "by": ["store"], "set": "smooth"},
        {"level": "category", "by": ["banner", "department"], "set": "smooth"},
        {"level": "store_category", "by": ["store", "department"], "set": "smooth"},
    ],
}  # fmt: skip
UNITS = SALES | {
    "forecast": "units", "measure": "quantity", "unit": "units",
    "series": [
        {"level": "product", "by": ["product"], "set": "intermittent"},
        {"level": "store_product", "by": ["store", "product"], "set": "intermittent",
         "least": {"selling_days": 5}},
    ],
}  # fmt: skip


@pytest.fixture
def star():
    """Market sells bread, milk and flowers, Bazaar bread alone and never on Fridays."""
    connection = open_star()
    sell(connection, 1, 1, [4.0] * DAYS)
    sell(connection, 2, 1, [2.0] * DAYS, channel=2)
    sell(connection, 1, 3, [6.0 if n % 3 == 0 else None for n in range(DAYS)])
    sell(connection, 1, 4, [1.0, 1.0])
    sell(connection, 3, 1, [None if n % 7 == 4 else 8.0 for n in range(DAYS)])
    return connection


def reading(connection, content: dict, **changed) -> Reading:
    found = read(connection, Definition.model_validate(content | changed))
    assert found is not None
    return found


def values(found: Reading, key: str) -> np.ndarray:
    return found.panel.values[found.panel.keys.index(key)]


def test_every_level_has_its_members(star):
    found = reading(star, SALES)

    assert found.panel.keys == (
        "total", "banner:Bazaar", "banner:Market", "channel:store", "channel:web",
        "store:till:S1", "store:till:S2", "store:till:S3",
        "category:Bazaar:GROCERY", "category:Market:FLORAL", "category:Market:GROCERY",
        "store_category:till:S1:FLORAL", "store_category:till:S1:GROCERY",
        "store_category:till:S2:GROCERY", "store_category:till:S3:GROCERY",
    )  # fmt: skip
    assert found.panel.origin_date == ORIGIN
    # (4 + 2 + 6 + 1 + 8) units at 2.50 on the first day.
    assert values(found, "total")[0] == 52.5
    assert values(found, "channel:web").tolist() == [5.0] * DAYS


def test_a_member_tells_what_it_is_of(star):
    found = reading(star, SALES)
    one = {member.key: member for member in found.members}["store_category:till:S1:FLORAL"]

    assert (one.member_code, one.member_name) == ("S1:FLORAL", "Shop 1, FLORAL")
    assert (one.banner, one.senders, one.first_date) == ("Market", ("till",), FIRST)
    assert one.parents == ("total", "banner:Market", "store:till:S1", "category:Market:FLORAL")
    assert one.last_sold_date == FIRST + timedelta(days=57)
    assert one.selling_days == 21  # every third day of 60, and the second


def test_the_countries_of_a_series_are_those_of_its_stores(star):
    found = reading(star, SALES)
    told = dict(zip(found.panel.keys, found.panel.countries, strict=True))

    assert told["total"] == told["channel:store"] == ("IR", "US")
    assert told["banner:Bazaar"] == told["store:till:S3"] == ("IR",)
    assert told["channel:web"] == ("US",)


def test_without_events_no_series_keeps_feasts(star):
    assert set(reading(star, SALES, events="none").panel.countries) == {()}


def test_a_lone_banner_is_the_total(star):
    star.execute("update core.dim_store set banner = 'Market'")
    found = reading(star, SALES)

    assert not [key for key in found.panel.keys if key.startswith("banner")]
    assert "category:Market:FLORAL" in found.panel.keys


def test_a_closed_day_is_unknown_and_a_day_without_a_sale_is_zero(star):
    found = reading(star, SALES)
    row = found.panel.keys.index("store:till:S3")

    assert np.flatnonzero(np.isnan(found.panel.values[row])).tolist() == list(range(4, DAYS, 7))
    assert (found.panel.closed[row, :DAYS] == np.isnan(found.panel.values[row])).all()
    assert values(found, "store_category:till:S1:FLORAL")[2:5].tolist() == [0.0, 15.0, 0.0]


def test_a_weekday_of_rest_is_closed_ahead(star):
    found = reading(star, SALES)
    ahead = found.panel.closed[:, DAYS:]

    fridays = found.panel.weekdays[DAYS:] == 4
    assert (ahead[found.panel.keys.index("store:till:S3")] == fridays).all()
    assert not ahead[found.panel.keys.index("store:till:S1")].any()


def test_nothing_is_known_of_a_series_before_its_first_sale(star):
    sell(star, 2, 3, [1.0] * 10, first=FIRST + timedelta(days=50))
    found = values(reading(star, SALES), "store_category:till:S2:FLORAL")

    assert np.isnan(found[:50]).all()
    assert found[50] == 2.5


def test_a_day_with_a_line_without_exchange_rate_is_unknown_but_not_closed(star):
    sell(star, 1, 2, [1.0], first=FIRST + timedelta(days=30), price=None)
    found = reading(star, SALES)
    row = found.panel.keys.index("store:till:S1")

    assert np.flatnonzero(np.isnan(found.panel.values[row])).tolist() == [30]
    assert not found.panel.closed[row, 30]
    assert values(found, "store:till:S2")[30] == 5.0


def test_lines_after_the_last_complete_day_are_not_read(star):
    before = reading(star, SALES).panel
    star.execute(
        "insert into core.fct_sales_line select transaction_key, sender, business_date + 1, "
        "sold_at + interval 1 day - interval 9 hour, store_key, store_durable_key, product_key, "
        "product_durable_key, channel_key, 900, 900 from core.fct_sales_line "
        "where business_date = ?", [ORIGIN],
    )  # fmt: skip
    after = reading(star, SALES).panel

    assert after.origin_date == ORIGIN
    assert np.array_equal(before.values, after.values, equal_nan=True)
    assert (before.closed == after.closed).all()


def test_the_parts_are_the_whole(star):
    found = reading(star, SALES)
    told = {(one.parent_level, one.child_level): one for one in found.sums()}

    assert sorted(told) == [
        ("banner", "category"), ("banner", "store"), ("banner", "store_category"),
        ("category", "store_category"), ("store", "store_category"), ("total", "banner"),
        ("total", "category"), ("total", "channel"), ("total", "store"),
        ("total", "store_category"),
    ]  # fmt: skip
    for one in told.values():
        assert one.complete.all()
        for parent, rows in zip(one.parents, one.children, strict=True):
            parts = np.nansum(found.panel.values[rows], axis=0)
            whole = np.nan_to_num(found.panel.values[parent])
            np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_what_is_too_small_is_added_up_in_the_rest_of_its_parent(star):
    sell(star, 2, 4, [3.0] * 6)
    found = reading(star, UNITS)

    assert found.panel.keys == (
        "product:till:P%3A4", "product:till:P1", "product:till:P3",
        "store_product:till:S1:P1", "store_product:till:S1:P3", "store_product:till:S2:P%3A4",
        "store_product:till:S2:P1", "store_product:till:S3:P1",
        "store_product:till:P%3A4:(rest)",
    )  # fmt: skip
    assert values(found, "store_product:till:P%3A4:(rest)")[:4].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert values(found, "product:till:P%3A4")[:3].tolist() == [4.0, 4.0, 3.0]
    assert found.members[-1].is_rest
    assert found.members[-1].parents == ("product:till:P%3A4",)
    (told,) = found.sums()
    assert told.complete.all()
    assert found.left_out == (("product", 0), ("store_product", 1))


def test_what_ended_is_in_a_rest_with_all_its_parts():
    connection = open_star()
    sell(connection, 1, 1, [4.0] * DAYS)
    sell(connection, 2, 1, [2.0] * 30)  # a shop of a banner that goes on
    sell(connection, 3, 3, [8.0] * 30)  # the only shop of its banner
    levels = [
        one | ({"least": {"recent_days": 28}} if len(one["by"]) == 1 else {})
        for one in SALES["series"]
    ]
    found = reading(connection, SALES, series=levels)

    assert found.panel.keys == (
        "total", "banner:Market", "banner:(rest)", "channel:store",
        "store:till:S1", "store:(rest)", "store:Market:(rest)",
        "category:Market:GROCERY", "category:(rest)",
        "store_category:till:S1:GROCERY", "store_category:(rest)",
        "store_category:Market:GROCERY:(rest)",
    )  # fmt: skip
    assert values(found, "store:(rest)")[:30].tolist() == [20.0] * 30
    assert values(found, "store:Market:(rest)")[:30].tolist() == [5.0] * 30
    shut = found.panel.closed[found.panel.keys.index("store:(rest)")]
    assert not shut[:30].any()
    assert shut[30:DAYS].all()
    assert all(one.complete.all() for one in found.sums())


def test_only_the_busiest_are_series_where_there_are_too_many(star):
    levels = [UNITS["series"][0] | {"most": 1, "least": {"selling_days": 1}}]
    found = reading(star, UNITS, series=levels)

    assert found.panel.keys == ("product:till:P1",)
    assert found.notes[0].startswith("product: 2 members are no series of their own")


def test_what_has_not_sold_for_long_is_no_series(star):
    levels = [UNITS["series"][0] | {"least": {"selling_days": 1, "recent_days": 30}}]

    assert reading(star, UNITS, series=levels).panel.keys == ("product:till:P1", "product:till:P3")


def test_a_product_without_stock_is_sold_out_where_nothing_was_sold_or_it_ran_out(star):
    stock(star, 1, 1, 10, on_hand=0, sold=4, is_out=True)  # ran out in the course of the day
    stock(star, 1, 1, 11, on_hand=0, sold=0, is_out=False)  # carried along
    stock(star, 1, 1, 12, on_hand=0, sold=4, is_out=False)
    stock(star, 2, 1, 10, on_hand=5, sold=2, is_out=False)
    for store in (2, 3):
        stock(star, store, 1, 12, on_hand=5, sold=2, is_out=False)
    found = reading(star, UNITS)
    told = {
        key: np.flatnonzero(row).tolist()
        for key, row in zip(found.panel.keys, found.panel.sold_out, strict=True)
        if row.any()
    }

    # Day 10: one of two stores; day 11: the only one that tells its stock; day 12: none.
    assert told == {"store_product:till:S1:P1": [10, 11], "product:till:P1": [10, 11]}


def test_a_promotion_is_the_share_of_the_products_that_the_plan_names(star):
    promote(star, 1, 10, 11, [(1, 1), (2, 1), (1, 2)])
    promote(star, 2, DAYS + 1, DAYS + 2, [(1, 1)])
    sales, units = reading(star, SALES), reading(star, UNITS)

    def told(found: Reading, key: str) -> dict[int, float]:
        row = found.panel.promotion[found.panel.keys.index(key)]
        return {int(n): float(row[n]) for n in np.flatnonzero(row)}

    ahead = (DAYS + 1, DAYS + 2)
    assert told(sales, "store:till:S3") == dict.fromkeys((10, 11, *ahead), 1.0)  # the sender's
    assert told(units, "store_product:till:S1:P1") == dict.fromkeys((10, 11, *ahead), 1.0)
    assert told(units, "store_product:till:S2:P1") == dict.fromkeys((10, 11), 1.0)
    assert told(units, "product:till:P1") == {10: 1, 11: 1} | dict.fromkeys(ahead, 0.5)
    # Three pairs of Market's groceries are ever in the plan.
    assert told(sales, "category:Market:GROCERY") == pytest.approx(
        {10: 1, 11: 1} | dict.fromkeys(ahead, 1 / 3)
    )
    assert told(sales, "category:Market:FLORAL") == {}


def test_promotions_without_a_plan_ahead_are_dropped(star):
    promote(star, 1, 10, 11, [(1, 1)])
    found = reading(star, SALES)

    assert found.panel.regressors == {}
    assert "promotion of till is dropped: no plan reaches past the last day" in found.notes


def test_products_do_without_promotions_where_the_plan_names_none(star):
    promote(star, 1, DAYS + 1, DAYS + 2, [])
    found = reading(star, UNITS)

    assert found.panel.regressors == {}
    assert found.notes[-1].endswith("its plan names no product past the last day")


def test_a_promotion_of_more_than_four_weeks_is_the_usual_state(star):
    promote(star, 1, DAYS, DAYS + 28, [(1, 1)])

    assert reading(star, SALES).panel.regressors == {}


def test_weeks_since_the_start_are_counted_from_the_first_sale(star):
    sell(star, 2, 3, [1.0] * 10, first=FIRST + timedelta(days=50))
    found = reading(star, SALES, regressors=["weeks_since_start"])
    row = found.panel.keys.index("store_category:till:S2:FLORAL")
    told = found.panel.regressors["weeks_since_start"][row]

    assert told[[0, 50, 56, 57, DAYS + 4]].tolist() == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("content", [SALES, UNITS], ids=["net_sales", "units"])
def test_the_order_of_the_rows_changes_nothing(star, content):
    promote(star, 1, 10, 11, [(1, 1), (2, 1)])
    promote(star, 2, DAYS + 1, DAYS + 2, [(1, 1)])
    sell(star, 2, 4, [0.1, 0.2, 0.3] * 10, price=3.3333)
    sell(star, 1, 2, [0.1, 0.7] * 2, price=0.0777)
    before = reading(star, content)
    for table in ("fct_sales_line", "dim_store", "dim_product", "fct_promotion_coverage"):
        star.execute(f"create or replace table core.{table} as from core.{table} order by random()")
    after = reading(star, content)

    assert (before.members, before.notes) == (after.members, after.notes)
    assert before.panel.values.tobytes() == after.panel.values.tobytes()
    assert before.panel.closed.tobytes() == after.panel.closed.tobytes()
    for name, one in before.panel.regressors.items():
        assert one.tobytes() == after.panel.regressors[name].tobytes()


def test_a_star_without_sales_has_no_series():
    assert read(open_star(), Definition.model_validate(SALES)) is None


def test_the_numbering_leaves_nothing_behind(star):
    reading(star, UNITS)

    assert star.execute("select count(*) from duckdb_tables() where temporary").fetchone() == (0,)


def test_a_colon_or_a_bracket_in_a_code_cannot_be_taken_for_another_key():
    assert series_key("store", ["a:b", "c"]) != series_key("store", ["a", "b:c"])
    assert series_key("product", ["a", "(rest)"]) != series_key("product", ["a"], is_rest=True)
    assert series_key("product", ["a%3Ab"]) != series_key("product", ["a:b"])


def test_films_in_cinemas_are_read_from_another_mart(star):
    star.execute("create schema cinema")
    star.execute("create table core.dim_film (film_key bigint, sender varchar, film_code varchar, "
                 "name varchar)")  # fmt: skip
    star.execute("insert into core.dim_film values (7, 'till', 'F7', 'Seven')")
    star.execute("create table cinema.box_office_daily (show_date date, store_durable_key bigint, "
                 "film_key bigint, ticket_count integer)")  # fmt: skip
    star.execute("insert into cinema.box_office_daily select $1 + cast(i as integer), s, 7, 10 * s "
                 "from range(40) as r(i), range(1, 3) as q(s)", [FIRST])  # fmt: skip
    found = reading(
        star, SALES, source="cinema.box_office_daily", measure="ticket_count", unit="tickets",
        date="show_date", series=[
            {"level": "film", "by": ["film"], "set": "smooth"},
            {"level": "film_store", "by": ["film", "store"], "set": "smooth"},
        ],
    )  # fmt: skip

    assert found.panel.keys == (
        "film:till:F7", "film_store:till:S1:F7", "film_store:till:S2:F7",
    )  # fmt: skip
    assert values(found, "film:till:F7")[0] == 30.0
    assert np.isnan(values(found, "film:till:F7")[40:]).all()
    assert all(one.complete.all() for one in found.sums())


def test_the_forecasts_that_come_with_the_product_can_be_read(star):
    for definition in load_definitions():
        columns = {d[0] for d in star.execute("from core.fct_sales_line limit 0").description}
        if definition.source == "core.fct_sales_line":
            assert {definition.measure, definition.date} <= columns
            assert read(star, definition) is not None


def test_a_feast_that_was_closed_before_is_closed_ahead():
    connection = open_star()
    first = date(2015, 12, 1)
    days = (date(2016, 12, 20) - first).days
    sell(connection, 1, 1, [None if n == 24 else 4.0 for n in range(days)], first=first)
    panel = reading(connection, SALES).panel

    ahead = np.flatnonzero(panel.closed[panel.keys.index("store:till:S1"), panel.day_count :])
    assert [panel.day(panel.day_count + n) for n in ahead.tolist()] == [date(2016, 12, 25)]
