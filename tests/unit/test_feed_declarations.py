"""Every feed that is shipped fits its template, and its expressions are SQL over its columns."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from dagster_project.core.declarations import (
    SQL_TYPES,
    Feed,
    load_feeds,
    load_templates,
)
from dagster_project.core.home import FEEDS, TEMPLATES

TEMPLATES_BY_NAME = load_templates(TEMPLATES)
FEEDS_BY_NAME = load_feeds(FEEDS, TEMPLATES_BY_NAME)
SENDERS = ("journey", "lantern")

every_feed = pytest.mark.parametrize("feed", FEEDS_BY_NAME.values(), ids=lambda feed: feed.feed)


def empty_delivery(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """A table ``delivered`` with the sender's columns, all of them text, and one row of nulls."""
    columns = ", ".join(f'null::varchar as "{name}"' for name in feed.columns)
    connection.execute(f"create or replace table delivered as select {columns}")


def test_both_retailers_are_declared() -> None:
    assert {feed.sender for feed in FEEDS_BY_NAME.values()} == set(SENDERS)
    assert sum(feed.sender == "journey" for feed in FEEDS_BY_NAME.values()) == 8
    assert sum(feed.sender == "lantern" for feed in FEEDS_BY_NAME.values()) == 32


# What the simulated banner has no sender for.
NOT_SIMULATED = {
    "card_transaction", "identity_decision", "market_price", "pos_cinema", "pos_clinic",
    "pos_restaurant", "web_session",
}  # fmt: skip


def test_the_simulated_banner_feeds_every_other_template() -> None:
    fed = {feed.template for feed in FEEDS_BY_NAME.values() if feed.sender == "lantern"}

    assert fed == set(TEMPLATES_BY_NAME) - NOT_SIMULATED


@every_feed
def test_a_feed_is_named_after_its_sender_and_its_folder(feed: Feed) -> None:
    assert feed.feed.startswith(f"{feed.sender}_")


@every_feed
def test_a_feed_names_the_component_that_loads_it(feed: Feed) -> None:
    content = yaml.safe_load((FEEDS / feed.feed / "defs.yaml").read_text("utf-8"))

    assert content["type"] == "dagster_project.components.FeedComponent"
    assert set(content) == {"type", "attributes"}


@every_feed
def test_an_owner_can_be_reached(feed: Feed) -> None:
    assert re.search(r"\S+@\S+$", feed.owner)


@every_feed
def test_a_file_counts_as_complete_by_its_rename(feed: Feed) -> None:
    assert feed.arrival.complete_by == "rename"


@every_feed
def test_every_expression_is_sql_over_the_feeds_own_columns(feed: Feed) -> None:
    template = TEMPLATES_BY_NAME[feed.template]
    with duckdb.connect() as connection:
        empty_delivery(connection, feed)
        for name, mapped in feed.records.items():
            for field, expression in mapped.fields.items():
                kind = SQL_TYPES[template.records[name].fields[field].type]
                query = f"select try_cast(({expression}) as {kind}) from delivered"
                assert connection.execute(query).fetchone() is not None, (feed.feed, field)


@every_feed
def test_every_column_is_used_or_is_one_the_warehouse_does_not_know(feed: Feed) -> None:
    unknown_here = {
        "journey_transactions": {"coupon_disc", "week"},
        "journey_products": {"manufacturer_id"},
        "journey_households": {"home_ownership", "marital_status", "household_comp", "kids_count"},
    }
    words = set(re.findall(r"\w+", " ".join(
        expression for record in feed.records.values() for expression in record.fields.values()
    )))  # fmt: skip

    assert set(feed.columns) - words == unknown_here.get(feed.feed, set())


def mapped(feed_name: str, record: str, field: str, **cells: str) -> object:
    """What a field becomes for one delivered row."""
    expression = FEEDS_BY_NAME[feed_name].records[record].fields[field]
    columns = ", ".join(f"? as {name}" for name in cells)
    query = f"select {expression} from (select {columns})"
    with duckdb.connect() as connection:
        return connection.execute(query, list(cells.values())).fetchone()[0]


@pytest.mark.parametrize(
    ("land", "mobile", "expected"),
    [
        pytest.param("CN", "13812345678", "13812345678", id="chinese as written"),
        pytest.param("IR", "09121234567", "+989121234567", id="iranian national"),
        pytest.param("IR", "۰۹۱۲۱۲۳۴۵۶۷", "+98۹۱۲۱۲۳۴۵۶۷", id="iranian in persian digits"),
        pytest.param("IR", "+98 912 1234567", "+98 912 1234567", id="iranian international"),
        pytest.param("GB", "0740 012 3456", "+44740 012 3456", id="british national"),
        pytest.param("GB", "00447400123456", "00447400123456", id="british international"),
    ],
)
def test_a_national_phone_gets_the_code_of_the_members_country(
    land: str, mobile: str, expected: str
) -> None:
    assert mapped("lantern_members", "member", "phone", land=land, mobile=mobile) == expected


def test_an_amount_in_scientific_notation_is_nothing_and_not_a_hundredth_of_a_cent() -> None:
    cells = {"sales_value": "1.776357e-15", "retail_disc": "0.5", "coupon_match_disc": "0.0"}

    listed = mapped("journey_transactions", "line", "list_amount", **cells)

    assert str(listed) == "0.50"


def test_list_price_is_what_was_paid_plus_what_the_shop_took_off() -> None:
    # 3.20 received, 0.80 loyalty discount, 0.50 match of a coupon: 4.50 on the shelf, 1.30 off.
    cells = {"sales_value": "3.2", "retail_disc": "0.8", "coupon_match_disc": "0.5"}

    assert str(mapped("journey_transactions", "line", "list_amount", **cells)) == "4.50"
    assert str(mapped("journey_transactions", "line", "discount_amount", **cells)) == "1.30"


@pytest.mark.parametrize(
    ("department", "category", "kind", "expected"),
    [
        ("GROCERY", "FRZN ICE", "ICE - CRUSHED/CUBED", True),
        ("COUPON", "COUPONS/STORE & MFG", "COUPONS/STORE & MFG", False),
        ("MISCELLANEOUS", "COUPON/MISC ITEMS", "MASTERCARD GIFT CARD", False),
        ("MISCELLANEOUS", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED", True),
        ("MISCELLANEOUS", "", "", True),
        ("POSTAL CENTER", "", "", False),
    ],
)
def test_coupons_gift_cards_and_stamps_are_no_merchandise(
    department: str, category: str, kind: str, expected: bool
) -> None:
    cells = {"department": department, "product_category": category, "product_type": kind}

    assert mapped("journey_products", "product", "is_merchandise", **cells) is expected


def test_the_feeds_folder_holds_nothing_but_declarations() -> None:
    files = [path for path in Path(FEEDS).rglob("*") if path.is_file()]

    assert {path.name for path in files if "__pycache__" not in path.parts} == {"defs.yaml"}
