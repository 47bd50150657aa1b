"""A published file that was brought up to date equals one that was written anew."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sales_warehouse import SALES_DAILY, build_sales_warehouse, manifest_for

from dagster_project.core.publishing import publish
from dagster_project.core.publishing.versions import KEPT_VERSIONS
from dagster_project.core.warehouse import Warehouse

LINES = "core.fct_sales_line"
CHANGES = (
    f"delete from {LINES} where hash(sales_line_key, {{seed}}) % 200 = 0",
    f"update {LINES} set net_amount = net_amount + 1 "
    "where hash(sales_line_key, {seed}) % 300 = 0",
    f"update {LINES} set business_date = business_date + 1 where hash(transaction_key, {{seed}}) "
    "% 150 = 0",
    f"insert into {LINES} by name select * replace (sales_line_key + 1000000 * ({{seed}} + 1) as "
    f"sales_line_key, '2017-03-01'::date + ({{seed}} % 5)::integer as business_date) from {LINES} "
    "where hash(sales_line_key, {seed}) % 100 = 0",
    "update core.dim_store set city = 'City {seed}' where store_key = 1 + {seed} % 3",
    f"update {LINES} set receipt_id = receipt_id || '-' where business_date = '2017-01-03'",
    # Two amounts change places: neither number of rows nor any sum is another.
    f"update {LINES} set net_amount = case sales_line_key when 101 then 7.5 else 3.5 end "
    "where sales_line_key in (101, 102)",
)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return build_sales_warehouse(tmp_path, days=12, receipts_per_day=40)


def publish_next(warehouse: Warehouse, manifest: dict[str, Any] | None = None) -> Path:
    with warehouse.connect() as connection:
        connection.execute(SALES_DAILY)
        connection.execute("update ops.build_state set built_batch_id = built_batch_id + 1")
    return publish(warehouse, "analyst", manifest or manifest_for(), run_id="r").path


def content(path: Path) -> dict[str, tuple[list[Any], Counter[Any]]]:
    """Columns and rows of every table and view but those that tell of the publication itself."""
    with duckdb.connect(path, read_only=True) as reader:
        names = reader.execute(
            "select schema_name || '.' || table_name from (select schema_name, table_name from "
            "duckdb_tables() union all select schema_name, view_name from duckdb_views() "
            "where not internal) where schema_name != 'ops'"
        ).fetchall()
        return {
            name: (
                reader.execute(f"describe {name}").fetchall(),
                Counter(reader.execute(f"from {name}").fetchall()),
            )
            for (name,) in names
        }


def written_anew(warehouse: Warehouse, aside: Path) -> Path:
    """The same marts published into a home of their own that has no version yet."""
    home = aside / "anew"
    shutil.copytree(warehouse.home.private, home / "private")
    copy = Warehouse(type(warehouse.home)(home), warehouse.key)
    return publish(copy, "analyst", manifest_for(), run_id="r").path


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_the_file_holds_what_a_new_one_would(
    warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    publish_next(warehouse)
    for number in range(3):
        with warehouse.connect() as connection:
            for statement in chance.sample(CHANGES, chance.randint(1, 4)):
                connection.execute(statement.format(seed=10 * seed + number))
        path = publish_next(warehouse)
    wanted = content(written_anew(warehouse, tmp_path_factory.mktemp("aside")))
    assert content(path) == wanted
    assert len(wanted) > 10


def test_what_did_not_change_is_not_written(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.core.publishing import copying

    written: list[str] = []
    write_anew = copying._write_anew

    def told(connection: Any, table: Any, target: str) -> int:
        written.append(table.full_name)
        return write_anew(connection, table, target)

    monkeypatch.setattr(copying, "_write_anew", told)
    publish_next(warehouse)
    assert set(written) == set(manifest_tables())
    written.clear()
    with warehouse.connect() as connection:
        connection.execute(CHANGES[4].format(seed=1))
        connection.execute(CHANGES[5])
    publish_next(warehouse)
    assert written == ["core.dim_store"]  # of the lines only one day


def manifest_tables() -> list[str]:
    return [f"{n['schema']}.{n['name']}" for n in manifest_for()["nodes"].values()]


def test_a_table_and_a_column_that_are_gone_are_gone(warehouse: Warehouse) -> None:
    publish_next(warehouse)
    manifest = manifest_for()
    with warehouse.connect() as connection:
        connection.execute("alter table core.fct_tender drop column card_issuer")
        connection.execute("drop table customer.customer_360")
    del manifest["nodes"]["model.tillhouse.fct_tender"]["columns"]["card_issuer"]
    del manifest["nodes"]["model.tillhouse.customer_360"]
    found = content(publish_next(warehouse, manifest))
    assert "customer.customer_360" not in found
    assert [row[0] for row in found["core.fct_tender"][0]] == [
        "tender_key",
        "transaction_key",
        "amount",
    ]


def test_bytes_of_deleted_rows_end_with_the_versions_that_held_them(warehouse: Warehouse) -> None:
    secret = "Gone-and-forgotten-bakery"
    with warehouse.connect() as connection:
        connection.execute(f"update core.dim_store set name = '{secret}' where store_key = 1")
    path = publish_next(warehouse)
    assert secret.encode() in path.read_bytes()
    with warehouse.connect() as connection:
        connection.execute("update core.dim_store set name = 'Main Street' where store_key = 1")
    for _ in range(KEPT_VERSIONS + 1):
        path = publish_next(warehouse)
    assert secret.encode() not in path.read_bytes()


def test_after_an_erasure_the_file_is_written_anew(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.core.publishing import publication

    publish_next(warehouse)
    monkeypatch.setattr(publication.shutil, "copyfile", _must_not)
    warehouse.home.erasures.write_text("{}\n")
    publish_next(warehouse)
    with pytest.raises(AssertionError, match="begun from"):
        publish_next(warehouse)


def _must_not(source: Path, _: Path) -> None:
    raise AssertionError(f"begun from {source}")
