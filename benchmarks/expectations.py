"""CPU of 30 expectations on many rows, against one aggregate written by hand, in the same run.

    python -m benchmarks.expectations --rows 20000000

Both count the same violations in one table of sales lines in an encrypted file, each on a
connection of its own, on two threads, in turn; a few rows are damaged, so that there is something
to count, and the counts have to agree. Prints the best of each, the ratio, and what importing the
library costs. Exit 1 above 1.7.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.quality import CheckResult, Suite, run_suites
from dagster_project.core.warehouse import Warehouse

BAR = 1.7
SCHEMA, TABLE = "core", "fct_sales_line"
# Receipts of four lines, as a till sends them; hash() makes them the same in every run. One line
# in a million has an amount that is wrong, one in two million repeats another one's key.
MADE = """
create table core.fct_sales_line as
select
    if(i % 2000003 = 2000002, i - 1, i) as sales_line_key,
    i // 4 as transaction_key,
    (i % 4 + 1)::integer as line_number,
    case i % 3 when 0 then 'lantern' when 1 then 'harbour' else 'juniper' end as sender,
    case when hash(i) % 50 = 0 then 'return' when hash(i) % 97 = 0 then 'fee' else 'sale' end
        as line_type,
    date '2015-01-01' + (i // 8000)::integer as business_date,
    timestamptz '2015-01-01 08:00:00+00' + to_seconds(i * 11) as sold_at,
    (i // 4 % 60)::integer as store_key,
    (hash(i) % 5000)::integer as product_key,
    if(hash(i // 4) % 3 = 0, null, hash(i // 4) % 900000)::bigint as customer_key,
    (if(hash(i) % 50 = 0, -1, 1) * (hash(i * 3) % 5 + 1))::decimal(18, 3) as quantity,
    (hash(i * 7) % 10000 / 100 + 0.01)::decimal(18, 4) as unit_price,
    (quantity * unit_price)::decimal(18, 4) as list_amount,
    if(hash(i) % 50 = 0, 0, least(list_amount, hash(i * 11) % 3))::decimal(18, 4)
        as discount_amount,
    (list_amount - discount_amount + if(i % 1000003 = 7, 1, 0))::decimal(18, 4) as net_amount,
    ((list_amount - discount_amount) * 0.1)::decimal(18, 4) as tax_amount,
    case i % 3 when 0 then 'EUR' when 1 then 'CNY' else 'IRR' end as currency_code,
    case when hash(i * 13) % 7 = 0 then 'A' || (hash(i) % 900 + 100) end as promotion_code
from range(?) as made(i)
"""


class Pair(NamedTuple):
    """An expectation, and the aggregate that counts the rows that break it."""

    expectation: str
    arguments: dict[str, Any]
    by_hand: str


def known(column: str) -> Pair:
    """A column without a null."""
    return Pair(
        "expect_column_values_to_not_be_null",
        {"column": column},
        f"count(*) filter (where {column} is null)",
    )


def between(column: str, low: float, high: float) -> Pair:
    """A column within bounds."""
    return Pair(
        "expect_column_values_to_be_between",
        {"column": column, "min_value": low, "max_value": high},
        f"count(*) filter (where {column} < {low} or {column} > {high})",
    )


def chosen(column: str, *values: str) -> Pair:
    """A column of a few values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return Pair(
        "expect_column_values_to_be_in_set",
        {"column": column, "value_set": list(values)},
        f"count(*) filter (where {column} not in ({listed}))",
    )


def none(condition: str) -> Pair:
    """No row that fulfils a condition."""
    return Pair(
        "expect_no_rows",
        {"unexpected_rows_query": f"select 1 from {{batch}} where {condition}"},
        f"count(*) filter (where {condition})",
    )


def at_most(share: float, condition: str) -> Pair:
    """A small share of rows that fulfil a condition; what breaks it is the table, as one row."""
    return Pair(
        "expect_no_rows",
        {
            "unexpected_rows_query": "select 1 from (select count(*) as line_count, "
            f"count(*) filter (where {condition}) as wrong_count from {{batch}}) "
            f"where wrong_count > {share} * line_count"
        },
        f"(count(*) filter (where {condition}) > {share} * count(*))::integer",
    )


def unique(*columns: str) -> Pair:
    """No two rows with the same values."""
    listed = ", ".join(columns)
    one = len(columns) == 1
    return Pair(
        f"expect_{'column_values' if one else 'compound_columns'}_to_be_unique",
        {"column": columns[0]} if one else {"column_list": list(columns)},
        f"(select coalesce(sum(row_count), 0) from (select count(*) as row_count "
        f"from {SCHEMA}.{TABLE} group by {listed} having count(*) > 1))",
    )


PAIRS = (
    *(known(column) for column in ("sales_line_key", "transaction_key", "sender", "line_type")),
    *(known(column) for column in ("business_date", "store_key", "quantity", "net_amount")),
    between("line_number", 1, 4),
    between("quantity", -5, 5),
    between("unit_price", 0, 100),
    between("tax_amount", -60, 60),
    between("store_key", 0, 59),
    chosen("line_type", "sale", "return", "fee", "void"),
    chosen("sender", "lantern", "harbour", "juniper"),
    chosen("currency_code", "EUR", "CNY", "IRR"),
    unique("sales_line_key"),
    unique("transaction_key", "line_number"),
    Pair(
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "unit_price", "column_B": "tax_amount", "or_equal": True,
         "ignore_row_if": "either_value_is_missing"},
        "count(*) filter (where unit_price < tax_amount)",
    ),
    Pair(
        "expect_column_value_lengths_to_equal",
        {"column": "currency_code", "value": 3},
        "count(*) filter (where length(currency_code) != 3)",
    ),
    Pair(
        "expect_column_value_lengths_to_be_between",
        {"column": "promotion_code", "min_value": 2, "max_value": 8},
        "count(*) filter (where length(promotion_code) not between 2 and 8)",
    ),
    none("not regexp_matches(promotion_code, '^A[0-9]+$')"),
    none("net_amount != list_amount - discount_amount"),
    none("line_type = 'sale' and (quantity < 0 or list_amount < 0)"),
    none("abs(epoch(sold_at) - epoch(timestamptz '2024-06-01 00:00:00+00')) > 1e10"),
    at_most(0.002, "abs(list_amount - unit_price * quantity) > 0.05"),
    at_most(0.001, "abs(tax_amount) > 0.5 * abs(net_amount) + 0.02"),
    Pair(
        "expect_column_mean_to_be_between",
        {"column": "unit_price", "min_value": 40, "max_value": 60},
        "(avg(unit_price) not between 40 and 60)::integer",
    ),
    Pair(
        "expect_column_proportion_of_non_null_values_to_be_between",
        {"column": "customer_key", "min_value": 0.5, "max_value": 0.9},
        "(count(customer_key) / count(*) not between 0.5 and 0.9)::integer",
    ),
    Pair(
        "expect_table_row_count_to_be_between",
        {"min_value": 1},
        "(count(*) < 1)::integer",
    ),
)  # fmt: skip
BY_HAND = f"select {', '.join(pair.by_hand for pair in PAIRS)} from {SCHEMA}.{TABLE}"


def suite() -> Suite:
    """The thirty, as a file would declare them."""
    return Suite.model_validate(
        {
            "schema": SCHEMA,
            "table": TABLE,
            "description": "Sales lines of many shops.",
            "expectations": [
                {
                    "expectation": pair.expectation,
                    "kwargs": pair.arguments,
                    "name": f"check_{place}",
                    "why": "It is measured here.",
                    "severity": "warning",
                    "blocking": False,
                }
                for place, pair in enumerate(PAIRS)
            ],
        }
    )


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process for some work, and what it gave."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result


def by_hand(warehouse: Warehouse) -> tuple[int, ...]:
    """The violations, counted by the one statement."""
    with warehouse.connect(read_only=True) as connection:
        return tuple(int(count) for count in connection.execute(BY_HAND).fetchone() or ())


def import_library() -> None:
    """What the first judging of a process imports."""
    from dagster_project.core.quality import engine  # noqa: F401


def made(root: Path, rows: int) -> Warehouse:
    """An encrypted warehouse with one table."""
    warehouse = Warehouse(Home(root), MasterKey(b"e" * 32))
    warehouse.create()
    with warehouse.connect() as connection:
        connection.execute(MADE, [rows])
    return warehouse


def main() -> int:
    """Exit 0 when the counts agree and the ratio is within the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--times", type=int, default=3)
    chosen_arguments = parser.parse_args()
    imported, _ = spent(import_library)
    hand, judged = [], []
    counts: tuple[int, ...] = ()
    results: list[CheckResult] = []
    with tempfile.TemporaryDirectory(prefix="expectations-") as root:
        warehouse = made(Path(root), chosen_arguments.rows)
        for _ in range(chosen_arguments.times):
            cpu, counts = spent(lambda: by_hand(warehouse))
            hand.append(cpu)
            cpu, results = spent(lambda: run_suites(warehouse, [suite()]))
            judged.append(cpu)
    told = tuple(result.failed_count for result in results)
    ratio = min(judged) / min(hand)
    print(f"{len(PAIRS)} expectations on {chosen_arguments.rows:,} rows, encrypted, two threads")
    print(f"by hand, one statement  {min(hand):7.2f} s of CPU")
    print(f"as expectations         {min(judged):7.2f} s of CPU, {imported:.2f} s more for imports")
    print(f"ratio                   {ratio:7.2f}   (at most {BAR} wanted)")
    print(f"rows that break them    {sum(told):7,}, by hand {sum(counts):,}")
    if told != counts or any(result.error for result in results):
        print("the counts differ:", [(c, t) for c, t in zip(counts, told, strict=True) if c != t])
        return 1
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
