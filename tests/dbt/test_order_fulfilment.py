"""Order lines followed over several loads: parcels that move on, returns and refunds that come."""

from __future__ import annotations

from typing import Any

import pytest
from small_warehouse import SmallWarehouse
from two_retailers import EAST, EAST_PRODUCTS, EAST_STORES

FOLLOWED = """
    select business_date::varchar, order_id, line_number, status, ordered_to_delivered_hours,
        returned_quantity::double, refund_amount::double
    from core.fct_order_fulfilment order by all
"""


def order(number: str, day: str, **more: Any) -> dict[str, Any]:
    return {"order_id": number, "order_type": "sale", "store_code": "W", "channel_code": "web",
            "ordered_at": f"2017-07-{day} 06:00:00+00", "currency_code": "CNY"} | more  # fmt: skip


def line(number: str, day: str, place: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"order_id": number, "line_number": place, "line_type": "sale", "product_code": "1",
            "quantity": quantity, "list_amount": 30 * quantity, "discount_amount": 0,
            "tax_amount": 0, "ordered_at": f"2017-07-{day} 06:00:00+00"} | more  # fmt: skip


def parcel(number: str, status: str, day: str, **times: str) -> dict[str, Any]:
    moments = {name: f"2017-07-{time}:00+00" for name, time in times.items()}
    return {"fulfilment_id": number, "order_id": number, "status": status,
            "ordered_at": f"2017-07-{day} 06:00:00+00"} | moments  # fmt: skip


def build(small: SmallWarehouse, batch: int, *more: str) -> list[tuple[Any, ...]]:
    """Build the order lines and note the load as published."""
    run = small.dbt("run", "--select", "+fct_order_fulfilment", *more)
    assert run.exit_code == 0, run.words
    with small.warehouse.connect() as connection:
        connection.execute("delete from ops.build_state where build = 'models'")
        connection.execute(
            "insert into ops.build_state values ('models', ?, 'test', now())", [batch]
        )
    return small.query(FOLLOWED)


@pytest.mark.long
def test_what_comes_later_moves_an_order_line_on_its_own_day_as_a_full_build_does(
    fresh: SmallWarehouse,
) -> None:
    def deliver(table: str, *rows: dict[str, Any], batch: int) -> None:
        fresh.deliver(table, rows, batch=batch, sender=EAST)

    deliver("store__store", *EAST_STORES, batch=1)
    deliver("product__product", *EAST_PRODUCTS, batch=1)
    deliver("web_order__order", order("a", "01"), order("b", "02"), batch=1)
    deliver(
        "web_order__line", line("a", "01", 1, 2), line("a", "01", 2), line("b", "02", 1), batch=1
    )
    deliver(
        "web_order__fulfilment",
        parcel("a", "shipped", "01", paid_at="01 06:10", shipped_at="01 12:00"), batch=1,
    )  # fmt: skip
    assert build(fresh, 1) == [
        ("2017-07-01", "a", 1, "shipped", None, 0.0, 0.0),
        ("2017-07-01", "a", 2, "shipped", None, 0.0, 0.0),
        ("2017-07-02", "b", 1, "ordered", None, 0.0, 0.0),
    ]

    # The parcel arrives on the 3rd at ten: 52 hours after the order.
    deliver(
        "web_order__fulfilment",
        parcel("a", "delivered", "01", paid_at="01 06:10", shipped_at="01 12:00",
               delivered_at="03 10:00", updated_at="03 10:00"),
        batch=2,
    )  # fmt: skip
    assert build(fresh, 2) == [
        ("2017-07-01", "a", 1, "delivered", 52.0, 0.0, 0.0),
        ("2017-07-01", "a", 2, "delivered", 52.0, 0.0, 0.0),
        ("2017-07-02", "b", 1, "ordered", None, 0.0, 0.0),
    ]

    # A return order of the 20th and the money for it change the line of the 1st.
    back = line("c", "20", 1, -1, line_type="return", original_order_id="a", original_line_number=1)
    deliver("web_order__order", order("c", "20", order_type="return"), batch=3)
    deliver("web_order__line", back, batch=3)
    deliver(
        "web_order__refund",
        {"refund_id": "f", "order_id": "a", "line_number": 1, "status": "paid",
         "refund_amount": 30, "currency_code": "CNY", "refunded_at": "2017-07-22 06:00:00+00"},
        batch=3,
    )  # fmt: skip
    by_steps = build(fresh, 3)
    assert by_steps == [
        ("2017-07-01", "a", 1, "returned", 52.0, 1.0, 30.0),
        ("2017-07-01", "a", 2, "delivered", 52.0, 0.0, 0.0),
        ("2017-07-02", "b", 1, "ordered", None, 0.0, 0.0),
    ]
    assert build(fresh, 3, "--full-refresh") == by_steps
