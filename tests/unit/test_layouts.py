"""Every shipped layout: it fits its template, and its sample comes out as worked out by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.core.declarations import (
    Feed,
    check_feed,
    layout_names,
    load_templates,
    read_layout,
)
from dagster_project.core.feeds import FeedOutcome, create_raw_tables
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

SAMPLES = Path(__file__).parents[1] / "samples" / "layouts"
SAMPLE_OF = {path.stem: path for path in SAMPLES.iterdir()}
TEMPLATES_BY_NAME = load_templates(TEMPLATES)

every_layout = pytest.mark.parametrize("name", layout_names())


class Deliveries:
    """Samples loaded into one warehouse by nothing but their layout."""

    def __init__(self, home: Path) -> None:
        self.warehouse = Warehouse(Home(home).create(), MasterKey(b"l" * 32))
        self.warehouse.create()
        with self.warehouse.connect() as connection:
            create_raw_tables(connection, TEMPLATES_BY_NAME)

    def load(self, layout: str, path: Path | None = None, **own: object) -> FeedOutcome:
        """Load a file, the layout's sample if none is named, by a feed of that layout."""
        feed = feed_of(layout, **own)
        landing = self.warehouse.home.landing / layout
        landing.mkdir(parents=True, exist_ok=True)
        source = path or SAMPLE_OF[layout]
        shutil.copyfile(source, landing / source.name)
        return load_delivery(self.warehouse, feed, TEMPLATES_BY_NAME[feed.template])

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a query, times in UTC."""
        with self.warehouse.connect(read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).fetchall()


def feed_of(layout: str, **own: object) -> Feed:
    """A feed that says nothing but what a layout cannot know."""
    said: dict[str, object] = {
        "feed": layout,
        "layout": layout,
        "sender": "sample",
        "owner": "Sample desk, sample@example.com",
        "files": "*",
        "arrival": {"complete_by": "rename"},
    }
    return Feed(**(said | own))  # type: ignore[arg-type]


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path / "home")


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


SETTLED = (
    "select reference_number, line_type, gross_amount::double, fee_amount::double, "
    "net_amount::double, payment_reference from raw.settlement_line__line order by settled_at"
)


def test_alipay_refunds_of_one_payment_are_lines_of_their_own_and_negative(
    deliveries: Deliveries,
) -> None:
    deliveries.load("alipay_merchant_bill")

    number = "2026030822000000000000000001"
    # One refund is written with a sign and one without.
    assert deliveries.rows(SETTLED) == [
        (number, "payment", 1200.0, 7.14, 1182.86, None),
        (f"{number}/RE-1", "refund", -100.0, -0.59, -98.41, number),
        (f"{number}/RE-2", "refund", -50.0, -0.3, -49.7, number),
    ]


def test_wechat_refunds_have_their_own_number_and_the_payment_s(deliveries: Deliveries) -> None:
    deliveries.load("wechat_pay_merchant_bill")

    number = "4200000000202603080000000001"
    assert deliveries.rows(SETTLED) == [
        ("4200000000202603080000000002", "payment", 10.0, 0.06, 9.94, None),
        (number, "payment", 88.0, 0.528, 87.472, None),
        ("5030000000000001", "refund", -8.0, -0.048, -7.952, number),
    ]


def test_an_acquirer_s_cents_are_amounts_by_their_kind(deliveries: Deliveries) -> None:
    deliveries.load("bank_acquirer_lines")

    assert sorted(deliveries.rows(SETTLED)) == [
        ("000000000001", "payment", 125.0, 1.25, 123.75, None),
        ("000000000002", "refund", -25.0, -0.25, -24.75, None),
        ("000000000003", "fee", 0.0, 3.0, -3.0, None),
    ]


def damaged_alipay(content: bytes) -> bytes:
    return content.replace(b"1190.00\xd4\xaa", b"1191.00\xd4\xaa")


def damaged_wechat(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:2] + lines[3:])


def damaged_acquirer(content: bytes) -> bytes:
    return content.replace(b"000000012500", b"000000012600")


def damaged_payer(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param("alipay_merchant_bill", damaged_alipay, id="another sum"),
        pytest.param("wechat_pay_merchant_bill", damaged_wechat, id="a row lost"),
        pytest.param("bank_acquirer_lines", damaged_acquirer, id="an amount changed"),
        pytest.param("wechat_pay_payer_bill", damaged_payer, id="cut off"),
        pytest.param("jd_payer_bill", damaged_payer, id="cut off, by kind"),
    ],
)
def test_a_bill_that_disagrees_with_its_own_totals_is_held_back(
    name: str, damage: Callable[[bytes], bytes], deliveries: Deliveries, tmp_path: Path
) -> None:
    whole = SAMPLE_OF[name].read_bytes()
    path = tmp_path / "bill"
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole

    outcome = deliveries.load(name, path)

    assert outcome.loaded_count == 0
    assert re.search(r"says .* the rows have", outcome.quarantined[0][1])


PAID = (
    "select transaction_type, amount::double, refunded_amount::double, fee_amount::double "
    "from raw.card_transaction__transaction order by transacted_at"
)


def test_a_payer_s_wechat_bill_tells_refunds_fees_and_directions(deliveries: Deliveries) -> None:
    deliveries.load("wechat_pay_payer_bill")

    assert deliveries.rows(PAID) == [
        ("purchase", 30.0, 5.0, None),
        ("transfer", -20.0, None, None),
        ("cash_advance", 100.0, None, 0.1),
    ]
    number = "select reference_number, receipt_id from raw.card_transaction__transaction limit 1"
    assert '"' not in str(deliveries.rows(number))


def test_a_payer_s_jd_bill_states_refunds_behind_the_amount(deliveries: Deliveries) -> None:
    deliveries.load("jd_payer_bill")

    assert deliveries.rows(PAID) == [
        ("purchase", 10.0, None, None),
        ("purchase", 131.77, 89.84, None),
        ("refund", -89.84, None, None),
    ]


def test_prepaid_entries_get_the_sign_of_what_they_do(deliveries: Deliveries) -> None:
    deliveries.load("prepaid_ledger")

    entries = deliveries.rows(
        "select entry_type, amount::double, balance_after_amount::double "
        "from raw.prepaid_entry__entry order by entry_id"
    )
    assert entries == [
        ("load", 1500.0, 1500.0),
        ("redeem", -12.5, 1487.5),
        ("reverse", 12.5, 1500.0),
    ]
