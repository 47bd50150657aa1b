"""Real bills, payments, products, sessions, events and prices by feed YAML alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
from real_files import Deliver, Query

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.home import TEMPLATES
from dagster_project.core.warehouse import Warehouse


def test_a_wechat_bill_is_read_behind_its_sixteen_lines(
    deliver: Deliver, query: Query, data: Path
) -> None:
    bill = data / "cn_payment_bills" / "wechat" / "example-wechat-records.csv"
    outcome = deliver("wechat_payer", bill)

    assert (outcome.physical_count, outcome.loaded_count) == (27, 27)
    # '¥28.16', the first row; numbers of 28 and more digits stay as they are.
    first = query(
        "select amount::double, card_issuer from raw.card_transaction__transaction "
        "order by _record_number limit 1"
    )
    assert first == [(28.16, "中国银行")]
    longest = "select max(length(reference_number)) from raw.card_transaction__transaction"
    assert query(longest) == [(45,)]
    signs = (
        "select count(*) from raw.card_transaction__transaction "
        "where reference_number like '%\"%' or reference_number like '%\t%'"
    )
    assert query(signs) == [(0,)]


def test_a_wechat_bill_that_states_other_rows_is_held_back(
    deliver: Deliver, warehouse: Warehouse, data: Path
) -> None:
    deliver("wechat_payer")  # nothing is there yet
    templates = load_templates(TEMPLATES)
    bill = data / "cn_payment_bills" / "wechat" / "example-wechat-records.csv"
    as_shipped = Feed(
        feed="wechat_strict",
        layout="wechat_pay_payer_bill",
        sender="wechat",
        owner="feeds@example.com",
        arrival={"complete_by": "rename"},
    )
    landing = warehouse.home.landing / "wechat_strict"
    landing.mkdir(parents=True)
    (landing / bill.name).write_bytes(bill.read_bytes())

    outcome = load_delivery(warehouse, as_shipped, templates[as_shipped.template])

    # 共43笔记录, of which somebody left 27.
    reason = "the preamble says 43 records, the rows have 27"
    assert outcome.quarantined == ((bill.name, reason),)


def test_a_jd_bill_comes_to_what_it_states(deliver: Deliver, query: Query, data: Path) -> None:
    bill = data / "cn_payment_bills" / "jd" / "example-jd-records.csv"
    outcome = deliver("jd_payer", bill)

    # 共：26笔记录
    assert (outcome.physical_count, outcome.loaded_count) == (26, 26)
    # 支出 1648.43: purchases less what was given back of them, without those paid later (35.61)
    # and the one given back whole; 不计收支 1097.59: the refunds.
    ((spent, returned),) = query(
        """
        select
            sum(amount - coalesce(refunded_amount, 0)) filter (
                where transaction_type = 'purchase' and category != '先享后付'),
            -sum(amount) filter (where transaction_type = 'refund')
        from raw.card_transaction__transaction
        """
    )
    assert (spent, returned) == (Decimal("1648.4300"), Decimal("1097.5900"))
    partly = (
        "select amount::double from raw.card_transaction__transaction where refunded_amount = 89.84"
    )
    assert query(partly) == [(131.77,)]


def test_payments_with_instalments_add_up_by_their_kind(
    deliver: Deliver, query: Query, data: Path
) -> None:
    folder = data / "olist_partial"
    outcome = deliver("olist_payments", folder / "olist_order_payments_dataset.parquet")

    assert (outcome.physical_count, outcome.rejected_count) == (103_886, 0)
    orders = "select count(distinct order_id), max(instalment_count) from raw.web_order__payment"
    assert query(orders) == [(99_440, 24)]
    sums = query(
        "select coalesce(card_type, tender_type_code), sum(amount) from raw.web_order__payment "
        "group by 1 order by 2 desc"
    )
    assert sums == [
        ("credit", Decimal("12542084.1900")),
        ("boleto", Decimal("2869361.2700")),
        ("voucher", Decimal("379436.8700")),
        ("debit", Decimal("217989.7900")),
        ("not_defined", Decimal("0.0000")),
    ]


def test_orders_with_the_month_first_and_articles_with_floats(
    deliver: Deliver, query: Query, data: Path
) -> None:
    folder = data / "olist_partial"
    orders = deliver("olist_orders", folder / "olist_orders_dataset.csv")
    products = deliver("olist_products", folder / "olist_products_dataset.parquet")

    assert (orders.loaded_count, orders.rejected_count) == (4_998, 0)
    # 10/2/2017 10:56 in São Paulo: the second of October, three hours behind UTC.
    first = (
        "select ordered_at::varchar from raw.web_order__order where order_id like 'e481f51cbdc5%'"
    )
    assert query(first) == [("2017-10-02 13:56:00+00",)]
    assert (products.loaded_count, products.rejected_count) == (32_951, 0)
    counts = "select sum(photo_count), count(*) - count(category) from raw.product__product"
    assert query(counts) == [(70_794, 610)]


def test_a_month_of_card_payments_comes_in_with_its_frauds(
    deliver: Deliver, query: Query, data: Path, tmp_path: Path
) -> None:
    # One month of four: all of them take a minute and show nothing more.
    source = data / "card_fraud_simulated" / "transactions_apr_jul.parquet"
    month = tmp_path / "april.parquet"
    duckdb.execute(
        f"copy (from '{source}' where TX_DATETIME < '2018-05-01') to '{month}' (format parquet)"
    )

    outcome = deliver("card_payments", month)

    assert (outcome.physical_count, outcome.rejected_count) == (288_062, 0)
    sums = query(
        "select sum(amount), count(*) filter (where is_fraud), "
        "count(*) filter (where fraud_scenario_code is not null) "
        "from raw.card_transaction__transaction"
    )
    assert sums == [(Decimal("15419169.8300"), 1_702, 1_702)]


def test_a_jeweller_s_variants_are_products_and_its_pictures_are_not(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("jewelery_products", data / "shopify_products" / "jewelery.csv")

    # 41 rows, 18 of them only pictures; no newline after the last one.
    assert (outcome.physical_count, outcome.loaded_count) == (23, 23)
    ((styles, price),) = query(
        "select count(distinct style_code), sum(coalesce(sale_price, list_price)) "
        "from raw.product__product"
    )
    assert (styles, price) == (20, Decimal("980.7400"))
    unnamed = "select count(*) from raw.product__product where name is null or description is null"
    assert query(unnamed) == [(0,)]
    broken = (
        "select count(distinct style_code) from raw.product__product where description like '%\n%'"
    )
    assert query(broken) == [(2,)]


def test_visits_are_counted_even_where_they_are_equal(
    deliver: Deliver, query: Query, data: Path
) -> None:
    path = data / "uci_online_shoppers" / "online_shoppers_intention.csv"
    outcome = deliver("shopper_sessions", path)

    assert (outcome.physical_count, outcome.loaded_count) == (12_330, 12_330)
    ((visits, converted, unmeasured, weekend),) = query(
        "select count(*), count(*) filter (where is_converted), "
        "count(*) - count(product_seconds), count(*) filter (where is_weekend) "
        "from raw.web_session__session"
    )
    # No time is given of 14 visits, and -1 of 33 more.
    assert (visits, converted, unmeasured, weekend) == (12_330, 1_908, 14 + 33, 2_868)
    assert round(converted / visits, 3) == 0.155


def test_a_packed_clickstream_keeps_events_that_repeat(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("clickstream", data / "clickstream_retentioneering" / "ecom.csv.gz")

    assert (outcome.physical_count, outcome.loaded_count) == (31_106, 31_106)
    kinds = dict(query("select event_type, count(*) from raw.web_event__event group by 1"))
    assert (kinds["purchase"], kinds["add_to_cart"], kinds["product_view"]) == (470, 1_346, 6_851)
    months = "select min(strftime(occurred_at, '%Y-%m')), max(strftime(occurred_at, '%Y-%m'))"
    assert query(f"{months} from raw.web_event__event") == [("2024-01", "2024-06")]


def test_a_board_s_regions_contain_each_other_by_level(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("avocado", data / "pricing_avocado" / "avocado.csv")

    assert (outcome.physical_count, outcome.loaded_count) == (18_249, 18_249)
    sold = dict(
        query(
            "select region_level, sum(sold_quantity)::double from raw.market_price__observation "
            "group by 1"
        )
    )
    # The country is the sum of its eight regions, up to the rounding of each.
    assert round(sold["country"], 2) == 5_864_740_181.8
    assert abs(sold["country"] - sold["region"]) < 1
