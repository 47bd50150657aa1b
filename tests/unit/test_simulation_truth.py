"""The truth tables say what is really in the delivered files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from simulated import delivered, rows, value

from dagster_project.core.simulation import feasts, simulate


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    out = tmp_path_factory.mktemp("truth")
    simulate(out, stores=4, days=150, customers=900, seed=5, faults="none")
    with delivered(out) as connection:
        yield connection


def test_nobody_buys_after_the_day_on_which_they_left(clean: duckdb.DuckDBPyConnection) -> None:
    late = value(
        clean,
        """
        with bought as (
            select person_id, closed_at::timestamp::date as day
            from truth_receipt_persons join receipts on bon_no = receipt_id where bon_kind = 'S'
            union all
            select person_id, placed_at::timestamp::date
            from truth_order_persons join orders on order_no = order_id where state = 'placed'
        )
        select count(*) from bought join truth_persons using (person_id)
        where churned_on <> '' and day > churned_on::date
        """,
    )

    assert late == 0
    assert value(clean, "select count(*) from truth_persons where is_churned = 'true'") > 80


def test_a_club_card_shown_at_the_till_belongs_to_the_person_who_stood_there(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    wrong = value(
        clean,
        """
        select count(*)
        from receipts
        join truth_person_records as record on kind = 'member' and value = club_card
        left join truth_receipt_persons as stood on stood.receipt_id = bon_no
        where club_card <> '' and record.person_id is distinct from stood.person_id
        """,
    )

    assert wrong == 0
    assert value(clean, "select count(*) from receipts where club_card <> ''") > 1_000


@pytest.mark.parametrize(
    ("column", "kind"),
    [("mobile", "phone"), ("mail", "email"), ("receiver", "name"), ("cookie", "visitor")],
)
def test_what_stands_on_an_order_is_one_of_its_persons_own_spellings(
    clean: duckdb.DuckDBPyConnection, column: str, kind: str
) -> None:
    strange = value(
        clean,
        f"""
        select count(*) from orders join truth_order_persons on order_id = order_no
        where {column} <> '' and not exists (
            select 1 from truth_person_records as record
            where record.person_id = truth_order_persons.person_id and kind = '{kind}'
            and record.value = {column}
        )
        """,
    )

    assert strange == 0


def test_some_guests_mistype_and_the_truth_knows_who_they_are(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    spelled = dict(
        rows(
            clean,
            "select spelling, count(*) from truth_order_persons where is_guest = 'true' group by 1",
        )
    )

    assert spelled["typo"] > 0
    assert spelled["plain"] > spelled["formal"] > spelled["typo"]


def test_some_people_hold_two_club_cards(clean: duckdb.DuckDBPyConnection) -> None:
    twice = "select person_id from truth_person_records where kind = 'member' group by 1"

    assert value(clean, f"select count(*) from ({twice} having count(*) = 2)") > 5


def test_what_sold_out_is_what_the_stock_counts_say(clean: duckdb.DuckDBPyConnection) -> None:
    counted = "select shop, article, day from stock where sold_out = 'Y'"
    true = "select store_code, product_code, business_date from truth_sold_out"

    assert value(clean, f"select count(*) from ({counted} except {true})") == 0
    assert value(clean, f"select count(*) from ({true} except {counted})") == 0
    assert value(clean, "select sum(hidden_units) from truth_sold_out") > 200


def test_sold_units_of_a_sold_out_day_are_what_the_tills_rang_up(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # A weighed article counts by the sale. Crooks add a few sales of the dearest articles and
    # receipts of stolen cards, which no shelf knows of: those receipts are left out.
    wrong = value(
        clean,
        """
        with rung as (
            select split_part(bon_no, '-', 1) as shop, article,
                strptime(split_part(bon_no, '-', 3), '%y%m%d')::date as day,
                sum(case uom when 'kg' then 1 else qty::decimal(18, 3) end) as units,
            from lines
            join receipts using (bon_no)
            join (select distinct article, uom from products) using (article)
            where kind = 'S' and bon_kind = 'S'
            and bon_no not in (select receipt_id from truth_frauds)
            group by all
        )
        select count(*)
        from truth_sold_out
        left join rung on shop = store_code and article = product_code
            and day = business_date::date
        where length(store_code) = 4 and sold_units <> coalesce(units, 0)
        """,
    )

    assert wrong == 0


def test_every_planted_fraud_is_in_the_journal(clean: duckdb.DuckDBPyConnection) -> None:
    kinds = dict(rows(clean, "select fraud, count(*) from truth_frauds group by 1"))
    missing = "select count(*) from truth_frauds anti join receipts on bon_no = receipt_id"

    assert set(kinds) == {
        "refund_without_receipt", "self_refund", "card_velocity", "void_after_payment",
        "points_kept_after_refund",
    }  # fmt: skip
    assert value(clean, missing) == 0


def test_a_refund_without_receipt_names_none_and_is_paid_in_cash(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        clean,
        """
        select distinct means, ref_bon is null, amount::decimal(18, 2) < 0
        from truth_frauds join lines on bon_no = receipt_id join tenders using (bon_no)
        where fraud = 'refund_without_receipt'
        """,
    )

    assert found == [("CASH", True, True)]


def test_a_self_refund_goes_to_one_card_of_its_country_again_and_again(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    cards = rows(
        clean,
        """
        select left(store_code, 2), count(distinct pan), count(distinct operator_code)
        from truth_frauds join tenders on bon_no = receipt_id where fraud = 'self_refund'
        group by 1 order by 1
        """,
    )

    assert cards == [("CN", 1, 1), ("GB", 1, 1), ("IR", 1, 1)]


def test_a_stolen_card_pays_ten_times_within_70_minutes(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # Ten payments at most seven minutes apart.
    bursts = rows(
        clean,
        """
        select count(*), max(closed_at::timestamptz) - min(closed_at::timestamptz)
            < interval 70 minute
        from truth_frauds join tenders on bon_no = receipt_id where fraud = 'card_velocity'
        group by pan, business_date
        """,
    )

    assert set(bursts) == {(10, True)}


def test_a_void_after_payment_takes_the_money_out_again(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        clean,
        """
        select sum(amount::decimal(18, 2)) = 0, count(*) = 2, any_value(bon_kind)
        from truth_frauds join tenders on bon_no = receipt_id join receipts using (bon_no)
        where fraud = 'void_after_payment' group by receipt_id
        """,
    )

    assert set(found) == {(True, True, "V")}


def test_points_that_were_kept_have_no_reversal(clean: duckdb.DuckDBPyConnection) -> None:
    kept = "select receipt_id from truth_frauds where fraud = 'points_kept_after_refund'"

    assert value(clean, f"select count(*) from points where bon in ({kept})") == 0


def test_the_slow_till_is_slow_at_payments_while_it_is_said_to_be(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # Same till, same step, inside against outside the stated days: the factor is 2.6.
    ratio = value(
        clean,
        """
        with paid as (
            select steps.secs::double as secs,
                begun_at::timestamp::date between from_date::date and to_date::date as is_slow,
            from steps join receipts using (bon_no)
            join truth_slow_step on shop = store_code and till = terminal_code
            where what = 'PAY'
        )
        select avg(secs) filter (is_slow) / avg(secs) filter (not is_slow) from paid
        """,
    )

    assert 2.2 < ratio < 3.0


def test_some_bills_are_wrong_in_each_of_the_named_ways(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    kinds = {kind for (kind,) in rows(clean, "select exception from truth_bill_exceptions")}

    assert kinds == {"missing", "wrong_fee", "chargeback"}


@pytest.mark.parametrize(
    ("feast", "year", "expected"),
    [
        pytest.param(feasts.spring_festival, 2017, date(2017, 1, 28), id="spring festival 2017"),
        pytest.param(feasts.spring_festival, 2024, date(2024, 2, 10), id="spring festival 2024"),
        pytest.param(feasts.mid_autumn, 2017, date(2017, 10, 4), id="mid autumn 2017"),
        pytest.param(feasts.nowruz, 2017, date(2017, 3, 21), id="nowruz 2017"),
        pytest.param(feasts.nowruz, 2024, date(2024, 3, 20), id="nowruz 2024"),
        pytest.param(feasts.yalda, 2017, date(2017, 12, 21), id="yalda 2017"),
        pytest.param(feasts.black_friday, 2017, date(2017, 11, 24), id="black friday 2017"),
        pytest.param(feasts.black_friday, 2018, date(2018, 11, 23), id="black friday 2018"),
    ],
)
def test_feasts_fall_on_their_real_days(
    feast: Callable[[int], date], year: int, expected: date
) -> None:
    assert feast(year) == expected


def test_shops_are_empty_on_nowruz_and_full_before_it(clean: duckdb.DuckDBPyConnection) -> None:
    by_day = dict(
        rows(
            clean,
            """
            select strptime(split_part(bon_no, '-', 3), '%y%m%d')::date, count(*)
            from lines where bon_no like 'IR%' and kind = 'S' group by 1
            """,
        )
    )
    usual = np.mean([by_day[date(2017, 5, day)] for day in range(1, 29)])
    before = np.mean([by_day[date(2017, 3, day)] for day in range(16, 21)])

    assert date(2017, 3, 21) not in by_day
    # The curve climbs to 2.3 on the eve.
    assert before > 1.4 * usual


def test_companions_are_bought_together_more_often_than_chance(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    for leader, follower in rows(clean, "select leader, follower from truth_companions"):
        lift = value(
            clean,
            f"""
            with goods as (
                select distinct bon_no, subcat
                from lines join (select distinct article, subcat from products) using (article)
                where kind = 'S'
            ),
            n as (
                select count(distinct bon_no) as receipts,
                    count(*) filter (subcat = '{leader}') as a,
                    count(*) filter (subcat = '{follower}') as b,
                from goods
            )
            select count(*) * any_value(n.receipts) / (any_value(n.a) * any_value(n.b))
            from goods as x join goods as y using (bon_no), n
            where x.subcat = '{leader}' and y.subcat = '{follower}'
            """,
        )
        assert lift > 1.3, (leader, follower, lift)


PANEL = """
with articles as (
    select article, left(article, 2) as land, uom, price::double as price,
        -- Head office stamps a country's midnight in Shanghai time, never before noon.
        (valid_from::timestamp + interval 12 hour)::date as from_day,
    from products
),
versions as (
    select *, lead(from_day, 1, date '2999-01-01') over (
        partition by article order by from_day) as to_day
    from articles
),
sold as (
    select split_part(bon_no, '-', 1) as shop, article,
        strptime(split_part(bon_no, '-', 3), '%y%m%d')::date as day,
        sum(qty::double) as quantity, count(*) as sales,
    from lines where kind = 'S' group by all
),
offers as (
    select article, pct_off::double / 100 as share, first_day::date as first_day,
        last_day::date as last_day, uplift::double as uplift,
    from promotions join promotion_products using (action_code)
    join truth_promotion_effects on promotion_code = action_code and product_code = article
),
panel as (
    select v.article, s.shop, d.day,
        ln(v.price * (1 - coalesce(o.share, 0))) as log_price,
        ln(coalesce(o.uplift, 1)) as log_uplift,
        -- Demand that an empty shelf hid is added back.
        coalesce(h.demand_units, case v.uom when 'kg' then x.sales else x.quantity end, 0)
            as units,
    from versions as v
    join (select distinct shop, left(shop, 2) as land from sold) as s on s.land = v.land
    join (select distinct day from sold) as d on d.day >= v.from_day and d.day < v.to_day
    left join offers as o on o.article = v.article and d.day between o.first_day and o.last_day
    left join sold as x on x.article = v.article and x.shop = s.shop and x.day = d.day
    left join truth_sold_out as h on h.product_code = v.article and h.store_code = s.shop
        and h.business_date = d.day::varchar
)
select article, log_price, units,
    log_uplift + ln(sum(units) over (partition by shop, day) - units + 0.5) as log_usual,
