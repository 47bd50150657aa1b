"""One scan of a table answers what the library's own many queries answer, row for row."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from dagster_project.core.quality import CheckResult, Suite, judge
from dagster_project.core.quality.arguments import EXPECTATIONS
from dagster_project.core.quality.bundling import take_apart

# A null in every column, a value twice, one beyond each bound, and 2.5 beside 3.
ROWS = """
create table shop.sale (
    sale_key bigint, code varchar, amount decimal(9, 2), weight double, sold_date date,
    sold_at timestamptz, left_count integer, right_count integer, is_paid boolean,
    open_for interval
);
insert into shop.sale values
    (1, 'till', 2.50, 0.1, '2024-01-01', '2024-01-01 10:00:00+00', 1, 1, true, interval 1 day),
    (2, 'till', 3.00, 0.3, '2024-02-01', '2024-02-01 10:00:00+00', 2, 1, true, interval 1 day),
    (2, 'tills', -1.00, 1e300, '1970-01-01', '1970-01-01 00:00:00+00', 1, 2, false, null),
    (3, '', 5.00, 2.5, '2031-01-01', '2031-01-01 00:00:00+00', 3, null, null, null),
    (4, null, null, 'nan', '2024-03-01', null, null, 4, true, interval 1 day),
    (null, 'café', 9999999.99, null, null, '2024-03-01 00:00:00+00', null, null, false, null),
    (null, 'café', 0.00, -0.1, '2024-04-01', '2024-04-01 00:00:00+00', 5, 5, null, null);
