"""Real journals and orders, loaded by feed YAML alone; their stated totals must come out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from real_files import Deliver, Query


def test_nine_months_of_web_orders_come_in_whole(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("uci_online", *sorted((data / "online_retail_uci").glob("*.csv")))

    assert outcome.file_count == 219
    assert outcome.physical_count == 320_705
    assert (outcome.loaded_count, outcome.rejected_count) == (320_705, 0)
    ((total, orders, cancelled, without_member),) = query(
        """
        select
            (select sum(list_amount) from raw.web_order__line),
            (select count(distinct order_id) from raw.web_order__order),
            (select count(*) from raw.web_order__line where left(order_id, 1) = 'C'),
            (select count(*) from raw.web_order__line where order_id in (
                select order_id from raw.web_order__order where member_number_token is null))
        """
    )
    assert round(Decimal(str(total)), 2) == Decimal("5761931.38")
    assert (orders, cancelled, without_member) == (16_459, 5_847, 88_652)
    # 3 bad debts and 925 write-offs are void; of 1,915 lines without goods 393 are cancelled.
    kinds = dict(query("select line_type, count(*) from raw.web_order__line group by 1"))
    assert kinds == {"void": 928, "fee": 1_915, "return": 5_847 - 393, "sale": 312_408}
    fees = "select sum(list_amount)::double from raw.web_order__line where line_type = 'fee'"
    assert query(fees) == [(-70_141.41,)]
    # 3,774 codes as typed, 94 of them also in small letters; nine stand for no goods.
    codes = "select count(distinct product_code) from raw.web_order__line"
    assert query(codes) == [(3_680 - 9,)]
    members = "select count(distinct member_number_token) from raw.web_order__order"
    assert query(members) == [(3_360,)]
    # Returned on the day of the purchase; the file tells of no other.
    assert query("select count(original_order_id) from raw.web_order__line") == [(480,)]


def test_lines_that_repeat_each_other_are_all_kept(
    deliver: Deliver, query: Query, data: Path
) -> None:
    deliver("uci_online", data / "online_retail_uci" / "2010-12-01.csv")

    # Invoice 536409 has 21866 and 22866 twice, 22900 and 22111 too: all are in its sum.
    repeats = query(
        """
        select product_code, quantity::integer, count(*) from raw.web_order__line
        where order_id = '536409' group by all having count(*) > 1 order by 1
        """
    )
    assert repeats == [("21866", 1, 2), ("22111", 1, 2), ("22866", 1, 2), ("22900", 1, 2)]
    assert query("select count(*) from raw.web_order__line") == [(3_108,)]


def test_a_cancellation_of_the_same_day_is_linked_and_no_other(
    deliver: Deliver, query: Query, data: Path
) -> None:
    deliver("uci_online", data / "online_retail_uci" / "2010-12-01.csv")

    # C536379 takes 27.50 off by the code D: a negative fee of a return, without goods to link.
    discount = query(
        """
        select o.order_type, l.line_type, l.product_code, l.list_amount::double,
            l.original_order_id
        from raw.web_order__line as l
        join raw.web_order__order as o on o.order_id = l.order_id
        where l.order_id = 'C536379'
        """
    )
    assert discount == [("return", "fee", None, -27.5, None)]
    # A link leads to an earlier sale of the same article to the same member.
    wrong = query(
        """
        select count(*) from raw.web_order__line as back
        left join raw.web_order__line as sold
            on sold.order_id = back.original_order_id
            and sold.line_number = back.original_line_number
            and sold.product_code = back.product_code and sold.quantity > 0
        where back.original_order_id is not null and sold.order_id is null
        """
    )
    assert wrong == [(0,)]


def test_the_same_web_orders_delivered_again_change_nothing(
    deliver: Deliver, query: Query, data: Path
) -> None:
    files = sorted((data / "online_retail_uci").glob("2010-12-0*.csv"))
    deliver("uci_online", *files)
    counts = "select count(*), sum(_content_hash) from raw.web_order__line"
    before = query(counts)

    again = deliver("uci_online", *files)

    assert again.loaded_count == 0
    assert query(counts) == before


def test_a_bakery_s_till_keeps_its_repeats_and_its_empty_items(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("bread_basket", data / "baskets" / "BreadBasket_DMS.csv")

    assert (outcome.physical_count, outcome.rejected_count) == (21_293, 0)
    # 786 of the 21,293 lines name no article; their receipts are kept all the same.
    assert query("select count(distinct receipt_id) from raw.pos_standard__receipt") == [(9_531,)]
    assert query("select count(*) from raw.pos_standard__line") == [(21_293 - 786,)]


def test_a_supermarket_s_poslog_has_its_weighed_apple_reward_card_and_times(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("ncr_tills", data / "poslog_ncr" / "SMALL.redacted.xml")

    assert (outcome.physical_count, outcome.loaded_count) == (2, 2)
    receipts = query(
        "select receipt_id, receipt_type, business_date::varchar, total_amount::double, "
        "member_number_token is not null from raw.pos_standard__receipt order by 1"
    )
    assert receipts == [
        ("9-34-2017-09-30-160", "no_sale", "2017-09-30", None, False),
        ("9-34-2017-09-30-161", "sale", "2017-09-30", 1.07, True),
    ]
    lines = query(
        "select product_code, quantity::double, list_amount::double, discount_amount::double "
        "from raw.pos_standard__line"
    )
    # The reward of 0.19 stands three times in the file, of the item, of its department and of
    # the receipt, and is given once: 1.26 - 0.19 = 1.07.
    assert lines == [("00000000067591", 0.42, 1.26, 0.19)]
    tenders = query(
        "select tender_type_code, amount::double, authorisation_code from raw.pos_standard__tender"
    )
    assert tenders == [("card_magnetic", 1.07, "734277")]
    steps = query("select step_code, duration_seconds from raw.pos_standard__step order by 1")
    assert steps == [("idle", 38.0), ("payment", 25.0), ("scan", 21.0)]


def test_a_fashion_shop_s_poslog_has_its_return_and_its_change(
    deliver: Deliver, query: Query, data: Path
) -> None:
    deliver("roqqio_tills", *sorted((data / "poslog_roqqio").glob("*.xml")))

    lines = query(
        "select line_type, quantity::double, list_amount::double, tax_amount::double "
        "from raw.pos_standard__line order by 3"
    )
    # Prices include the tax: 2.51 + 0.48 = 2.99 comes back, 22.68 + 4.31 = 26.99 is sold.
    assert lines == [("return", -1.0, -2.51, -0.48), ("sale", 1.0, 22.68, 4.31)]
    tenders = "select amount::double from raw.pos_standard__tender order by 1"
    assert query(tenders) == [(-2.99,), (-0.01,), (27.0,)]
    # 12:21:47 by the till's clock in Germany is 10:21:47 UTC.
    times = "select sold_at::varchar from raw.pos_standard__receipt order by 1"
    assert query(times) == [("2024-07-31 10:21:47.539+00",), ("2024-09-26 15:06:56.741+00",)]
    assert query("select count(member_number_token) from raw.pos_standard__receipt") == [(1,)]


def test_a_pizzeria_s_year_is_priced_from_its_list(
    deliver: Deliver, query: Query, data: Path
) -> None:
    folder = data / "restaurant_pizza"
    deliver("pizza_prices", folder / "pizzas.csv")
    orders = deliver("pizza_orders", folder / "orders.csv")
    lines = deliver("pizza_lines", folder / "order_details.csv")

    assert (orders.loaded_count, lines.loaded_count) == (21_350, 48_620)
    sales = query("select sum(list_amount) from raw.pos_standard__line")
    assert sales == [(Decimal("817860.0500"),)]


def test_a_waiter_s_checks_have_their_tips_and_guests(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("tips", data / "restaurant_tips" / "tips.csv")

    assert (outcome.physical_count, outcome.loaded_count) == (244, 244)
    sums = query(
        "select sum(total_amount), sum((_extra ->> 'tip_amount')::decimal(18, 2)), "
        "sum(guest_count) from raw.pos_standard__receipt"
    )
    assert sums == [(Decimal("4827.7700"), Decimal("731.58"), 627)]
