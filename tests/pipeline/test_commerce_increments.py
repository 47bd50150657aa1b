"""Stock, bills, prices, prepaid cards, points and coupons: refresh by refresh as by one build.

What comes late here changes days behind it: a count changes stock up to the next one, a payment
its case with the bill, a points entry the lots that later ones use.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest
from mart_content import Content, content, differences
from one_month import EAST, Delivery, Row
from small_warehouse import SmallWarehouse
from test_incremental import refresh

pytestmark = pytest.mark.long(minutes=2)

TABLES = (
    "core.fct_settlement_line",
    "core.fct_settlement_match",
    "core.fct_inventory_movement",
    "core.fct_inventory_daily",
    "core.fct_price",
    "core.fct_promotion_coverage",
    "core.fct_prepaid_ledger",
    "core.fct_points_ledger",
    "core.fct_coupon_redemption",
    "payment.payment_mix_daily",
    "promotion.promotion_allocation",
    "tax.tax_summary",
    "loyalty.points_monthly",
    "loyalty.coupon_performance",
    "inventory.stock_outs",
    "inventory.dead_stock",
    "settlement.settlement_exceptions",
    "settlement.settlement_ageing",
)


def noon(day: int) -> str:
    """Twelve o'clock in Shanghai on a day of May 2017."""
    return f"2017-05-{day:02d} 04:00:00+00"


def sale(number: str, day: int, quantity: int, reference: str) -> tuple[Delivery, ...]:
    """A receipt of so many units at ten yuan, paid by WeChat."""
    amount, at = quantity * 10, noon(day)
    return (
        Delivery("pos_standard__receipt", EAST, ({
            "receipt_id": number, "receipt_type": "sale", "store_code": "A",
            "terminal_code": "1", "sold_at": at, "sent_at": at, "currency_code": "CNY",
            "member_number_token": "m1"},)),
        Delivery("pos_standard__line", EAST, ({
            "receipt_id": number, "line_number": 1, "line_type": "sale", "product_code": "P",
            "quantity": quantity, "unit_price": 10, "list_amount": amount,
            "discount_amount": 0, "tax_amount": quantity, "sold_at": at, "promotion_code": "X"},)),
        Delivery("pos_standard__tender", EAST, ({
            "receipt_id": number, "tender_number": 1, "tender_type_code": "wechat",
            "amount": amount, "currency_code": "CNY", "sold_at": at,
            "reference_number": reference},)),
    )  # fmt: skip


def bill(reference: str, day: int, amount: int, kind: str = "payment", **more: Any) -> Delivery:
    """A line of WeChat's bill, at six thousandths."""
    sign = 1 if kind == "payment" else -1
    fee = amount * 0.006 * sign
    return Delivery("settlement_line__line", EAST, ({
        "provider": "wechat", "reference_number": reference, "line_type": kind,
        "store_code": "A", "settled_at": noon(day), "currency_code": "CNY",
        "gross_amount": amount * sign, "fee_amount": fee, "net_amount": amount * sign - fee,
    } | more,))  # fmt: skip


def count(day: int, quantity: int, **more: Any) -> Delivery:
    return Delivery("stock_count__count", EAST, ({
        "store_code": "A", "product_code": "P", "counted_on": f"2017-05-{day:02d}",
        "on_hand_quantity": quantity} | more,))  # fmt: skip


def movement(number: str, kind: str, day: int, quantity: int, **more: Any) -> Delivery:
    return Delivery("stock_movement__movement", EAST, ({
        "movement_id": number, "movement_type": kind, "store_code": "A", "product_code": "P",
        "quantity": quantity, "moved_at": noon(day), "sent_at": noon(day),
    } | more,))  # fmt: skip


def points(number: str, kind: str, day: int, amount: int, **more: Any) -> Delivery:
    return Delivery("points_entry__entry", EAST, ({
        "entry_id": number, "member_number_token": "m1", "entry_type": kind, "points": amount,
        "booked_at": noon(day)} | more,))  # fmt: skip


def prepaid(number: str, kind: str, day: int, amount: int) -> Delivery:
    return Delivery("prepaid_entry__entry", EAST, ({
        "entry_id": number, "account_id_token": "k", "entry_type": kind, "amount": amount,
        "currency_code": "CNY", "booked_at": noon(day), "store_code": "A"},))  # fmt: skip


def price(day: int, amount: int) -> Delivery:
    return Delivery("price__price", EAST, ({
        "product_code": "P", "store_code": "A", "valid_from_at": noon(day),
        "currency_code": "CNY", "list_price": amount},))  # fmt: skip


