"""Rows of custom templates in the models of the template they extend."""

from __future__ import annotations

from decimal import Decimal


def test_a_custom_tills_line_is_staged_with_the_standard_ones_and_keeps_its_own_fields(fresh):
    ticket = {
        "receipt_id": "C1", "line_number": 1, "line_type": "sale", "quantity": 2,
        "list_amount": 18, "discount_amount": 0, "tax_amount": 0,
        "sold_at": "2017-03-01 20:00:00+00", "_extra": '{"film_code":"HERO","seat_row":"F"}',
    }  # fmt: skip
    milk = {name: value for name, value in ticket.items() if name != "_extra"} | {
        "receipt_id": "S1",
        "list_amount": 3,
    }
    fresh.deliver("pos_standard__line", [ticket], batch=1, sender="cinema")
    fresh.deliver("pos_standard__line", [milk], batch=2, sender="shop")

    run = fresh.dbt("run", "--select", "stg_pos_standard__lines")

    assert run.exit_code == 0, run.words
    assert fresh.query(
        "select sender, list_amount, extra_fields ->> 'film_code' "
        "from staging.stg_pos_standard__lines order by sender"
    ) == [("cinema", Decimal(18), "HERO"), ("shop", Decimal(3), None)]
