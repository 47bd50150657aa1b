"""One month of two retailers as some fifty deliveries, any of which may come before any other.

``east`` has a shop (code A), a web shop (W) and members; ``west`` has a shop of the same code.
Every way in which a delivery can change what another one said before is in it: corrected receipts
that change day or type, late lines, receipts and originals of returns, product and store versions,
rates, promotions, and an order that shows two members to be one person.

``FIRST`` all meet in the first days of May. ``EARLY`` and ``LATE`` make stories on days of their
own: what comes late says something new about a day that no other late delivery touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
EAST, WEST = "east", "west"


@dataclass(frozen=True)
class Delivery:
    """Rows of one raw table from one sender, as one file would bring them."""

    table: str
    sender: str
    rows: tuple[Row, ...]


def _store(
    code: str, effective_at: str, zone: str, currency: str, cut_off: int, **more: str
) -> Row:
    return {
        "store_code": code, "effective_at": effective_at, "name": f"Shop {code}",
        "banner": more.get("banner", "East"), "store_type": more.get("store_type", "shop"),
        "country_code": "CN", "time_zone": zone, "currency_code": currency,
        "cut_off_hour": cut_off,
    }  # fmt: skip


def _product(code: str, effective_at: str, category: str) -> Row:
    return {
        "product_code": code, "effective_at": effective_at, "name": f"Product {code}",
        "department": "Food", "category": category, "list_price": 10, "currency_code": "CNY",
    }  # fmt: skip


def _employee(number: str, effective_at: str, role: str) -> Row:
    return {
        "employee_number_token": f"of {number}", "effective_at": effective_at,
        "operator_code_token": number, "role_code": role, "store_code": "A",
    }  # fmt: skip


def _receipt(number: str, sold_at: str, kind: str = "sale", **more: Any) -> Row:
    return {
        "receipt_id": number, "receipt_type": kind, "store_code": "A", "terminal_code": "1",
        "sold_at": sold_at, "sent_at": sold_at, "currency_code": "CNY",
    } | more  # fmt: skip


def _line(number: str, line: int, sold_at: str, amount: float, **more: Any) -> Row:
    return {
        "receipt_id": number, "line_number": line, "line_type": "sale", "product_code": "P",
        "quantity": 1, "unit_price": amount, "list_amount": amount, "discount_amount": 0,
        "tax_amount": 1, "sold_at": sold_at,
    } | more  # fmt: skip


def _tender(number: str, sold_at: str, amount: float, **more: Any) -> Row:
    return {
        "receipt_id": number, "tender_number": 1, "tender_type_code": "cash", "amount": amount,
        "currency_code": "CNY", "sold_at": sold_at,
    } | more  # fmt: skip


def _event(number: int, occurred_at: str, kind: str = "page_view", **more: Any) -> Row:
    return {
        "event_id": f"e{number}", "store_code": "W", "visitor_id_token": "v1",
        "occurred_at": occurred_at, "event_type": kind,
    } | more  # fmt: skip


def _order(number: str, ordered_at: str, **more: Any) -> Row:
    return {
        "order_id": number, "order_type": "sale", "store_code": "W", "channel_code": "web",
        "ordered_at": ordered_at, "updated_at": ordered_at, "currency_code": "CNY",
    } | more  # fmt: skip


def _order_line(number: str, ordered_at: str, amount: float) -> Row:
    return {
        "order_id": number, "line_number": 1, "line_type": "sale", "product_code": "P",
        "quantity": 1, "list_amount": amount, "discount_amount": 0, "tax_amount": 0,
        "ordered_at": ordered_at,
    }  # fmt: skip


def _member(number: str, updated_at: str, tier: str, **more: Any) -> Row:
    return {
        "member_number_token": number, "updated_at": updated_at, "tier": tier,
        "joined_at": "2017-01-01 00:00:00+00", "home_store_code": "A", "status": "active",
    } | more  # fmt: skip


def _rate(day: str, rate: float, updated_at: str) -> Row:
    return {
        "base_currency_code": "CNY", "quote_currency_code": "USD", "rate_date": day, "rate": rate,
        "updated_at": updated_at,
    }  # fmt: skip


BEGINNING = "2016-01-01 00:00:00+00"
SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
# Local noon in Shanghai on the first days of May, and half past two at night after the third.
DAY_1, DAY_2, DAY_3 = (f"2017-05-0{n} 04:00:00+00" for n in (1, 2, 3))
NIGHT_3 = "2017-05-03 18:30:00+00"

FIRST: tuple[Delivery, ...] = (
    Delivery("store__store", EAST, (_store("A", BEGINNING, SHANGHAI, "CNY", 0),)),
    # From the third on the shop's day ends at four in the morning.
    Delivery("store__store", EAST, (_store("A", "2017-05-03 00:00:00+00", SHANGHAI, "CNY", 4),)),
    Delivery("store__store", EAST, (_store("W", BEGINNING, SHANGHAI, "CNY", 0, store_type="web"),)),
    Delivery("store__store", WEST, (_store("A", BEGINNING, NEW_YORK, "USD", 0, banner="West"),)),
    Delivery("product__product", EAST, (_product("P", BEGINNING, "Tea"),)),
    Delivery("product__product", EAST, (_product("P", "2017-05-02 00:00:00+00", "Gifts"),)),
    Delivery("product__product", WEST, (_product("P", BEGINNING, "Dairy"),)),
    Delivery("exchange_rate__rate", EAST, (_rate("2017-05-01", 0.145, DAY_1),)),
    Delivery("exchange_rate__rate", EAST, (_rate("2017-05-03", 0.150, DAY_3),)),
    # The bank corrects the rate of the third.
    Delivery("exchange_rate__rate", EAST, (_rate("2017-05-03", 0.151, "2017-05-04 00:00:00+00"),)),
    Delivery("promotion__promotion", EAST, ({
        "promotion_code": "X", "name": "May", "mechanic": "percent", "starts_on": "2017-05-01",
        "ends_on": "2017-05-31"},)),
    Delivery("member__member", EAST, (
        _member("m1", BEGINNING, "basic", phone_token="p1"),
        _member("m2", BEGINNING, "basic", email_token="e2", card_number_token="c2"))),
    Delivery("member__member", EAST, (_member("m1", DAY_2, "gold", phone_token="p1"),)),
    Delivery("consent__change", EAST, ({
        "member_number_token": "m1", "purpose": "marketing", "is_granted": True,
        "changed_at": DAY_2},)),
    Delivery("pos_standard__receipt", EAST, (
        _receipt("r1", DAY_1, member_number_token="m1"), _receipt("r2", DAY_2),
        _receipt("r3", NIGHT_3, member_number_token="m2", line_count=1),
        _receipt("r6", DAY_2, "void"), _receipt("r7", DAY_1))),
    # r1, the only receipt of its day besides r7, was rung up a day later than first said …
    Delivery("pos_standard__receipt", EAST, (
        _receipt("r1", DAY_2, member_number_token="m1", sent_at=DAY_3),)),
    # … and r7 was none at all.
    Delivery("pos_standard__receipt", EAST, (_receipt("r7", DAY_1, "void", sent_at=DAY_3),)),
    Delivery("pos_standard__line", EAST, (
        _line("r1", 1, DAY_1, 10, promotion_code="X", discount_amount=2),
        _line("r1", 2, DAY_1, 5, line_type="void"), _line("r6", 1, DAY_2, 7),
        _line("r7", 1, DAY_1, 8))),
    Delivery("pos_standard__line", EAST, (_line("r2", 1, DAY_2, 20), _line("r3", 1, NIGHT_3, 30))),
    Delivery("pos_standard__line", EAST, (_line("r1", 3, DAY_1, 4, product_code="unheard of"),)),
    Delivery("pos_standard__tender", EAST, (
        _tender("r1", DAY_1, 14), _tender("r2", DAY_2, 21, card_number_token="c2"),
        _tender("r3", NIGHT_3, 31))),
    Delivery("pos_standard__line", EAST, (_line("r4", 1, DAY_3, 40),)),
    Delivery("pos_standard__receipt", EAST, (_receipt("r4", DAY_2),)),
    Delivery("pos_standard__receipt", EAST, (_receipt("r5", DAY_3, "return"),)),
    Delivery("pos_standard__line", EAST, (
        _line("r5", 1, DAY_3, -20, line_type="return", quantity=-1, tax_amount=-1,
              original_receipt_id="r2", original_line_number=1),
        _line("r5", 2, DAY_3, -9, line_type="return", quantity=-1, tax_amount=0,
              original_receipt_id="o1", original_line_number=1))),
    # A receipt of the same number at the other retailer, and a line whose receipt never comes.
    Delivery("pos_standard__receipt", WEST, (_receipt("r1", DAY_1, currency_code="USD"),)),
    Delivery("pos_standard__line", WEST, (_line("r1", 1, DAY_1, 3), _line("r9", 1, DAY_1, 1))),
    Delivery("web_order__order", EAST, (_order("o1", DAY_1, visitor_id_token="v1"),)),
    # Phone of the one member, e-mail of the other: they are one person.
    Delivery("web_order__order", EAST, (_order("o2", DAY_2, phone_token="p1", email_token="e2"),)),
    Delivery("web_order__line", EAST, (_order_line("o1", DAY_1, 9), _order_line("o2", DAY_2, 11))),
    Delivery("web_event__event", EAST, (
        _event(1, "2017-05-01 03:00:00+00"), _event(3, "2017-05-01 04:00:00+00", order_id="o1"))),
    # Between the two: what were two sessions is one.
    Delivery("web_event__event", EAST, (
        _event(2, "2017-05-01 03:30:00+00", product_code="P", member_number_token="m1"),)),
    Delivery("points_entry__entry", EAST, ({
        "entry_id": "1", "member_number_token": "m1", "entry_type": "earn", "points": 10,
        "receipt_id": "r1", "booked_at": DAY_3},)),
    Delivery("post__post", EAST, ({
        "post_id": "1", "platform": "weibo", "posted_at": NIGHT_3, "store_code": "A",
        "product_code": "P", "email_token": "e2", "text": "好"},)),
)  # fmt: skip


def _noon(day: int) -> str:
    """Local noon in Shanghai on a day of May."""
    return f"2017-05-{day:02d} 04:00:00+00"


def _sale(number: str, day: int, product: str = "S", **more: Any) -> tuple[Delivery, Delivery]:
    """A receipt with one line, at noon."""
    line = _line(number, 1, _noon(day), 10, product_code=product)
    return (
        Delivery("pos_standard__receipt", EAST, (_receipt(number, _noon(day), **more),)),
        Delivery("pos_standard__line", EAST, (line,)),
    )


EARLY: tuple[Delivery, ...] = (
    Delivery("store__store", EAST, (_store("B", BEGINNING, SHANGHAI, "CNY", 0),)),
    Delivery("product__product", EAST, (_product("S", BEGINNING, "Soap"),)),
    Delivery("product__product", EAST, (_product("Q", BEGINNING, "Rice"),)),
    Delivery("exchange_rate__rate", EAST, tuple(
        _rate(f"2017-05-{day:02d}", 0.146, _noon(day)) for day in (8, 15, 22, 29))),
    Delivery("member__member", EAST, (
        _member("m3", BEGINNING, "basic"), _member("m5", BEGINNING, "basic", phone_token="p5"),
        _member("m6", BEGINNING, "basic", email_token="e6"))),
    *_sale("product changes", 10, "Q"),
    *_sale("customer changes", 11, member_number_token="m3"),
    *_sale("person changes", 12, member_number_token="m5"),
    *_sale("the other person", 13, member_number_token="m6"),
    Delivery("pos_standard__receipt", EAST, (
        _receipt("store changes", "2017-05-14 18:30:00+00", store_code="B"),)),
    *_sale("rate comes", 31, currency_code="GBP"),
    Delivery("pos_standard__receipt", EAST, (_receipt("comes back", _noon(16), "return"),)),
    Delivery("pos_standard__line", EAST, (
        _line("comes back", 1, _noon(16), -10, line_type="return", product_code="S", quantity=-1,
              original_receipt_id="original comes", original_line_number=1),)),
    Delivery("pos_standard__line", EAST, (
        _line("receipt comes", 1, _noon(18), 10, product_code="S"),)),
    *_sale("moves", 20),
    Delivery("web_event__event", EAST, (
        _event(10, "2017-05-23 03:00:00+00"), _event(12, "2017-05-23 04:00:00+00"),
        _event(13, _noon(24), "purchase", order_id="order comes"),
        _event(14, _noon(26), "product_view", product_code="Q"),
        _event(15, _noon(27), visitor_id_token="v9", member_number_token="m3"),
        # One visit over midnight, until its first event turns out to be somebody else's.
        _event(16, "2017-05-11 15:50:00+00", visitor_id_token="v7"),
        _event(17, "2017-05-11 16:10:00+00", visitor_id_token="v7"))),
    *_sale("line comes", 28),
    *_sale("tender comes", 29),
    Delivery("employee__employee", EAST, (_employee("e8", BEGINNING, "cashier"),)),
    *_sale("discount comes", 15),
    *_sale("tax and step come", 17, operator_code_token="7"),
    *_sale("role changes", 22, operator_code_token="e8"),
)  # fmt: skip

LATE: tuple[Delivery, ...] = (
    Delivery("product__product", EAST, (_product("Q", "2017-05-09 00:00:00+00", "Grains"),)),
    Delivery("member__member", EAST, (_member("m3", _noon(10), "gold"),)),
    # Paid with the phone of the one and the e-mail of the other.
    Delivery("web_order__order", EAST, (
        _order("shows", _noon(30), phone_token="p5", email_token="e6"),)),
    Delivery("store__store", EAST, (_store("B", "2017-05-14 00:00:00+00", SHANGHAI, "CNY", 4),)),
    Delivery("exchange_rate__rate", EAST, ({
        "base_currency_code": "USD", "quote_currency_code": "GBP", "rate_date": "2017-05-31",
        "rate": 0.8},)),
    *_sale("original comes", 8),
    Delivery("pos_standard__receipt", EAST, (_receipt("receipt comes", _noon(19)),)),
    Delivery("pos_standard__receipt", EAST, (
        _receipt("moves", _noon(21), sent_at=_noon(22)),)),
    Delivery("web_event__event", EAST, (_event(11, "2017-05-23 03:30:00+00"),)),
    Delivery("web_event__event", EAST, (
        _event(16, "2017-05-11 15:50:00+00", visitor_id_token="v8"),)),
    Delivery("web_order__order", EAST, (_order("order comes", _noon(25)),)),
    Delivery("pos_standard__line", EAST, (_line("line comes", 2, _noon(28), 5, product_code="S"),)),
    Delivery("pos_standard__tender", EAST, (_tender("tender comes", _noon(29), 11),)),
    Delivery("pos_standard__discount", EAST, ({
        "receipt_id": "discount comes", "discount_number": 1, "discount_type": "coupon",
        "amount": 1, "sold_at": _noon(15)},)),
    Delivery("pos_standard__tax", EAST, ({
        "receipt_id": "tax and step come", "tax_number": 1, "line_number": 1, "tax_amount": 1,
        "sold_at": _noon(17)},)),
    Delivery("pos_standard__step", EAST, ({
        "receipt_id": "tax and step come", "step_number": 1, "step_code": "scan",
        "started_at": _noon(17)},)),
    Delivery("employee__employee", EAST, (_employee("e8", _noon(21), "shift lead"),)),
)  # fmt: skip

DELIVERIES = FIRST + EARLY + LATE
