"""What the simulated retailer delivers is consistent in itself: balances, links, repeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from simulated import delivered, fingerprints, rows, value

from dagster_project.core.simulation import SimulationOutcome, simulate
from dagster_project.core.simulation.delivery import SimulationError

OUTCOMES: dict[str, SimulationOutcome] = {}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    out = tmp_path_factory.mktemp("clean")
    OUTCOMES["clean"] = simulate(out, stores=4, days=90, customers=800, seed=11, faults="none")
    with delivered(out) as connection:
        yield connection


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        simulate(tmp_path / name, stores=3, days=21, customers=150, seed=3, faults="heavy")

    assert fingerprints(tmp_path / "first") == fingerprints(tmp_path / "second")


def test_another_seed_gives_other_receipts_in_the_same_files(tmp_path: Path) -> None:
    for seed in (3, 4):
        simulate(tmp_path / str(seed), stores=3, days=14, customers=150, seed=seed, faults="none")

    first, second = fingerprints(tmp_path / "3"), fingerprints(tmp_path / "4")
    lines = [name for name in first if "lantern_lines" in name]

    assert lines
    assert all(first[name] != second.get(name) for name in lines)


def test_every_receipt_balances_to_the_cent(clean: duckdb.DuckDBPyConnection) -> None:
    unbalanced = rows(
        clean,
        """
        with owed as (
            select bon_no, count(*) as items,
                sum(case kind when 'V' then 0 else
                    list_value::decimal(18, 2) - reduction::decimal(18, 2) + vat::decimal(18, 2)
                end) as amount,
            from lines group by bon_no
        ),
        paid as (select bon_no, sum(amount::decimal(18, 2)) as amount from tenders group by bon_no)
        select bon_no
        from receipts left join owed using (bon_no) left join paid using (bon_no)
        where coalesce(owed.amount, 0) + coalesce(cash_rounding::decimal(18, 2), 0)
            <> coalesce(paid.amount, 0)
        or coalesce(to_pay::decimal(18, 2), 0) <> coalesce(paid.amount, 0)
        or positions::bigint <> coalesce(owed.items, 0)
        """,
    )

    assert unbalanced == []
    assert value(clean, "select count(*) from receipts") > 5_000


def test_every_web_order_balances_to_the_cent(clean: duckdb.DuckDBPyConnection) -> None:
    unbalanced = rows(
        clean,
        """
        with owed as (
            select order_no,
                sum(case kind when 'dropped' then 0 else
                    list_net::decimal(18, 2) - rebate::decimal(18, 2) + vat::decimal(18, 2)
                end) as amount,
            from order_lines group by order_no
        ),
        paid as (
            select order_no, sum(amount::decimal(18, 2)) as amount
            from order_payments group by order_no
        )
        select order_no
        from orders join owed using (order_no) left join paid using (order_no)
        where owed.amount <> coalesce(paid.amount, 0)
        or sum_total::decimal(18, 2) <> owed.amount
        """,
    )

    assert unbalanced == []
    assert value(clean, "select count(*) from orders where state = 'placed'") > 300


def test_a_line_costs_what_price_quantity_and_tax_make_it(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # Half a minor unit either way: 0.005, or 0.5 rial.
    off = value(
        clean,
        """
        select count(*) from lines
        where abs(
            price_each::decimal(18, 2) * abs(qty::decimal(18, 3))
            - abs(list_value::decimal(18, 2))
        ) > case left(article, 2) when 'IR' then 0.5 else 0.005 end
        """,
    )

    assert off == 0


def test_rials_have_no_decimals_and_chinese_cash_ends_on_a_jiao(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    assert (
        value(clean, "select count(*) from tenders where curr = 'IRR' and amount like '%.%'") == 0
    )
    jiao = "select count(*) from tenders where curr = 'CNY' and means = 'CASH'"
    assert value(clean, f"{jiao} and amount not like '%0'") == 0
    assert value(clean, f"{jiao} and amount like '%.%'") > 100


def test_receipts_of_every_type_are_there(clean: duckdb.DuckDBPyConnection) -> None:
    kinds = {kind for (kind,) in rows(clean, "select distinct bon_kind from receipts")}

    assert kinds == {"S", "R", "V", "N", "T", "P"}


def test_no_sale_has_no_lines_and_void_receipts_sell_nothing(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    of = "select count(*) from lines join receipts using (bon_no) where bon_kind"

    assert value(clean, f"{of} = 'N'") == 0
    assert value(clean, f"{of} in ('V', 'P') and kind <> 'V'") == 0


def test_a_return_is_a_negative_line_of_what_was_bought_before(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    wrong = value(
        clean,
        """
        select count(*)
        from lines as back
        left join lines as bought
            on bought.bon_no = back.ref_bon and bought.pos = back.ref_pos
        left join truth_frauds as fraud on fraud.receipt_id = back.bon_no
            and fraud.fraud in ('self_refund', 'refund_without_receipt')
        where back.kind = 'R' and fraud.receipt_id is null and (
            bought.bon_no is null or back.article <> bought.article
            or back.list_value::decimal(18, 2) <> -bought.list_value::decimal(18, 2)
            or back.vat::decimal(18, 2) <> -bought.vat::decimal(18, 2)
            or back.closed_at::timestamptz <= bought.closed_at::timestamptz
        )
        """,
    )

    assert wrong == 0
    assert value(clean, "select count(*) from lines where kind = 'R'") > 100


def test_points_are_earned_on_receipts_and_taken_back_with_them(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # One point for each whole yuan, 10,000 rials or ten pence that were not paid with points.
    wrong = value(
        clean,
        """
        with paid as (
            select bon_no, any_value(curr) as curr,
                sum(case means when 'PTS' then 0 else amount::decimal(18, 2) end) as amount,
            from tenders group by bon_no
        )
        select count(*)
        from points join paid on paid.bon_no = points.bon
        where kind in ('E', 'R') and pts::bigint <> sign(amount) * floor(abs(amount)
            * case curr when 'CNY' then 1 when 'IRR' then 0.0001 else 10 end)
        """,
    )

    assert wrong == 0
    assert {kind for (kind,) in rows(clean, "select distinct kind from points")} == {"E", "R", "B"}


def test_every_order_is_the_end_of_a_session_of_its_visitor(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    lonely = value(
        clean,
        """
        select count(*)
        from orders left join events on events.order_no = orders.order_no
        where state <> 'returned' and (
            events.eid is null or events.cookie <> orders.cookie or events.action <> 'buy'
        )
        """,
    )

    assert lonely == 0


def test_every_code_that_is_used_is_declared_in_the_master_data(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    checks = {
        "article": "select article from lines union select sku from order_lines where sku <> ''",
        "shop": "select shop from receipts union select shop from orders",
        "action_code": "select action_code from lines where action_code <> ''",
        "club_no": "select club_no from points union select club_card from receipts "
        "where club_card <> ''",
    }
    tables = {"article": "products", "shop": "stores", "action_code": "promotions",
              "club_no": "members"}  # fmt: skip
    for name, query in checks.items():
        missing = f"select count(*) from ({query}) as used(code) anti join {tables[name]} as m "
        assert value(clean, f"{missing} on m.{name} = used.code") == 0, name


def test_a_line_has_the_list_price_that_the_master_data_state_for_its_moment(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    # Head office stamps versions in Shanghai time, eight hours ahead of UTC.
    wrong = value(
        clean,
        """
        with versions as (
            select article, price::decimal(18, 2) as price,
                valid_from::timestamp - interval 8 hour as from_at,
            from products
        )
        select count(*)
        from (
            select article, price_each, closed_at::timestamptz::timestamp as sold_at
            from lines where kind = 'S'
        ) as line
        asof join versions on line.article = versions.article
            and line.sold_at >= versions.from_at
        where line.price_each::decimal(18, 2) <> versions.price
        """,
    )

    assert wrong == 0


def test_every_day_and_a_month_more_has_a_rate_for_each_currency(
    clean: duckdb.DuckDBPyConnection,
) -> None:
    query = "select count(distinct day) from rates where from_curr = '{}' and day >= '2017-01-01'"

    for currency in ("CNY", "IRR", "GBP"):
        assert value(clean, query.format(currency)) == 90 + 31


def test_the_outcome_counts_what_stands_in_the_files(clean: duckdb.DuckDBPyConnection) -> None:
    counts = dict(OUTCOMES["clean"].row_counts)

    for stream in ("receipts", "lines", "tenders", "steps", "orders", "events", "stock", "members"):
        assert counts[f"lantern_{stream}"] == value(clean, f"select count(*) from {stream}")
    assert OUTCOMES["clean"].till_line_count == counts["lantern_lines"]


def test_card_numbers_pass_the_luhn_check(clean: duckdb.DuckDBPyConnection) -> None:
    cards = [card for (card,) in rows(clean, "select distinct pan from tenders where pan <> ''")]

    def luhn(card: str) -> int:
        doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(card))]
        return sum(d - 9 if d > 9 else d for d in doubled) % 10

    assert len(cards) > 200
    assert {luhn(card) for card in cards} == {0}


def test_mail_goes_to_reserved_domains_only(clean: duckdb.DuckDBPyConnection) -> None:
    mails = "select mail from members union select mail from orders"
    stray = f"select count(*) from ({mails}) where not regexp_matches(lower(mail), "

    assert value(clean, f"{stray} '@example\\.(com|org|net)$')") == 0


@pytest.mark.parametrize(
    ("argument", "bad"),
    [("stores", 2), ("days", 6), ("customers", 59), ("seed", -1), ("faults", "some")],
)
def test_arguments_that_make_no_retailer_are_refused(
    tmp_path: Path, argument: str, bad: int | str
) -> None:
    good: dict[str, int | str] = {
        "stores": 3, "days": 7, "customers": 60, "seed": 1, "faults": "none",
    }  # fmt: skip

    with pytest.raises(SimulationError, match=argument):
        simulate(tmp_path, **(good | {argument: bad}))

    assert list(tmp_path.iterdir()) == []


def test_a_year_without_a_known_lunar_calendar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="start must lie in"):
        simulate(
            tmp_path, stores=3, days=7, customers=60, seed=1, faults="none", start=date(2100, 1, 1)
        )


def test_a_place_that_cannot_be_written_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")

    with pytest.raises(SimulationError, match=r"^cannot write .*taken: \S.*$"):
        simulate(tmp_path / "taken", stores=3, days=7, customers=60, seed=1, faults="none")


def test_the_smallest_run_and_another_year_work_too(tmp_path: Path) -> None:
    # Nowruz 2024 fell on 20 March: a week around it, and a day on which Iran's shops are closed.
    outcome = simulate(
        tmp_path, stores=3, days=7, customers=60, seed=1, faults="heavy", start=date(2024, 3, 17)
    )

    assert outcome.till_line_count > 0
    feasts = (tmp_path / "truth" / "feast_effects.csv").read_text("utf-8")
    assert "nowruz,IR,shop,Fresh,2024-03-20,0,0.000000" in feasts
