"""What the dimensions hold for hand-written rows, and what late or repeated rows do to them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from two_retailers import EAST, NORTH, deliver_two_retailers

from dagster_project.core.calendars import FIRST_DAY, LAST_DAY
from dagster_project.core.home import DBT_PROJECT

DAY = timedelta(days=1)

DIMENSIONS = {
    "dim_date": "date_key",
    "dim_time_of_day": "time_of_day_key",
    "dim_store": "store_key",
    "dim_product": "product_key",
    "dim_customer": "customer_key",
    "dim_promotion": "promotion_key",
    "dim_tender_type": "tender_type_key",
    "dim_channel": "channel_key",
    "dim_terminal": "terminal_key",
    "dim_employee": "employee_key",
    "dim_card_issuer": "card_issuer_key",
    "dim_currency": "currency_key",
    "dim_tax_class": "tax_class_key",
    "dim_reason": "reason_key",
    "dim_film": "film_key",
    "dim_hall": "hall_key",
    "dim_show": "show_key",
    "dim_menu_item": "menu_item_key",
    "dim_service": "service_key",
}
VERSIONED = {
    "dim_store": "store",
    "dim_product": "product",
    "dim_customer": "customer",
    "dim_terminal": "terminal",
    "dim_employee": "employee",
}


@pytest.mark.parametrize(("table", "key"), DIMENSIONS.items(), ids=list(DIMENSIONS))
def test_every_dimension_has_the_three_reserved_members_and_no_other_negative_key(
    built, table, key
):
    found = built.query(f"select {key} from core.{table} where {key} < 0 order by 1 desc")
    assert found == [(-1,), (-2,), (-3,)]


@pytest.mark.parametrize("table", VERSIONED)
def test_every_moment_finds_exactly_one_version(built, table):
    thing = VERSIONED[table]
    found = built.query(
        f"select {thing}_durable_key, moment, count(*) from core.{table}, "
        "(values (timestamptz '1950-01-01'), ('2017-03-01'), ('2017-06-01'), ('2090-01-01')) "
        "as moments (moment) where moment >= valid_from_at and moment < valid_to_at group by all"
    )
    assert {count for *_, count in found} == {1}
    things = built.query(f"select count(distinct {thing}_durable_key) from core.{table}")
    assert len(found) == 4 * things[0][0]


def test_the_same_code_at_two_senders_is_two_stores(built):
    found = built.query(
        "select sender, name, time_zone, store_durable_key from core.dim_store "
        "where store_code = 'A' order by sender"
    )
    assert [row[:3] for row in found] == [
        (EAST, "East One", "Asia/Shanghai"),
        (NORTH, "North One", "America/New_York"),
    ]
    assert found[0][3] != found[1][3]


def test_a_store_that_only_a_receipt_knows_is_inferred_under_its_code(built):
    found = built.query(
        "select sender, store_code, name, time_zone, cut_off_hour, is_current, changed_batch_id "
        "from core.dim_store where is_inferred"
    )
    assert found == [(NORTH, "B", "B", "UTC", 0, True, 0)]


def test_a_product_that_only_a_line_knows_is_inferred_under_its_code(built):
    found = built.query(
        "select sender, product_code, name, is_merchandise from core.dim_product where is_inferred"
    )
    assert found == [(NORTH, "77", "77", True)]


def test_a_change_of_category_is_a_version_under_one_spelling(built):
    found = built.query(
        "select name, category, list_price_band, is_current from core.dim_product "
        "where sender = 'east' order by valid_from_at"
    )
    assert found == [("Green tea", "Tea", "20-50", False), ("Green tea", "Gifts", "20-50", True)]


def test_a_promotion_that_only_a_line_knows_is_inferred(built):
    found = built.query(
        "select promotion_code, name, mechanic, is_inferred from core.dim_promotion "
        "where promotion_key >= 0 order by 1"
    )
    assert found == [("p1", "Milk week", "amount_off", False), ("p9", "p9", None, True)]


def test_a_tender_code_on_no_list_is_inferred_and_the_listed_ones_are_always_there(built):
    found = built.query(
        "select tender_type_code, name, family, is_inferred from core.dim_tender_type "
        "where tender_type_code in ('barter', 'wechat', 'cash') order by 1"
    )
    assert found == [
        ("barter", "barter", "unknown", True),
        ("cash", "Cash", "cash", False),
        ("wechat", "WeChat Pay", "wallet", False),
    ]


def test_a_change_of_tier_is_a_version_of_the_customer(built):
    found = built.query(
        "select tier, member_since_date, sender, banner, is_current, is_inferred "
        "from core.dim_customer where customer_durable_key = 11 order by valid_from_at"
    )
    # 03:00 UTC on the 5th is still the evening of the 4th in New York.
    assert found == [
        ("basic", date(2017, 1, 4), NORTH, "North", False, False),
        ("gold", date(2017, 1, 4), NORTH, "North", True, False),
    ]


def test_two_accounts_of_a_person_are_one_customer_led_by_the_first(built):
    found = built.query(
        "select c.tier, c.city, c.birth_decade, s.name, c.has_marketing_consent "
        "from core.dim_customer as c join core.dim_store as s "
        "on c.home_store_durable_key = s.store_durable_key and s.is_current "
        "where c.customer_durable_key = 22 order by c.valid_from_at"
    )
    # The second account joins without changing anything; withdrawing on it ends the consent.
    assert found == [
        ("silver", "Shanghai", 1980, "East One", True),
        ("silver", "Shanghai", 1980, "East One", False),
    ]


def test_a_person_known_by_a_phone_alone_is_inferred_and_has_no_home_store(built):
    found = built.query(
        "select is_inferred, home_store_durable_key, tier, has_marketing_consent "
        "from core.dim_customer where customer_durable_key = 33"
    )
    assert found == [(True, -2, None, False)]


def test_the_calendar_in_the_star_joins_on_the_day(built):
    found = built.query(
        "select holiday_name_cn, retail_week, jalali_month_name_en from core.dim_date "
        "where date_key = 20170128"
    )
    assert found == [("Chinese New Year (Spring Festival)", 52, "Bahman")]


def test_an_inferred_member_keeps_its_key_when_its_thing_arrives(fresh, build_dimension):
    deliver_two_retailers(fresh)
    build_dimension(fresh, "dim_store")
    keys = "select store_key, store_durable_key from core.dim_store where store_code = 'B'"
    before = fresh.query(keys)
    fresh.deliver(
        "store__store",
        [
            {
                "store_code": "B", "effective_at": "2018-01-01 00:00:00+00", "name": "North Two",
                "banner": "North", "store_type": "shop", "country_code": "US",
                "time_zone": "America/Chicago", "currency_code": "USD", "cut_off_hour": 0,
            }
        ],
        batch=2,
        sender=NORTH,
    )  # fmt: skip
    build_dimension(fresh, "dim_store")
    assert fresh.query(keys) == before
    found = fresh.query(
        "select name, time_zone, is_inferred, changed_batch_id from core.dim_store "
        "where store_code = 'B'"
    )
    assert found == [("North Two", "America/Chicago", False, 2)]


def test_an_operator_keeps_the_key_under_which_receipts_came_before_the_staff_data(fresh):
    def employees() -> list[tuple[Any, ...]]:
        run = fresh.dbt("run", "--select", "+dim_employee", "+dim_terminal")
        assert run.exit_code == 0, run.words
        return fresh.query(
            "select employee_key, employee_durable_key, role_code, is_inferred, is_current "
            "from core.dim_employee where employee_key >= 0 order by valid_from_at"
        )

    receipt = {
        "receipt_id": "r", "receipt_type": "sale", "store_code": "A", "terminal_code": "3",
        "operator_code_token": "7", "sold_at": "2017-03-01 15:00:00+00", "currency_code": "USD",
    }  # fmt: skip
    fresh.deliver("pos_standard__receipt", [receipt], batch=1, sender=NORTH)
    ((key, durable_key, *seen),) = employees()
    assert seen == ["unknown", True, True]
    assert fresh.query("select name from core.dim_terminal where terminal_key >= 0") == [("A / 3",)]

    versions = [
        {
            "employee_number_token": "n", "effective_at": f"2017-{month:02}-01 00:00:00+00",
            "operator_code_token": "7", "role_code": role,
        }
        for month, role in ((1, "cashier"), (6, "shift lead"))
    ]  # fmt: skip
    fresh.deliver("employee__employee", versions, batch=2, sender=NORTH)
    cashier, lead = employees()
    assert cashier == (key, durable_key, "cashier", False, False)
    assert lead[1:] == (durable_key, "shift lead", False, True)
    assert lead[0] != key


VERSIONS = [
    {"product_code": "1", "effective_at": f"2017-{month:02}-01 00:00:00+00", "category": category}
    for month, category in ((1, "Tea"), (3, "Tea"), (5, "Gifts"), (7, "Tea"), (9, "Gifts"))
]
# What the versions above come to, worked out by hand: from month, category.
EXPECTED = [(None, "Tea"), (5, "Gifts"), (7, "Tea"), (9, "Gifts")]


ORDERS = {"forward": (0, 1, 2, 3, 4), "backward": (4, 3, 2, 1, 0), "mixed": (2, 0, 4, 1, 3)}


def test_versions_come_out_the_same_in_any_order_of_arrival(fresh, build_dimension):
    for sender, order in ORDERS.items():
        for batch, position in enumerate(order, start=1):
            fresh.deliver("product__product", [VERSIONS[position]], batch=batch, sender=sender)
    build_dimension(fresh, "dim_product")
    for sender in ORDERS:
        found = fresh.query(
            "select case when valid_from_at > timestamptz '1900-01-01' then month(valid_from_at) "
            f"end, category from core.dim_product where sender = '{sender}' order by valid_from_at"
        )
        assert found == EXPECTED, sender


def test_of_two_contents_of_one_key_the_later_written_holds_in_any_order(fresh, build_dimension):
    pair = {"base_currency_code": "CNY", "quote_currency_code": "USD", "rate_date": "2017-03-01"}
    earlier = pair | {"rate": "0.14", "updated_at": "2017-03-01 10:00:00+00"}
    later = pair | {"rate": "0.15", "updated_at": "2017-03-01 11:00:00+00"}
    # What was written later arrives first, then the earlier content, then a repeat of it.
    fresh.deliver("exchange_rate__rate", [later], batch=1)
    fresh.deliver("exchange_rate__rate", [earlier, earlier], batch=2)
    build_dimension(fresh, "stg_exchange_rate__rates")
    assert fresh.query("select count(*) from raw.exchange_rate__rate") == [(2,)]
    found = fresh.query("select rate, batch_id from staging.stg_exchange_rate__rates")
    assert [(float(rate), batch) for rate, batch in found] == [(0.15, 1)]


def test_the_reporting_currency_is_a_setting(fresh):
    deliver_two_retailers(fresh)
    run = fresh.dbt(
        "run", "--select", "+int_rates__daily", settings={"TILLHOUSE_REPORTING_CURRENCY": "CNY"}
    )
    assert run.exit_code == 0, run.words
    found = fresh.query(
        "select currency_code, exchange_rate from intermediate.int_rates__daily "
        "where business_date = date '2017-03-01'"
    )
    # 1 / 0.14, to the twelve places that are kept
    assert [(code, str(rate)) for code, rate in found] == [("USD", "7.142857142857")]


@pytest.mark.slow
def test_every_rule_gives_the_answers_worked_out_for_it(built):
    run = built.dbt("test", "--select", "test_type:unit")
    assert run.exit_code == 0, run.words
    statuses = run.results()
    assert len(statuses) >= 15
    assert set(statuses.values()) == {"pass"}


def test_a_sale_of_a_day_outside_the_calendar_is_kept_under_the_invalid_date(built):
    found = built.query(
        "select receipt_id, business_date, date_key from core.fct_transaction "
        "where receipt_id in ('r3', 'r4') order by all"
    )
    assert found == [("r3", date(1970, 1, 1), -3), ("r4", date(2099, 12, 31), -3)]


def test_the_calendar_ends_where_date_keys_do(built):
    edges = (FIRST_DAY, FIRST_DAY - DAY, LAST_DAY, LAST_DAY + DAY)
    template = (DBT_PROJECT / "macros" / "date_key.sql").read_text("utf-8")
    body = template[template.index("case") : template.index("{%- endmacro")]
    keys = [
        built.query("select " + body.replace("{{ date }}", f"date '{edge}'"))[0][0]
        for edge in edges
    ]
    known = {key for (key,) in built.query("select date_key from core.dim_date")}
    assert [key in known for key in keys] == [True] * len(edges)
    assert [key > 0 for key in keys] == [True, False, True, False]