create table shop.nothing as select * from shop.sale limit 0;
"""
BETWEEN = "expect_column_values_to_be_between"
LENGTH = "expect_column_value_lengths_to_be_between"
IN_SET, NOT_IN_SET = "expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"
EQUAL = "expect_column_pair_values_to_be_equal"
TOGETHER = "expect_compound_columns_to_be_unique"
LEFT_RIGHT = {"column_A": "left_count", "column_B": "right_count"}
SHARE = "expect_column_proportion_of_non_null_values_to_be_between"
FILTER = "select 1 from {batch} where amount > 2 and code is not null"
RATIO = (
    "select 1 from (select count(*) as all_count, count(*) filter (where amount < 0) as wrong_count"
    " from {batch} where code is not null) where wrong_count > 0.1 * all_count"
)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_to_exist", {"column": "code"}),
    ("expect_column_values_to_not_be_null", {"column": "code"}),
    ("expect_column_values_to_not_be_null", {"column": "code", "mostly": 0.8}),
    ("expect_column_values_to_not_be_null", {"column": "sale_key", "mostly": 0.8}),
    ("expect_column_values_to_be_null", {"column": "code"}),
    ("expect_column_values_to_be_null", {"column": "right_count", "mostly": 0.2}),
    ("expect_column_values_to_be_unique", {"column": "sale_key"}),
    ("expect_column_values_to_be_unique", {"column": "code"}),
    ("expect_column_values_to_be_unique", {"column": "weight"}),
    ("expect_column_values_to_be_unique", {"column": "code", "mostly": 0.3}),
    (BETWEEN, {"column": "amount", "min_value": 0, "max_value": 5}),
    (BETWEEN, {"column": "amount", "min_value": 0, "max_value": 5, "mostly": 0.6}),
    (BETWEEN, {"column": "amount", "min_value": 2.5, "strict_min": True}),
    (BETWEEN, {"column": "amount", "max_value": 3, "strict_max": True}),
    (BETWEEN, {"column": "weight", "min_value": 0.1, "max_value": 0.3}),
    (BETWEEN, {"column": "weight", "max_value": 1e200}),
    (BETWEEN, {"column": "sale_key", "min_value": 1.5}),
    (BETWEEN, {"column": "sold_date", "min_value": "2000-01-01", "max_value": "2030-01-01"}),
    (BETWEEN, {"column": "sold_at", "min_value": "2000-01-01"}),
    (BETWEEN, {"column": "code", "min_value": 1}),
    (BETWEEN, {"column": "is_paid", "min_value": 1}),
    (IN_SET, {"column": "code", "value_set": ["till", "café"]}),
    (IN_SET, {"column": "code", "value_set": ["till", "café"], "mostly": 0.6}),
    (IN_SET, {"column": "sale_key", "value_set": [1, 2]}),
    (IN_SET, {"column": "is_paid", "value_set": [True]}),
    (NOT_IN_SET, {"column": "code", "value_set": ["till", "shop"]}),
    (NOT_IN_SET, {"column": "sale_key", "value_set": [2, 9]}),
    ("expect_column_value_lengths_to_equal", {"column": "code", "value": 4}),
    ("expect_column_value_lengths_to_equal", {"column": "sale_key", "value": 4}),
    (LENGTH, {"column": "code", "min_value": 1, "max_value": 4}),
    (LENGTH, {"column": "code", "min_value": 4, "strict_min": True}),
    ("expect_column_mean_to_be_between", {"column": "amount", "min_value": 0, "max_value": 10}),
    ("expect_column_mean_to_be_between", {"column": "sale_key", "min_value": 2.4,
                                          "max_value": 2.4}),
    ("expect_column_mean_to_be_between", {"column": "sold_at", "min_value": 1}),
    ("expect_column_sum_to_be_between", {"column": "sale_key", "min_value": 12, "max_value": 12}),
    ("expect_column_sum_to_be_between", {"column": "sale_key", "max_value": 12,
                                         "strict_max": True}),
    ("expect_column_sum_to_be_between", {"column": "code", "max_value": 12}),
    ("expect_column_sum_to_be_between", {"column": "open_for", "max_value": 12}),
    (SHARE, {"column": "code", "min_value": 0.85}),
    (SHARE, {"column": "code", "min_value": 0.86}),
    ("expect_column_unique_value_count_to_be_between", {"column": "code", "max_value": 4}),
    ("expect_column_unique_value_count_to_be_between", {"column": "code", "max_value": 3}),
    (GREATER, LEFT_RIGHT),
    (GREATER, LEFT_RIGHT | {"or_equal": True}),
    (GREATER, LEFT_RIGHT | {"or_equal": True, "ignore_row_if": "neither", "mostly": 0.5}),
    (GREATER, LEFT_RIGHT | {"ignore_row_if": "either_value_is_missing", "mostly": 0.5}),
    (EQUAL, LEFT_RIGHT),
    (EQUAL, LEFT_RIGHT | {"ignore_row_if": "neither"}),
    (EQUAL, LEFT_RIGHT | {"ignore_row_if": "either_value_is_missing"}),
    (TOGETHER, {"column_list": ["sale_key", "code"]}),
    (TOGETHER, {"column_list": ["code", "is_paid"], "ignore_row_if": "never"}),
    (TOGETHER, {"column_list": ["code", "left_count"], "ignore_row_if": "any_value_is_missing"}),
    (TOGETHER, {"column_list": ["is_paid", "right_count"]}),
    ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 7}),
    ("expect_table_row_count_to_be_between", {"min_value": 8}),
    ("expect_no_rows", {"unexpected_rows_query": FILTER}),
    ("expect_no_rows", {"unexpected_rows_query": RATIO}),
    ("expect_no_rows", {"unexpected_rows_query": "select code from {batch} group by code"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'; create schema shop;" + ROWS)
        yield opened


def suite(table: str, cases: list[tuple[str, dict[str, Any]]]) -> Suite:
    return Suite.model_validate(
        {
            "schema": "shop",
            "table": table,
            "description": "One row per sale.",
            "expectations": [
                {
                    "expectation": expectation,
                    "kwargs": arguments,
                    "name": f"check_{place}",
                    "why": "It is compared here.",
                    "severity": "warning",
                    "blocking": False,
                }
                for place, (expectation, arguments) in enumerate(cases)
            ],
        }
    )


def queries(*texts: str) -> list[tuple[str, dict[str, Any]]]:
    return [("expect_no_rows", {"unexpected_rows_query": text}) for text in texts]


@pytest.fixture(scope="module")
def ours(connection: duckdb.DuckDBPyConnection) -> dict[str, list[CheckResult]]:
    return {table: judge(connection, [suite(table, CASES)]) for table in ("sale", "nothing")}


@pytest.fixture(scope="module")
def library(ours: dict[str, list[CheckResult]], connection: duckdb.DuckDBPyConnection) -> Any:
    """The library's own validator, metrics and SQL; only its connection is kept open."""
    import sqlalchemy as sa
    from great_expectations.core.batch import Batch, LegacyBatchDefinition
    from great_expectations.core.id_dict import IDDict
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
    from great_expectations.validator.validator import Validator
    from sqlalchemy.pool import StaticPool

    from dagster_project.core.quality.engine import URL, Lent, build

    class Open(SqlAlchemyExecutionEngine):
        def execute_query(self, query: Any) -> Any:
            return held.execute(query)

        execute_query_in_transaction = execute_query

    class Quiet(Validator):
        def _determine_progress_bars(self) -> bool:
            return False

    engine = sa.create_engine(
        URL, poolclass=StaticPool, creator=lambda: Lent(connection), isolation_level="AUTOCOMMIT"
    )
    held = engine.connect()

    def validate(table: str, expectation: str, arguments: dict[str, Any]) -> tuple[bool, int, bool]:
        stock = Open(engine=engine, create_temp_table=False)
        data = SqlAlchemyBatchData(
            stock, schema_name="shop", table_name=table, source_schema_name="shop",
            source_table_name=sa.quoted_name(table, quote=False), create_temp_table=False,
        )  # fmt: skip
        names = LegacyBatchDefinition("a", "b", f"shop/{table}", batch_identifiers=IDDict())
        asked = build(suite(table, [(expectation, arguments)]).expectations[0])
        [found] = Quiet(stock, batches=[Batch(data, batch_definition=names)]).graph_validate(
            configurations=[asked.configuration], runtime_configuration={"result_format": "BASIC"}
        )
        failed = 0 if found.success else found.result.get("unexpected_count", 1)
        raised = any(
            detail is True or (isinstance(detail, dict) and detail.get("raised_exception"))
            for detail in (found.exception_info or {}).values()
        )
        return bool(found.success), failed, raised

    logger = logging.getLogger("great_expectations")
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield validate
    held.close()
    engine.dispose()


