"""Two senders' hand-written rows, small enough to know every answer by heart.

``north`` is one shop in New York, ``east`` a shop in Shanghai and its web shop. Product codes and
store code A stand for different things at the two.
"""

from __future__ import annotations

from typing import Any

from small_warehouse import SmallWarehouse

NORTH, EAST = "north", "east"

NORTH_STORES: list[dict[str, Any]] = [
    {"store_code": "A", "effective_at": "2017-01-01 00:00:00+00", "name": "North One",
     "banner": "North", "store_type": "shop", "country_code": "US", "city": "Albany",
     "time_zone": "America/New_York", "currency_code": "USD", "cut_off_hour": 0},
]  # fmt: skip
EAST_STORES: list[dict[str, Any]] = [
    {"store_code": "A", "effective_at": "2017-01-01 00:00:00+00", "name": "East One",
     "banner": "East", "store_type": "shop", "country_code": "CN", "city": "Shanghai",
     "time_zone": "Asia/Shanghai", "currency_code": "CNY", "cut_off_hour": 4},
    {"store_code": "W", "effective_at": "2017-01-01 00:00:00+00", "name": "East Online",
     "banner": "East", "store_type": "web", "country_code": "CN", "city": "Shanghai",
     "time_zone": "Asia/Shanghai", "currency_code": "CNY", "cut_off_hour": 4},
]  # fmt: skip
NORTH_PRODUCTS: list[dict[str, Any]] = [
    {"product_code": "1", "effective_at": "2017-01-01 00:00:00+00", "name": "Milk",
     "department": "Fresh", "category": "Dairy", "list_price": 2, "currency_code": "USD"},
]  # fmt: skip
EAST_PRODUCTS: list[dict[str, Any]] = [
    {"product_code": "1", "effective_at": "2017-01-01 00:00:00+00", "name": "Gren tea",
     "department": "Food", "category": "Tea", "list_price": 30, "currency_code": "CNY"},
    {"product_code": "1", "effective_at": "2017-06-01 00:00:00+00", "name": "Green tea",
     "department": "Food", "category": "Gifts", "list_price": 30, "currency_code": "CNY"},
]  # fmt: skip
NORTH_RECEIPTS: list[dict[str, Any]] = [
    {"receipt_id": "r1", "receipt_type": "sale", "store_code": "A", "terminal_code": "1",
     "member_number_token": "m1", "sold_at": "2017-03-01 15:00:00+00", "currency_code": "USD",
     "line_count": 2},
    {"receipt_id": "r2", "receipt_type": "sale", "store_code": "B", "terminal_code": "1",
     "sold_at": "2017-03-02 15:00:00+00", "currency_code": "USD", "line_count": 1},
    # Of tills whose clocks are wrong: days that no calendar has.
    {"receipt_id": "r3", "receipt_type": "sale", "store_code": "B", "terminal_code": "1",
     "sold_at": "1970-01-01 00:05:00+00", "currency_code": "USD", "line_count": 1},
    {"receipt_id": "r4", "receipt_type": "sale", "store_code": "B", "terminal_code": "1",
     "sold_at": "2099-12-31 23:00:00+00", "currency_code": "USD", "line_count": 1},
]  # fmt: skip
NORTH_LINES: list[dict[str, Any]] = [
    {"receipt_id": "r1", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 2, "unit_price": 2, "list_amount": 4, "discount_amount": 1, "tax_amount": 0,
     "promotion_code": "p1", "sold_at": "2017-03-01 15:00:00+00"},
    {"receipt_id": "r1", "line_number": 2, "line_type": "sale", "product_code": "77",
     "quantity": 1, "unit_price": 5, "list_amount": 5, "discount_amount": 0, "tax_amount": 0,
     "promotion_code": "p9", "sold_at": "2017-03-01 15:00:00+00"},
    {"receipt_id": "r2", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 1, "unit_price": 2, "list_amount": 2, "discount_amount": 0, "tax_amount": 0,
     "sold_at": "2017-03-02 15:00:00+00"},
    {"receipt_id": "r3", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 1, "unit_price": 2, "list_amount": 2, "discount_amount": 0, "tax_amount": 0,
     "sold_at": "1970-01-01 00:05:00+00"},
    {"receipt_id": "r4", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 1, "unit_price": 2, "list_amount": 2, "discount_amount": 0, "tax_amount": 0,
     "sold_at": "2099-12-31 23:00:00+00"},
]  # fmt: skip
EAST_RECEIPTS: list[dict[str, Any]] = [
    {"receipt_id": "r1", "receipt_type": "sale", "store_code": "A", "terminal_code": "1",
     "member_number_token": "m1", "sold_at": "2017-03-01 18:30:00+00", "currency_code": "CNY",
     "line_count": 1},
]  # fmt: skip
EAST_LINES: list[dict[str, Any]] = [
    {"receipt_id": "r1", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 1, "unit_price": 30, "list_amount": 30, "discount_amount": 0, "tax_amount": 3,
     "sold_at": "2017-03-01 18:30:00+00"},
]  # fmt: skip
EAST_TENDERS: list[dict[str, Any]] = [
    {"receipt_id": "r1", "tender_number": 1, "tender_type_code": "wechat", "amount": 20,
     "currency_code": "CNY", "sold_at": "2017-03-01 18:30:00+00"},
    {"receipt_id": "r1", "tender_number": 2, "tender_type_code": "barter", "amount": 13,
     "currency_code": "CNY", "sold_at": "2017-03-01 18:30:00+00"},
]  # fmt: skip
EAST_ORDERS: list[dict[str, Any]] = [
    {"order_id": "o1", "order_type": "sale", "store_code": "W", "channel_code": "web",
     "member_number_token": "m2", "phone_token": "p", "visitor_id_token": "v",
     "ordered_at": "2017-07-01 05:00:00+00", "currency_code": "CNY", "total_amount": 33},
]  # fmt: skip
EAST_ORDER_LINES: list[dict[str, Any]] = [
    {"order_id": "o1", "line_number": 1, "line_type": "sale", "product_code": "1",
     "quantity": 1, "unit_price": 30, "list_amount": 30, "discount_amount": 0, "tax_amount": 3,
     "ordered_at": "2017-07-01 05:00:00+00"},
]  # fmt: skip
EAST_PAYMENTS: list[dict[str, Any]] = [
    {"order_id": "o1", "payment_number": 1, "tender_type_code": "alipay", "amount": 33,
     "currency_code": "CNY", "ordered_at": "2017-07-01 05:00:00+00"},
]  # fmt: skip
EAST_EVENTS: list[dict[str, Any]] = [
    {"event_id": "e1", "store_code": "W", "visitor_id_token": "v", "event_type": "product_view",
     "occurred_at": "2017-07-01 04:50:00+00", "product_code": "1"},
]  # fmt: skip
EAST_POSTS: list[dict[str, Any]] = [
    {"post_id": "x1", "platform": "weibo", "author_handle_token": "h", "rating": 5,
     "posted_at": "2017-07-02 04:50:00+00", "language_code": "zh", "product_code": "1",
     "store_code": "W"},
]  # fmt: skip
NORTH_MEMBERS: list[dict[str, Any]] = [
    {"member_number_token": "m1", "updated_at": "2017-01-05 03:00:00+00",
     "joined_at": "2017-01-05 03:00:00+00", "tier": "basic", "home_store_code": "A",
     "city": "Albany", "country_code": "US", "status": "active"},
    {"member_number_token": "m1", "updated_at": "2017-05-05 12:00:00+00", "tier": "gold",
     "home_store_code": "A", "city": "Albany", "country_code": "US", "status": "active"},
]  # fmt: skip
EAST_MEMBERS: list[dict[str, Any]] = [
    {"member_number_token": "m1", "updated_at": "2017-01-06 12:00:00+00", "tier": "silver",
     "home_store_code": "A", "city": "Shanghai", "country_code": "CN", "status": "active",
     "birth_date_decade": 1980, "gender": "female"},
    {"member_number_token": "m2", "updated_at": "2017-02-06 12:00:00+00", "tier": "basic",
     "home_store_code": "W", "city": "Suzhou", "country_code": "CN", "status": "active",
     "birth_date_decade": 1990, "gender": "female"},
]  # fmt: skip
EAST_CONSENTS: list[dict[str, Any]] = [
    {"member_number_token": "m1", "purpose": "marketing", "is_granted": True,
     "changed_at": "2017-01-06 12:00:00+00"},
    {"member_number_token": "m2", "purpose": "marketing", "is_granted": False,
     "changed_at": "2017-08-01 12:00:00+00"},
]  # fmt: skip
# One off the receipt r1, which line 1 states; a step of it, and the tax of east's.
NORTH_DISCOUNTS: list[dict[str, Any]] = [
    {"receipt_id": "r1", "discount_number": 1, "discount_type": "coupon", "coupon_code": "c1",
     "promotion_code": "p1", "amount": 1, "sold_at": "2017-03-01 15:00:00+00"},
]  # fmt: skip
NORTH_STEPS: list[dict[str, Any]] = [
    {"receipt_id": "r1", "step_number": 1, "step_code": "scan", "duration_seconds": 2,
     "started_at": "2017-03-01 14:59:00+00", "operator_code_token": "7"},
]  # fmt: skip
EAST_TAXES: list[dict[str, Any]] = [
    {"receipt_id": "r1", "tax_number": 1, "line_number": 1, "tax_code": "A", "base_amount": 30,
     "tax_share": 0.1, "tax_amount": 3, "sold_at": "2017-03-01 18:30:00+00"},
]  # fmt: skip
NORTH_EMPLOYEES: list[dict[str, Any]] = [
    {"employee_number_token": "n7", "effective_at": "2017-01-01 00:00:00+00",
     "operator_code_token": "7", "store_code": "A", "role_code": "cashier"},
]  # fmt: skip
NORTH_PROMOTIONS: list[dict[str, Any]] = [
    {"promotion_code": "p1", "name": "Milk week", "mechanic": "amount_off",
     "starts_on": "2017-03-01", "ends_on": "2017-03-07"},
]  # fmt: skip
RATES: list[dict[str, Any]] = [
    {"base_currency_code": "CNY", "quote_currency_code": "USD", "rate_date": day, "rate": rate}
    for day, rate in (("2017-03-01", "0.14"), ("2017-06-28", "0.15"))
]
# One row for every fact of bills, stock, prices, cards, points and coupons.
EAST_BILLS: list[dict[str, Any]] = [
    {"provider": "alipay", "reference_number": "n", "line_type": "payment", "store_code": "W",
     "settled_at": "2017-07-02 05:00:00+00", "currency_code": "CNY", "gross_amount": 33,
     "fee_amount": "0.2", "net_amount": "32.8", "receipt_id": "o1"},
]  # fmt: skip
EAST_COUNTS: list[dict[str, Any]] = [
    {"store_code": "A", "product_code": "1", "counted_on": "2017-02-28", "on_hand_quantity": 5},
]
EAST_MOVEMENTS: list[dict[str, Any]] = [
    {"movement_id": "v1", "movement_type": "receipt", "store_code": "A", "product_code": "1",
     "quantity": 10, "moved_at": "2017-03-01 02:00:00+00", "supplier_code": "s1"},
]  # fmt: skip
EAST_PRICES: list[dict[str, Any]] = [
    {"product_code": "1", "store_code": "A", "valid_from_at": "2017-03-01 00:00:00+00",
     "currency_code": "CNY", "list_price": 30},
]  # fmt: skip
EAST_PREPAID: list[dict[str, Any]] = [
    {"entry_id": "g1", "account_id_token": "a", "entry_type": "load", "amount": 50,
     "currency_code": "CNY", "booked_at": "2017-03-01 02:00:00+00", "store_code": "A"},
]  # fmt: skip
EAST_POINTS: list[dict[str, Any]] = [
    {"entry_id": "q1", "member_number_token": "m2", "entry_type": "earn", "points": 33,
     "receipt_id": "o1", "booked_at": "2017-07-01 05:00:00+00"},
]  # fmt: skip
NORTH_COUPONS: list[dict[str, Any]] = [
    {"coupon_code": "c1", "promotion_code": "p1", "product_code": "1"},
]
NORTH_REDEMPTIONS: list[dict[str, Any]] = [
    {"coupon_code": "c1", "promotion_code": "p1", "member_number_token": "m1",
     "redeemed_on": "2017-03-01", "redemption_number": 1},
]  # fmt: skip
NORTH_PROMOTION_PRODUCTS: list[dict[str, Any]] = [
    {"promotion_code": "p1", "product_code": "1"},
]
# Both of east's accounts are one person; the visitor behind nothing but a phone is another.
PERSONS = [
    (NORTH, "member", "m1", 11, 1),
    (EAST, "member", "m1", 22, 1),
    (EAST, "member", "m2", 22, 1),
    (EAST, "visitor", "v", 22, 1),
    ("*", "phone", "p", 22, 1),
    ("*", "phone", "q", 33, 1),
]
EAST_PARCELS: list[dict[str, Any]] = [
    {"fulfilment_id": "o1", "order_id": "o1", "status": "delivered", "carrier_code": "own",
     "ordered_at": "2017-07-01 05:00:00+00", "shipped_at": "2017-07-01 15:00:00+00",
     "delivered_at": "2017-07-02 05:00:00+00", "promised_at": "2017-07-03 05:00:00+00"},
]  # fmt: skip
EAST_ANSWERS: list[dict[str, Any]] = [
    {"response_id": "n1", "question_code": "advice", "question_type": "nps", "score": 9,
     "member_number_token": "m2", "store_code": "W", "receipt_id": "o1",
     "answered_at": "2017-07-03 05:00:00+00", "comment": "good"},
]  # fmt: skip
EAST_CASES: list[dict[str, Any]] = [
    {"case_id": "c1", "status": "resolved", "opened_at": "2017-07-02 06:00:00+00",
     "resolved_at": "2017-07-02 18:00:00+00", "topic_code": "quality", "is_complaint": True,
     "member_number_token": "m2", "store_code": "W", "receipt_id": "o1",
     "compensation_amount": 5, "currency_code": "CNY"},
]  # fmt: skip


