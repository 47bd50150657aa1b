"""The real retailer's files hold what its data package holds, to the cent."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.core.simulation import deliver_journey


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("journey")
    # 4 store groups × 53 weeks, and 7 single files.
    assert deliver_journey(out) == 4 * 53 + 7
    return out / "landing"


def read(landing: Path, feed: str) -> str:
    """The feed's files as a relation of text columns."""
    return f"read_csv('{landing}/{feed}/*.csv', all_varchar = true, header = true)"


def test_every_line_is_delivered_and_their_sum_is_right_to_the_cent(landing: Path) -> None:
    source = read(landing, "journey_transactions")

    # By way of a double: as text 1.776357e-15 casts to a decimal above zero.
    found = duckdb.sql(
        f"select count(*), sum(sales_value::double::decimal(18, 2))::varchar from {source}"
    ).fetchone()

    assert found == (1_469_307, "4596039.58")


def test_a_basket_names_a_product_once_and_has_one_store_household_and_time(landing: Path) -> None:
    source = read(landing, "journey_transactions")

    repeated = duckdb.sql(
        f"select count(*) - count(distinct (basket_id, product_id)) from {source}"
    ).fetchone()
    torn = duckdb.sql(
        f"""
        select count(*) from (
            select basket_id from {source} group by basket_id
            having count(distinct (store_id, household_id, transaction_timestamp)) > 1
        )
        """
    ).fetchone()

    assert repeated == (0,)
    assert torn == (0,)


def test_a_file_holds_one_store_group_and_one_week(landing: Path) -> None:
    source = read(landing, "journey_transactions").replace("header", "filename = true, header")

    mixed = duckdb.sql(
        f"""
        select count(*) from (
            select filename from {source} group by filename
            having count(distinct (store_id::bigint % 4, week)) > 1
        )
        """
    ).fetchone()

    assert mixed == (0,)


def test_every_household_that_bought_has_a_row_and_801_have_demographics(landing: Path) -> None:
    source = read(landing, "journey_households")

    assert duckdb.sql(f"select count(*), count(age) from {source}").fetchone() == (2469, 801)


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        ("journey_products", 92_331),
        ("journey_stores", 457),
        ("journey_campaigns", 27),
        ("journey_campaign_targets", 6_589),
        ("journey_coupons", 116_204),
        ("journey_redemptions", 2_102),
    ],
)
def test_each_other_table_is_delivered_whole(landing: Path, feed: str, expected: int) -> None:
    assert duckdb.sql(f"select count(*) from {read(landing, feed)}").fetchone() == (expected,)


def test_nothing_half_written_is_left_behind(landing: Path) -> None:
    assert list(landing.rglob(".*")) == []