def names(case: tuple[str, dict[str, Any]]) -> str:
    expectation, arguments = case
    return " ".join([expectation.removeprefix("expect_"), *map(str, arguments.values())])


@pytest.mark.parametrize("table", ["sale", "nothing"])
@pytest.mark.parametrize("place", range(len(CASES)), ids=[names(case) for case in CASES])
def test_a_verdict_and_its_count_are_those_of_the_library(library, ours, place, table):
    expectation, arguments = CASES[place]
    has_passed, failed_count, raised = library(table, expectation, arguments)
    found = ours[table][place]

    assert (found.has_passed, found.error is not None) == (has_passed, raised)
    if expectation != "expect_no_rows" and not raised:  # the library's basic format has no count
        assert found.failed_count == failed_count


def test_what_the_library_cannot_judge_was_compared_too(ours):
    assert [
        names(case) for case, found in zip(CASES, ours["sale"], strict=True) if found.error
    ] == [
        "column_values_to_be_between code 1",
        "column_values_to_be_between is_paid 1",
        "column_value_lengths_to_equal sale_key 4",
        "column_mean_to_be_between sold_at 1",
        "column_sum_to_be_between code 12",
        "column_sum_to_be_between open_for 12",
    ]


def test_every_expectation_there_is_was_compared():
    assert {expectation for expectation, _ in CASES} == set(EXPECTATIONS)


def test_counts_of_rows_are_those_worked_out_by_hand(ours):
    failed = {names(CASES[place]): found.failed_count for place, found in enumerate(ours["sale"])}

    assert failed["column_values_to_be_unique sale_key"] == 2
    assert failed["column_values_to_be_unique code"] == 4  # till, till, café, café
    assert failed["column_values_to_be_between amount 0 5"] == 2  # -1.00 and 9999999.99
    assert failed["compound_columns_to_be_unique ['is_paid', 'right_count']"] == 2  # true, 1
    assert failed[f"no_rows {FILTER}"] == 4  # 2.50, 3.00, 5.00, 9999999.99
    assert {found.row_count for found in ours["sale"]} == {7}