def deliver_two_retailers(small: SmallWarehouse) -> None:
    """Everything above as load 1."""
    deliveries = (
        (NORTH, "store__store", NORTH_STORES),
        (EAST, "store__store", EAST_STORES),
        (NORTH, "product__product", NORTH_PRODUCTS),
        (EAST, "product__product", EAST_PRODUCTS),
        (NORTH, "promotion__promotion", NORTH_PROMOTIONS),
        (NORTH, "pos_standard__receipt", NORTH_RECEIPTS),
        (NORTH, "pos_standard__line", NORTH_LINES),
        (EAST, "pos_standard__receipt", EAST_RECEIPTS),
        (EAST, "pos_standard__line", EAST_LINES),
        (EAST, "pos_standard__tender", EAST_TENDERS),
        (NORTH, "pos_standard__discount", NORTH_DISCOUNTS),
        (NORTH, "pos_standard__step", NORTH_STEPS),
        (EAST, "pos_standard__tax", EAST_TAXES),
        (NORTH, "employee__employee", NORTH_EMPLOYEES),
        (EAST, "web_order__order", EAST_ORDERS),
        (EAST, "web_order__line", EAST_ORDER_LINES),
        (EAST, "web_order__payment", EAST_PAYMENTS),
        (EAST, "web_event__event", EAST_EVENTS),
        (EAST, "post__post", EAST_POSTS),
        (NORTH, "member__member", NORTH_MEMBERS),
        (EAST, "member__member", EAST_MEMBERS),
        (EAST, "consent__change", EAST_CONSENTS),
        (EAST, "exchange_rate__rate", RATES),
        (EAST, "settlement_line__line", EAST_BILLS),
        (EAST, "stock_count__count", EAST_COUNTS),
        (EAST, "stock_movement__movement", EAST_MOVEMENTS),
        (EAST, "price__price", EAST_PRICES),
        (EAST, "prepaid_entry__entry", EAST_PREPAID),
        (EAST, "points_entry__entry", EAST_POINTS),
        (NORTH, "coupon__coupon", NORTH_COUPONS),
        (NORTH, "coupon__redemption", NORTH_REDEMPTIONS),
        (NORTH, "promotion__product", NORTH_PROMOTION_PRODUCTS),
        (EAST, "web_order__fulfilment", EAST_PARCELS),
        (EAST, "survey_response__answer", EAST_ANSWERS),
        (EAST, "service_case__case", EAST_CASES),
    )
    with small.warehouse.connect() as connection:
        for sender, table, rows in deliveries:
            small.deliver_through(connection, table, rows, batch=1, sender=sender)
    small.identify(PERSONS)