STORE: Row = {
    "store_code": "A", "effective_at": "2016-01-01 00:00:00+00", "name": "Shop A",
    "banner": "East", "store_type": "shop", "country_code": "CN",
    "time_zone": "Asia/Shanghai", "currency_code": "CNY", "cut_off_hour": 4,
}  # fmt: skip
PRODUCT: Row = {
    "product_code": "P", "effective_at": "2016-01-01 00:00:00+00", "name": "Tea",
    "category": "Tea", "list_price": 10, "currency_code": "CNY",
}  # fmt: skip
DELIVERIES: tuple[Delivery, ...] = (
    Delivery("store__store", EAST, (STORE,)),
    Delivery("product__product", EAST, (PRODUCT,)),
    Delivery("product__product", EAST, (
        PRODUCT | {"effective_at": noon(12), "category": "Gifts"},)),
    Delivery("member__member", EAST, ({
        "member_number_token": "m1", "updated_at": noon(1), "joined_at": noon(1),
        "tier": "basic", "home_store_code": "A"},)),
    *(Delivery("exchange_rate__rate", EAST, ({
        "base_currency_code": "CNY", "quote_currency_code": "USD",
        "rate_date": f"2017-05-{day:02d}", "rate": rate},))
      for day, rate in ((1, "0.145"), (8, "0.15"), (15, "0.14"), (22, "0.16"))),
    Delivery("promotion__promotion", EAST, ({
        "promotion_code": "X", "name": "Tea days", "mechanic": "percent",
        "starts_on": "2017-05-03", "ends_on": "2017-05-09"},)),
    Delivery("promotion__product", EAST, ({"promotion_code": "X", "product_code": "P"},)),
    *sale("r1", 2, 3, "R1"), *sale("r2", 4, 5, "R2"), *sale("r3", 9, 4, "R3"),
    *sale("r4", 15, 2, "R4"), *sale("r5", 20, 1, "R5"),
    movement("1", "opening", 1, 40, unit_cost=6, currency_code="CNY"),
    movement("2", "receipt", 7, 20, supplier_code="S"),
    movement("3", "waste", 10, -2, reason_code="expiry"),
    # Sent again: it was on another day and one piece less.
    movement("3", "waste", 11, -1, reason_code="expiry", sent_at=noon(13)),
    count(5, 31), count(14, 45, in_transit_quantity=6), count(24, 0, is_sold_out=True),
    bill("R1", 3, 30), bill("R2", 5, 40), bill("R3", 10, 40),
    bill("R3/1", 12, 10, "refund", payment_reference="R3"),
    bill("R4", 17, 20), bill("R4", 24, 20, "chargeback", fee_amount=0, net_amount=-20),
    bill("R9", 18, 70),
    points("p1", "earn", 2, 30, receipt_id="r1", expires_on="2017-06-20"),
    points("p2", "earn", 4, 50, receipt_id="r2", expires_on="2017-06-01"),
    points("p3", "burn", 15, -60), points("p4", "reverse", 16, -10, original_entry_id="p1"),
    prepaid("e1", "load", 3, 100), prepaid("e2", "redeem", 9, -35), prepaid("e3", "redeem", 6, -5),
    price(1, 10), price(20, 12), price(8, 9),
    Delivery("coupon__coupon", EAST, ({
        "coupon_code": "C", "promotion_code": "X", "product_code": "P"},)),
    Delivery("coupon__target", EAST, ({"promotion_code": "X", "member_number_token": "m1"},)),
    Delivery("coupon__redemption", EAST, ({
        "coupon_code": "C", "promotion_code": "X", "member_number_token": "m1",
        "redeemed_on": "2017-05-04", "redemption_number": 1, "receipt_id": "r2",
        "discount_amount": 2},)),
)  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """What one build of everything at once makes."""

    content: Content
    stock: list[tuple[Any, ...]]
    cases: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    return SmallWarehouse(tmp_path_factory.mktemp("commerce"))


@pytest.fixture(scope="module")
def whole(small: SmallWarehouse) -> Whole:
    refresh(small, DELIVERIES)
    stock = small.query(
        "select extract('day' from business_date)::integer, on_hand_quantity::integer, "
        "count_difference::integer, is_stock_out from core.fct_inventory_daily "
        "where extract('day' from business_date) in (1, 2, 4, 5, 8, 11, 14, 23, 24) order by 1"
    )
    cases = small.query(
        "select reference_number, status, expected_amount::integer, settled_amount::integer, "
        "age_days from core.fct_settlement_match order by 1"
    )
    return Whole(content(small), stock, cases)


def test_stock_follows_counts_and_what_moved(whole):
    # 40 opened, 3 and 5 sold: 32, but 31 counted. 20 come in, 4 sold, one wasted: 46, 45 counted.
    # Two and one sold: 42 by the books on the 24th, when nothing was there.
    assert whole.stock == [
        (1, 40, None, False), (2, 37, None, False), (4, 32, None, False), (5, 31, -1, False),
        (8, 51, None, False), (11, 46, None, False), (14, 45, -1, False), (23, 42, None, False),
        (24, 0, -42, True),
    ]  # fmt: skip


def test_every_payment_and_line_of_the_bills_says_what_became_of_it(whole):
    # Ages run to the 24th, the newest day in the bills.
    assert whole.cases == [
        ("R1", "matched", 30, 30, 22), ("R2", "amount_differs", 50, 40, 20),
        ("R3", "refunded", 40, 40, 15), ("R4", "charged_back", 20, 20, 9),
        ("R5", "missing_in_bill", 10, 0, 4), ("R9", "missing_at_till", 0, 70, 6),
    ]  # fmt: skip


def test_any_order_and_split_ends_as_one_build(whole, small):
    empty = {table for table in TABLES if not whole.content[table]}
    assert empty == {"inventory.dead_stock"}  # the tea sold until four days before the last
    small.empty()
    shuffled = random.Random(1).sample(DELIVERIES, len(DELIVERIES))
    third = len(shuffled) // 3 + 1
    for start in range(0, len(shuffled), third):
        refresh(small, shuffled[start : start + third])
    assert differences(content(small), whole.content) == {}
