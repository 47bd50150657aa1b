"""What follows from simulated sales adds up: drawers, shelves, parcels, details, cards, answers."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from simulated import delivered, rows, value

from dagster_project.core.simulation import simulate

# Business days: every third Chinese shop closes at one and counts till four.
BON = """
    select bon_no, split_part(bon_no, '-', 1) as shop, split_part(bon_no, '-', 2) as till,
        strptime(split_part(bon_no, '-', 3), '%y%m%d')::date as day, bon_kind,
        closed_at::timestamptz as moment
    from receipts
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    out = tmp_path_factory.mktemp("aftermath")
    simulate(out, stores=4, days=90, customers=900, seed=5, faults="none")
    with delivered(out) as connection:
        connection.execute(f"create view bons as {BON}")
        yield connection


def test_every_drawer_holds_its_float_and_cash_less_drops(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        clean,
        """
        with cash as (
            select s.shop, s.till, s.drawer, sum(t.amount::decimal(18, 2)) as taken
            from sessions as s
            join bons as b on b.shop = s.shop and b.till = s.till
                and b.moment >= s.opened_at::timestamptz and b.moment < s.counted_at::timestamptz
            join tenders as t using (bon_no)
            where t.means = 'CASH' and b.bon_kind <> 'T'
            group by all
        )
        select count(*), count(*) filter (
            laid_in::decimal(18, 2) + coalesce(taken, 0) - to_safe::decimal(18, 2)
            <> reckoned::decimal(18, 2)
        ), count(*) filter (counted::decimal(18, 2) < 0), count(*) filter (to_safe <> '0.00')
        from sessions left join cash using (shop, till, drawer)
        """,
    )

    assert found[0][0] > 1_000
    assert found[0][1:3] == (0, 0)
    assert found[0][3] > 50


def test_every_receipt_falls_into_one_drawer(clean: duckdb.DuckDBPyConnection) -> None:
    counts = """
        select count(s.drawer) as drawers from bons as b
        left join sessions as s on b.shop = s.shop and b.till = s.till
            and b.moment >= s.opened_at::timestamptz and b.moment < s.counted_at::timestamptz
        group by bon_no
    """

    assert rows(clean, f"select distinct drawers from ({counts})") == [(1,)]