from panel
"""


def price_response(
    log_price: np.ndarray, units: np.ndarray, usual: np.ndarray
) -> tuple[float, float]:
    """Elasticity and its standard error: a Poisson regression with a known usual level."""
    x = np.column_stack([np.ones(units.size), log_price - log_price.mean()])
    beta = np.array([np.log(units.mean()) - usual.mean(), 0.0])
    for _ in range(25):
        mean = np.exp(x @ beta + usual)
        weighed = (x * mean[:, None]).T @ x
        beta = beta + np.clip(np.linalg.solve(weighed, x.T @ (units - mean)), -1, 1)
    return float(beta[1]), float(np.sqrt(np.linalg.inv(weighed)[1, 1]))


@pytest.mark.long
def test_the_true_elasticities_come_out_of_the_files(tmp_path: Path) -> None:
    simulate(tmp_path, stores=3, days=240, customers=5000, seed=21, faults="none")
    with delivered(tmp_path) as connection:
        panel = connection.execute(PANEL).fetchnumpy()
        truth = dict(
            rows(connection, "select product_code, elasticity::double from truth_elasticities")
        )
    found = []
    for article in np.unique(panel["article"]):
        mine = panel["article"] == article
        price, units, usual = (panel[n][mine] for n in ("log_price", "units", "log_usual"))
        if units.sum() >= 400 and price.std() > 0.02:
            found.append((truth[article], *price_response(price, units, usual)))
    true, estimate, error = np.array(found).T
    weight = 1 / error**2

    assert true.size > 100
    assert abs(np.average(estimate - true, weights=weight)) < 0.15
    # A slope of 1 would be perfect. Departments' own seasons, which the usual level of the whole
    # shop does not know, blur the single article.
    assert 0.85 < np.polyfit(true, estimate, 1, w=1 / error)[0] < 1.15
    assert np.corrcoef(true, estimate)[0, 1] > 0.65