TYPES = {"code": "VARCHAR", "amount": "DECIMAL(9,2)", "sale_key": "BIGINT", "is_paid": "BOOLEAN"}
SHARED = {
    "a condition": FILTER,
    "a condition under a name": "select s.code from {batch} as s where s.amount > 2",
    "braces in an expression": "select 1 from {batch} where not regexp_matches(code, '^.{{4}}$')",
    "quotes and question marks": "select 1 from {batch} where code != 'wh''at?'",
    "a share of rows": RATIO,
    "figures of two kinds": (
        "select 1 from (select sum(amount) - min(amount) as spread, avg(sale_key) as mean "
        "from {batch}) where spread > 10 and mean is not null"
    ),
    "a figure in a condition": "select 1 from {batch} having count(*) > 3",
    "a figure of another table beside it": (
        "select 1 from (select (select count(*) from {batch}) - (select count(*) from shop.nothing)"
        " as more) where more > 0"
    ),
    "two figures of the table": (
        "select 1 from (select max(amount) as most from {batch}) cross join "
        "(select count(*) as row_count from {batch} where is_paid) where most > row_count"
    ),
    "figures of no row": "select 1 from (select sum(amount) as s from {batch} where sale_key > 99)"
    " where s is null",
}
ALONE = {
    "groups": "select code from {batch} group by code having count(*) > 1",
    "groups of all": "select code, count(*) as n from {batch} group by all",
    "different rows": "select distinct code from {batch} where amount > 0",
    "some rows": "select code from {batch} where amount > 0 limit 1",
    "rows of a subquery": "select 1 from {batch} where sale_key in (select 2)",
    "a window": "select 1 from {batch} qualify count(*) over (partition by code) > 1",
    "a join": "select 1 from {batch} as a inner join {batch} as b using (code)",
    "different values": "select 1 from (select count(distinct code) as n from {batch}) where n > 1",
    "a median": "select 1 from (select median(amount) as m from {batch}) where m > 1",
    "rows beside figures": "select 1 from (select max(amount) as m from {batch}), {batch} "
    "where amount = m",
    "a name that stands for a value": "select 3 as x from {batch} where x > 2",
    "all columns": "select * from {batch} where amount > 2",
    "a union": "select 1 from {batch} where amount > 2 union all select 2",
    "a sample": "select 1 from {batch} using sample 3 rows",
}


@pytest.mark.parametrize("query", SHARED.values(), ids=SHARED.keys())
def test_a_query_that_shares_the_scan_counts_the_rows_that_it_counts_alone(connection, query):
    assert take_apart(connection, query, TYPES, "asked") is not None
    rows = connection.execute(query.format(batch="shop.sale")).fetchall()

    [found] = judge(connection, [suite("sale", queries(query))])

    assert (found.failed_count, found.error) == (len(rows), None)
    assert rows  # a count of nothing would prove little


@pytest.mark.parametrize("query", ALONE.values(), ids=ALONE.keys())
def test_a_query_of_another_shape_runs_as_it_is_written(connection, query):
    assert take_apart(connection, query, TYPES, "asked") is None
    rows = connection.execute(query.format(batch="shop.sale")).fetchall()

    [found] = judge(connection, [suite("sale", queries(query))])

    assert (found.failed_count, found.error) == (len(rows), None)


def test_a_column_that_is_misspelled_is_not_taken_for_another(connection):
    [found] = judge(
        connection, [suite("sale", queries("select kode from {batch} where amount > 2"))]
    )

    assert (found.has_passed, found.error) == (False, "could not be judged: BinderException")


def test_all_that_shares_a_scan_is_one_statement(connection, monkeypatch):
    from dagster_project.core.quality import engine

    asked: list[str] = []
    row = engine.WarehouseEngine.row

    def noted(self: Any, statement: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        asked.append(statement)
        return row(self, statement, parameters)

    monkeypatch.setattr(engine.WarehouseEngine, "row", noted)
    judge(connection, [suite("sale", [c for c in CASES if "unique" not in c[0]][:15])])
    judge(connection, [suite("sale", queries(*SHARED.values()))])

    assert len(asked) == 2


def test_what_fails_beside_others_fails_alone(connection):
    broken = queries("select 1 from {batch} where cast(code as integer) > 0", FILTER)

    one, other, third = judge(
        connection,
        [suite("sale", [*broken, ("expect_column_values_to_not_be_null", {"column": "code"})])],
    )

    assert one.error == "could not be judged: ConversionException"
    assert (other.failed_count, other.error) == (4, None)
    assert (third.failed_count, third.error) == (1, None)


def test_the_sentence_of_a_check_names_its_bounds_and_its_share(ours):
    told = [found.statement for found in ours["sale"]]

    assert "amount is at least 0 and at most 5, for at least 60 % of the rows." in told
    assert "amount is above 2.5." in told
    assert "code is one of: till, café." in told
    assert "left_count is greater than or equal to right_count where one of them is known." in told
    assert "left_count is equal to right_count where both are known." in told
    assert "No two rows have the same sale_key, code." in told
    assert f"No row comes from: {FILTER}" in told