def test_the_truth_names_every_drawer_that_is_over_or_short(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    odd = """
        select shop, till, drawer, (counted::decimal(18, 2) - reckoned::decimal(18, 2))::varchar
        from sessions where counted <> reckoned
    """
    true = """
        select store_code, terminal_code, session_id, over_short_amount::decimal(18, 2)::varchar
        from truth_till_differences
    """

    assert value(clean, f"select count(*) from (({odd}) except ({true}))") == 0
    assert value(clean, f"select count(*) from (({true}) except ({odd}))") == 0
    # One cashier of each country is short far more often than the others.
    worst = "select operator_code, count(*) as n from truth_till_differences group by 1"
    assert value(clean, f"select max(n) from ({worst})") >= 5


def test_counts_and_movements_and_sales_agree_on_every_counted_day(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # Sales by business day of every journal; parked, voided and training receipts sell nothing.
    wrong = value(
        clean,
        """
        with happened as (
            select shop, article, moved_at::timestamp::date as day, qty::decimal(18, 3) as qty
            from movements
            union all
            select b.shop, l.article, b.day, -l.qty::decimal(18, 3)
            from lines as l join bons as b using (bon_no)
            where l.kind <> 'V' and b.bon_kind in ('S', 'R')
            union all
            select o.shop, l.sku, o.placed_at::timestamp::date, -l.units::decimal(18, 3)
            from order_lines as l join orders as o using (order_no)
            where l.kind in ('item', 'back')
        ),
        daily as (
            select shop, article, day, sum(qty) as qty from happened group by all
            union all by name
            select shop, article, day::date as day, 0 as qty from stock
        ),
        running as (
            select distinct shop, article, day, sum(qty) over (
                partition by shop, article order by day range unbounded preceding) as on_books
            from daily
        )
        select count(*) from stock join running
            on stock.shop = running.shop and stock.article = running.article
            and stock.day::date = running.day
        where on_hand::decimal(18, 3) <> on_books
        """,
    )

    assert wrong == 0
    kinds = dict(rows(clean, "select what, count(*) from movements group by 1"))
    assert set(kinds) == {"open", "in", "waste", "theft", "adjust", "out_to", "in_from"}
    assert kinds["out_to"] == kinds["in_from"] > 5


def test_thefts_are_where_the_truth_says(clean: duckdb.DuckDBPyConnection) -> None:
    stolen = "select distinct shop, article from movements where what = 'theft'"
    true = "select store_code, product_code from truth_stock_thefts"

    assert value(clean, f"select count(*) from ({stolen} except {true})") == 0
    assert value(clean, "select sum(qty::double) from movements where what = 'theft'") < -20


def test_a_parcel_is_told_again_when_it_has_arrived_and_never_before_it_left(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    counted = "select count(*) as n from parcels group by parcel"
    versions = {n for (n,) in rows(clean, f"select distinct n from ({counted})")}
    backwards = """
        select count(*) from parcels where paid_at < placed_at or picked_at < paid_at
        or shipped_at < picked_at or delivered_at < shipped_at
    """

    assert versions == {1, 2}
    assert value(clean, backwards) == 0
    # Nothing stays on its way but what was ordered in the last days of the run.
    late = """
        select count(*) from parcels as p where p.state <> 'delivered' and cancelled_at is null
        and placed_at < '2017-03-10'
        and not exists (from parcels as q where q.parcel = p.parcel and q.state = 'delivered')
    """
    assert value(clean, late) == 0
    assert value(clean, "select count(*) from parcels where state = 'cancelled'") > 5


def test_slow_carriers_are_slow_while_they_are_said_to_be(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    ratio = value(
        clean,
        """
        with travelled as (
            select epoch(delivered_at::timestamptz) - epoch(shipped_at::timestamptz) as seconds,
                placed_at::date between from_date::date and to_date::date as is_slow
            from parcels join truth_slow_carriers on carrier = carrier_code
                and left(leaves_from, 2) = country_code
            where delivered_at <> '' and delivered_at is not null
        )
        select avg(seconds) filter (is_slow) / avg(seconds) filter (not is_slow) from travelled
        """,
    )

    assert 1.7 < ratio < 2.8


def test_details_add_up_to_what_their_lines_say(clean: duckdb.DuckDBPyConnection) -> None:
    taxed = """
        select count(*) from taxes as t join lines as l using (bon_no, pos)
        where t.amount::decimal(18, 2) <> l.vat::decimal(18, 2)
        or t.base::decimal(18, 2) <> l.list_value::decimal(18, 2) - l.reduction::decimal(18, 2)
    """
    reduced = """
        with told as (
            select bon_no, sum(amount::decimal(18, 2)) as amount from discounts group by 1
        ),
        said as (
            select bon_no, sum(reduction::decimal(18, 2)) as amount from lines
            where kind <> 'V' group by 1
        )
        select count(*) from told join said using (bon_no) where told.amount <> said.amount
    """

    assert value(clean, taxed) == 0
    assert value(clean, reduced) == 0
    assert value(clean, "select count(*) from discounts where pos is null") > 5
    assert value(clean, "select count(*) from redemptions") == value(
        clean, "select count(*) from discounts where kind = 'coupon'"
    )


def test_no_prepaid_card_holds_less_than_nothing(clean: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        select count(*) from (
            select rest::decimal(18, 2) as rest, sum(amount::decimal(18, 2)) over (
                partition by card order by booked_at::timestamptz, entry) as balance
            from prepaid
        ) where rest < 0 or rest <> balance
    """
    spent = """
        select sum(-amount::decimal(18, 2)) from prepaid
        where kind = 'spent' and shop not like '%-%'
    """
    paid = "select sum(amount::decimal(18, 2)) from tenders where means = 'GIFT'"

    assert value(clean, wrong) == 0
    assert value(clean, spent) == value(clean, paid)


def test_answers_and_cases_speak_of_receipts_and_orders_that_there_are(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    known = "select bon_no from receipts union all select order_no from orders"

    for stream in ("surveys", "cases"):
        assert value(clean, f"select count(*) from {stream} where bon not in ({known})") == 0
        assert value(clean, f"select count(*) from {stream}") > 20
    assert (
        value(clean, "select count(*) from surveys where question = 'stars' and points > '5'") == 0
    )
    assert value(clean, "select count(*) from cases") == value(
        clean, "select count(*) from truth_case_persons"
    )


def test_whoever_works_a_till_is_on_the_staff_and_some_rise(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    strangers = "select distinct cashier from receipts except select till_code from employees"

    assert value(clean, f"select count(*) from ({strangers})") == 0
    assert {row[0] for row in rows(clean, "select change from truth_staff_changes")} <= {
        "role", "hours", "shop",
    }  # fmt: skip
    assert value(clean, "select count(*) from truth_staff_changes") > 2
