"""Every shipped layout: it fits its template, and its sample comes out as worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from layout_deliveries import SAMPLE_OF, TEMPLATES_BY_NAME, Deliveries, feed_of

from dagster_project.core.declarations import check_feed, layout_names, read_layout

DOCS = Path(__file__).parents[2] / "docs" / "layouts.md"

every_layout = pytest.mark.parametrize("name", layout_names())


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path / "home")


def test_every_layout_has_a_sample_and_a_line_in_the_docs() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)

    assert tuple(sorted(listed)) == layout_names()
    assert set(SAMPLE_OF) == set(layout_names())


@every_layout
def test_a_layout_fits_its_template(name: str) -> None:
    feed = feed_of(name)

    check_feed(feed, TEMPLATES_BY_NAME, Path(name) / "defs.yaml")


@every_layout
def test_a_layout_leaves_to_the_feed_what_only_the_feed_knows(name: str) -> None:
    assert not {"feed", "sender", "owner", "layout"} & set(read_layout(name))


@every_layout
def test_every_column_of_a_layout_is_used(name: str) -> None:
    content = read_layout(name)
    expressions = [str(content.get("totals", "")), str(content.get("ignore_where", ""))]
    for record in content["records"].values():
        expressions += [*record["fields"].values(), record.get("each", ""), record.get("where", "")]
    words = set(re.findall(r"\w+", " ".join(map(str, expressions))))
    # The cell behind the last column, and what the bill repeats of others, are only named.
    unused = {"jd_payer_bill": {"end_of_row", "note"}}

    assert set(content["columns"]) - words == unused.get(name, set())


@every_layout
def test_the_whole_sample_of_a_layout_is_loaded(name: str, deliveries: Deliveries) -> None:
    outcome = deliveries.load(name, arrival={"complete_by": "rename", "reject_threshold": 0.4})

    assert not outcome.quarantined
    # One row of the Square sample is in a time zone that nobody has.
    assert outcome.rejected_count == (1 if name == "square_transactions" else 0)
    assert outcome.physical_count == (
        outcome.loaded_count + outcome.rejected_count + outcome.duplicate_count
    )


def test_a_till_s_rows_are_receipts_lines_and_payments(deliveries: Deliveries) -> None:
    deliveries.load("till_csv", time_zone="Europe/Paris")

    lines = deliveries.rows(
        "select receipt_id, line_number, line_type, product_code, quantity::double, "
        "list_amount::double, original_line_number from raw.pos_standard__line order by all"
    )
    assert lines == [
        ("S1-T1-000101", 1, "sale", "00123", 2.0, 8.0, None),
        ("S1-T1-000101", 2, "sale", "00123", 1.0, 4.0, None),
        ("S1-T1-000102", 1, "return", "00123", -1.0, -4.0, 2),
    ]
    receipts = "select count(*), min(sold_at)::varchar from raw.pos_standard__receipt"
    assert deliveries.rows(receipts) == [(2, "2026-03-08 08:15:00+00")]
    # 8.00 - 0.50 + 1.50 + 4.00 - 0.90 + 0 = 12.10 = 20.00 - 7.90; -4.00 back on the card.
    paid = "select sum(amount)::double from raw.pos_standard__tender group by receipt_id order by 1"
    assert deliveries.rows(paid) == [(-4.0,), (12.1,)]


def test_a_wide_row_is_split_into_the_places_in_use(deliveries: Deliveries) -> None:
    deliveries.load("till_wide")

    lines = "select receipt_id, line_number, line_type from raw.pos_standard__line order by all"
    assert deliveries.rows(lines) == [("17", 1, "sale"), ("17", 2, "fee"), ("18", 1, "return")]
    tenders = (
        "select tender_number, tender_type_code, amount::double from raw.pos_standard__tender "
        "where receipt_id = '17' order by 1"
    )
    assert deliveries.rows(tenders) == [(1, "cash", 5.0), (3, "gift_card", 4.5)]


def test_an_object_with_nested_lists_is_a_receipt_with_its_rows(deliveries: Deliveries) -> None:
    deliveries.load("till_jsonl")

    receipts = (
        "select receipt_id, receipt_type, line_count from raw.pos_standard__receipt order by 1"
    )
    assert deliveries.rows(receipts) == [
        ("R-900719925474099301", "sale", 1),
        ("R-900719925474099302", "no_sale", None),
    ]
    tenders = "select tender_number, amount::double from raw.pos_standard__tender order by 1"
    assert deliveries.rows(tenders) == [(1, 10.0), (2, -4.5)]
    steps = "select step_code, duration_seconds from raw.pos_standard__step"
    assert deliveries.rows(steps) == [("scan", 3.5)]


def test_poslog_2_1_gives_lines_returns_voids_taxes_rewards_and_times(
    deliveries: Deliveries,
) -> None:
    deliveries.load("poslog_2_1", time_zone="America/Los_Angeles")

    receipts = deliveries.rows(
        "select receipt_id, receipt_type, total_amount::double, duration_seconds, sold_at::varchar "
        "from raw.pos_standard__receipt order by 1"
    )
    # Noon of 8 March 2026 in Los Angeles, on the first day of summer time.
    assert receipts == [
        ("5-2-2026-03-08-71", "sale", 5.1, 35, "2026-03-08 19:00:00+00"),
        ("5-2-2026-03-08-72", "void", 0.0, None, "2026-03-08 19:05:00+00"),
    ]
    lines = deliveries.rows(
        "select line_number, line_type, quantity::double, list_amount::double, "
        "discount_amount::double, tax_amount::double from raw.pos_standard__line order by 1"
    )
    # Sold and returned: 6.00 - 0.50 + 0.60 - 1.00 = 5.10, which was paid.
    assert lines == [
        (1, "sale", 2.0, 6.0, 0.5, 0.6),
        (2, "void", 1.0, 9.0, 0.0, 0.0),
        (3, "return", -1.0, -1.0, 0.0, 0.0),
    ]
    tax = "select line_number, tax_share, base_amount::double from raw.pos_standard__tax"
    assert deliveries.rows(tax) == [(1, 0.1, 6.0)]
    reward = "select line_number, promotion_code, amount::double from raw.pos_standard__discount"
    assert deliveries.rows(reward) == [(1, "77", 0.5)]
    steps = "select step_code, duration_seconds from raw.pos_standard__step order by step_number"
    assert deliveries.rows(steps) == [("scan", 20.0), ("idle", 5.0), ("payment", 10.0)]
    codes = "select tender_type_code, authorisation_code from raw.pos_standard__tender"
    assert deliveries.rows(codes) == [("card_magnetic", "0042")]
    known = "select count(member_number_token) from raw.pos_standard__receipt"
    assert deliveries.rows(known) == [(1,)]


def test_poslog_6_0_spreads_the_tax_that_prices_include_and_turns_change(
    deliveries: Deliveries,
) -> None:
    deliveries.load("poslog_6_0", time_zone="Europe/Berlin")

    lines = deliveries.rows(
        "select line_type, list_amount::double, discount_amount::double, tax_amount::double "
        "from raw.pos_standard__line order by line_number"
    )
    # Of 1.92 tax in 18.00 - 6.00: 18/12 and -6/12 of it; 17.12 - 2.00 + 2.88 = 18.00.
    assert lines == [("sale", 17.12, 2.0, 2.88), ("return", -5.04, 0.0, -0.96)]
    tenders = "select amount::double from raw.pos_standard__tender order by tender_number"
    assert deliveries.rows(tenders) == [(20.0,), (-8.0,)]
    # The end in UTC, not the local time without an offset.
    times = "select sold_at::varchar, duration_seconds from raw.pos_standard__receipt"
    assert deliveries.rows(times) == [("2026-07-31 10:21:47.539+00", 33)]


def test_square_times_are_local_to_the_zone_in_their_row(deliveries: Deliveries) -> None:
    tolerant = {"complete_by": "rename", "reject_threshold": 0.4}
    deliveries.load("square_transactions", arrival=tolerant)
    deliveries.load("square_items")

    # 21:18:15 in Los Angeles is the next day in UTC.
    receipts = deliveries.rows(
        "select receipt_id, receipt_type, sold_at::varchar, total_amount::double, "
        "(_extra ->> 'tip_amount')::double from raw.pos_standard__receipt order by 1"
    )
    assert receipts == [
        ("TX0/refund/PAY9", "return", "2026-11-16 17:05:00+00", -2.16, 0.0),
        ("TX1", "sale", "2026-11-16 05:18:15+00", 1199.0, 10.0),
    ]
    owed = deliveries.rows(
        "select receipt_id, sum(list_amount - discount_amount + tax_amount)::double "
        "from raw.pos_standard__line group by 1 order by 1"
    )
    assert owed == [("TX0/refund/PAY9", -2.16), ("TX1", 1199.0)]
    paid = deliveries.rows(
        "select receipt_id, sum(amount)::double from raw.pos_standard__tender group by 1 order by 1"
    )
    assert paid == owed
    returned = (
        "select original_receipt_id, product_code from raw.pos_standard__line "
        "where line_type = 'return'"
    )
    assert deliveries.rows(returned) == [("TX0", "0100")]


def test_shopify_order_columns_are_filled_and_never_added_up(deliveries: Deliveries) -> None:
    deliveries.load("shopify_orders")

    owed = deliveries.rows(
        "select o.order_id, o.order_type, total_amount::double, "
        "sum(l.list_amount - l.discount_amount + l.tax_amount)::double, count(*) "
        "from raw.web_order__order as o join raw.web_order__line as l on l.order_id = o.order_id "
        "group by all order by 1"
    )
    # #1001 has two articles and its postage; the tax of #1002 is within its price.
    assert owed == [
        ("#1001", "sale", 58.3, 58.3, 3),
        ("#1002", "sale", 24.2, 24.2, 1),
        ("#1003", "void", 16.0, 16.0, 1),
    ]
    second = (
        "select product_code, discount_amount::double, tax_amount::double, ordered_at::varchar "
        "from raw.web_order__line where order_id = '#1001' and line_number = 2"
    )
    # 5.00 off 32.00 and 20.00: 3.08 of it are due on the first, the rest on the second.
    assert deliveries.rows(second) == [("TOTE-1", 1.92, 1.81, "2026-05-01 08:00:00+00")]
    payments = "select order_id, amount::double from raw.web_order__payment order by all"
    assert deliveries.rows(payments) == [("#1001", -16.0), ("#1001", 58.3), ("#1002", 24.2)]
    refunds = "select order_id, refund_amount::double from raw.web_order__refund"
    assert deliveries.rows(refunds) == [("#1001", 16.0)]
    states = "select fulfilment_id, status from raw.web_order__fulfilment order by 1"
    assert deliveries.rows(states) == [
        ("#1001/1", "shipped"),
        ("#1001/2", "shipped"),
        ("#1002/1", "paid"),
        ("#1003/1", "cancelled"),
    ]


def test_shopify_apostrophes_are_no_part_of_numbers_and_phones(deliveries: Deliveries) -> None:
    deliveries.load("shopify_customers", country="NL")

    clear = deliveries.rows("select value from vault.personal_value")
    values = {row[0] for row in clear}
    assert "6940000000000000001" in values
    assert "+31612345678" in values
    assert "01234" in values
    assert not {value for value in values if str(value).startswith("'")}


def test_shopify_variants_are_products_and_picture_rows_are_not(deliveries: Deliveries) -> None:
    outcome = deliveries.load("shopify_products")

    assert (outcome.physical_count, outcome.loaded_count) == (3, 3)
    products = deliveries.rows(
        "select product_code, name, variant, list_price::double, sale_price::double, "
        "is_merchandise from raw.product__product order by 1"
    )
    assert products == [
        ("0001", "Mug", "S / Red", 10.0, 8.0, True),
        ("card", "Gift card", None, 25.0, None, False),
        ("mug/L/Red", "Mug", "L / Red", 12.0, None, True),
    ]
    text = "select distinct description from raw.product__product where style_code = 'mug'"
    assert deliveries.rows(text) == [("<p>Holds\ntea.</p>",)]


def test_woocommerce_variations_have_their_product_s_category(deliveries: Deliveries) -> None:
    deliveries.load("woocommerce_products")

    products = deliveries.rows(
        "select product_code, style_code, department, category, list_price::double, "
        "sale_price::double, is_merchandise, is_published from raw.product__product order by 1"
    )
    assert products == [
        ("0047", "id:46", "Clothing", "Scarves", 12.5, None, True, False),
        ("hoodie", "hoodie", "Clothing", "Hoodies", None, None, False, True),
        ("hoodie-red", "hoodie", "Clothing", "Hoodies", 45.0, 40.0, True, True),
        ("id:46", "id:46", "Clothing", "Scarves", None, None, False, True),
    ]
