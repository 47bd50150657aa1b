"""A publication is complete or it is not there."""

import json
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from publications import change, new_batch, publish_again, read
from sales_warehouse import build_sales_warehouse, manifest_for

from dagster_project.core.publishing import (
    PublicationError,
    latest_publication,
    publish,
    published_path,
    rollback,
    unlike_the_audited,
    versions,
)
from dagster_project.core.publishing.versions import kept_versions, version_path
from dagster_project.core.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return build_sales_warehouse(tmp_path, days=4, receipts_per_day=30)


def leftovers(warehouse: Warehouse) -> list[str]:
    """Files in the published directory beside the published file and its versions."""
    found = (p for p in warehouse.home.published.rglob("*") if p.is_file())
    return [str(p) for p in found if ".versions" not in p.parts and p.name != "analyst.duckdb"]


def test_the_first_publication_holds_every_row_and_says_so(warehouse: Warehouse) -> None:
    outcome = publish_again(warehouse)
    assert (outcome.version, outcome.is_new, outcome.reason) == (1, True, "first publication")
    assert outcome.path == published_path(warehouse.home, "analyst")
    # 120 receipts of three lines, every 50th a return of one line: 120 * 3 - 2 * 2.
    assert read(warehouse, "select count(*) from core.fct_sales_line") == [(356,)]
    rows = read(warehouse, "select sum(row_count), max(version) from ops.published_table")
    assert rows == [(outcome.rows, 1)]
    assert leftovers(warehouse) == []


def test_card_columns_and_private_schemas_stay_behind(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    columns = read(
        warehouse,
        "select column_name from information_schema.columns where table_name = 'fct_tender'",
    )
    assert [name for (name,) in columns] == [
        "tender_key",
        "transaction_key",
        "amount",
        "card_issuer",
    ]
    schemas = read(warehouse, "select distinct schema_name from duckdb_tables() order by all")
    assert schemas == [("core",), ("customer",), ("metrics",), ("ops",), ("sales",)]


def test_the_file_is_readable_by_its_group_and_nobody_else(warehouse: Warehouse) -> None:
    path = publish_again(warehouse).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_file_has_the_storage_version_that_duckdb_1_0_reads(warehouse: Warehouse) -> None:
    header = publish_again(warehouse).path.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    # 64 is what DuckDB 0.10 to 1.1 write; 1.2 and later raise it for their own formats.
    assert int.from_bytes(header[12:20], "little") == 64


def test_descriptions_travel_as_comments_and_as_a_dictionary(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    comments = read(
        warehouse,
        "select comment from duckdb_columns() where table_name = 'dim_store' "
        "and column_name = 'city'",
    )
    assert comments == [("What city says.",)]
    entries = read(
        warehouse,
        "select class, description from ops.data_dictionary "
        "where table_name in ('dim_store', 'sales_by_day') and column_name in ('city', 'receipts') "
        "order by class",
    )
    assert entries == [
        ("internal", "Sale and return receipts and orders that count."),
        ("public", "What city says."),
    ]


def test_nothing_new_leaves_the_file_as_it_was(warehouse: Warehouse) -> None:
    first = publish_again(warehouse)
    before = first.path.stat()
    second = publish_again(warehouse, "run-2")
    after = first.path.stat()
    assert (second.version, second.is_new) == (1, False)
    assert second.reason == "nothing new since version 1"
    assert second.rows == first.rows
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("update ops.build_state set built_batch_id = 2", "new data"),
        ("update ops.build_state set fingerprint = 'code-2'", "changed models"),
        ("insert into ops.build_state values ('forecast', 1, 'f', now())", "new forecasts"),
        ("delete from core.fct_tender where tender_key = 10", "other row counts"),
    ],
)
def test_what_changed_is_published_and_named(
    warehouse: Warehouse, statement: str, reason: str
) -> None:
    publish_again(warehouse)
    change(warehouse, statement)
    outcome = publish_again(warehouse, "run-2")
    assert (outcome.version, outcome.is_new, outcome.reason) == (2, True, reason)


def test_a_changed_description_is_published(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    manifest = manifest_for()
    manifest["nodes"]["model.tillhouse.dim_store"]["description"] = "One row per shop."
    outcome = publish(warehouse, "analyst", manifest, run_id="run-2")
    assert outcome.reason == "changed descriptions, classes or metrics"


def test_metrics_in_the_file_are_those_of_the_private_marts(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    with warehouse.connect(read_only=True) as connection:
        (wanted,) = connection.execute(
            "select sum(net_amount_reporting) from core.fct_sales_line"
        ).fetchone()
    by_day = read(warehouse, "select sum(net_sales_amount_reporting) from metrics.sales_by_day")
    assert by_day == [(wanted,)]
    receipts = read(warehouse, "select sum(receipts), sum(baskets) from metrics.sales_by_store")
    assert receipts == [(120, 118)]  # the void does not count; two returns are no baskets
    assert isinstance(wanted, Decimal)


def test_a_published_file_is_compared_with_what_was_audited(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(publish_again(warehouse).path.read_bytes())
    assert unlike_the_audited(copy) == []

    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from core.fct_sales_line where rowid = 0")
        connection.execute("drop table core.dim_store")

    assert unlike_the_audited(copy) == ["core.dim_store", "core.fct_sales_line"]


def test_a_failed_blocking_check_keeps_the_published_file(warehouse: Warehouse) -> None:
    published = publish_again(warehouse).path
    before = published.read_bytes()
    new_batch(warehouse)
    checks = (
        "insert into ops.check_result (run_id, checked_at, schema_name, table_name, check_name, "
        "kind, severity, is_blocking, has_passed, failed_count, why) values "
    )
    change(
        warehouse,
        f"{checks} ('r2', now(), 'core', 'fct_tender', 'amounts add up', 'expectation', 'error', "
        "true, false, 3, 'why')",
    )
    with pytest.raises(PublicationError, match=r"core.fct_tender: amounts add up"):
        publish_again(warehouse, "run-2")
    assert published.read_bytes() == before
    change(
        warehouse,
        f"{checks} ('r3', now() + interval 1 minute, 'core', 'fct_tender', 'amounts add up', "
        "'expectation', 'error', true, true, 0, 'why'), ('r3', now() + interval 1 minute, 'core', "
        "'fct_tender', 'usual volume', 'expectation', 'warning', false, false, 1, 'why')",
    )
    assert publish_again(warehouse, "run-3").version == 2
    last = latest_publication(warehouse.home, "analyst")
    assert last is not None
    assert (last.passed_check_count, last.failed_check_count, last.warned_check_count) == (1, 0, 1)


def test_an_audit_finding_keeps_the_published_file(warehouse: Warehouse) -> None:
    published = publish_again(warehouse).path
    before = published.read_bytes()
    new_batch(warehouse, "update core.dim_product set brand = '4111111111111111'")
    with pytest.raises(PublicationError, match=r"1 card numbers in core.dim_product.brand"):
        publish_again(warehouse, "run-2")
    assert published.read_bytes() == before
    assert leftovers(warehouse) == []


def test_half_built_marts_are_not_published(warehouse: Warehouse) -> None:
    change(warehouse, "delete from ops.build_state")
    with pytest.raises(PublicationError, match="models have not been built completely"):
        publish_again(warehouse)
    assert not published_path(warehouse.home, "analyst").exists()


def test_rejects_and_feeds_are_counted_without_names_or_values(warehouse: Warehouse) -> None:
    change(
        warehouse,
        "insert into ops.file_ledger values ('a', 'a', 'tills', 'wang-fang.csv', 9, now(), null, "
        "'pos_standard', 1, 10, 7, 2, 1, 'loaded', null, 1, null, null), ('b', 'b', 'tills', 'x', "
        "9, now(), null, null, null, 0, 0, 0, 0, 'quarantined', 'no header', null, null, null)",
        "insert into ops.rejects values (1, 'tills', 'a', 3, 3, 3, 0, 'line', 'quantity', "
        "'not_a_number', 'm', 'raw', 1, null, 'record'), "
        "(2, 'tills', 'a', 3, 3, 3, 0, 'line', 'price', "
        "'not_a_number', 'm', 'raw', 1, null, 'record'), "
        "(3, 'tills', 'a', 4, 4, 4, 0, 'line', 'price', "
        "'not_a_number', 'm', 'raw', 1, 2, 'record'), (4, 'tills', 'a', 5, 5, 5, 0, 'line', "
        "'sent_at', 'bad_timestamp', 'm', 'raw', 1, null, 'value')",
    )
    publish_again(warehouse)
    summary = read(
        warehouse,
        "select file_count, loaded_file_count, quarantined_file_count, physical_count, "
        "loaded_count, rejected_count, duplicate_count from ops.feed_summary",
    )
    assert summary == [(2, 1, 1, 10, 7, 2, 1)]
    # Two faults of one record are one rejected record; the replayed one is mended.
    assert read(warehouse, "from ops.reject_summary") == [("tills", "line", "not_a_number", 1)]
    assert b"wang-fang" not in published_path(warehouse.home, "analyst").read_bytes()


def test_rollback_puts_the_version_before_in_its_place(warehouse: Warehouse) -> None:
    publish_again(warehouse)
    new_batch(warehouse, "delete from core.fct_sales_line where business_date = '2017-01-04'")
    publish_again(warehouse, "run-2")
    assert rollback(warehouse.home, "analyst").version == 1
    assert read(warehouse, "select count(*) from core.fct_sales_line") == [(356,)]
    with pytest.raises(PublicationError, match="version 1 of analyst is the oldest"):
        rollback(warehouse.home, "analyst")


def test_what_was_rolled_back_is_not_published_again_until_something_is_new(
    warehouse: Warehouse,
) -> None:
    publish_again(warehouse)
    new_batch(warehouse)
    publish_again(warehouse, "run-2")
    rollback(warehouse.home, "analyst")
    kept = publish_again(warehouse, "run-3")
    assert (kept.version, kept.is_new) == (1, False)
    assert kept.reason == "nothing new since version 2, which was rolled back to version 1"
    new_batch(warehouse)
    assert publish_again(warehouse, "run-4").version == 3


def test_only_the_last_versions_are_kept(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert versions.KEPT_VERSIONS == 14
    monkeypatch.setattr(versions, "KEPT_VERSIONS", 3)
    for number in range(5):
        publish_again(warehouse, f"run-{number}")
        new_batch(warehouse)
    assert kept_versions(warehouse.home, "analyst") == [3, 4, 5]
    newest = version_path(warehouse.home, "analyst", 5)
    assert newest.samefile(published_path(warehouse.home, "analyst"))


def test_without_a_publication_there_is_nothing_to_roll_back(warehouse: Warehouse) -> None:
    assert latest_publication(warehouse.home, "analyst") is None
    with pytest.raises(PublicationError, match="nothing has been published for analyst yet"):
        rollback(warehouse.home, "analyst")


def test_what_a_killed_publication_left_is_removed_and_its_version_kept(
    warehouse: Warehouse,
) -> None:
    publish_again(warehouse)
    # Killed right after the rename: no kept version yet; killed while writing: a half file.
    version_path(warehouse.home, "analyst", 1).unlink()
    building = warehouse.home.published / ".building" / "analyst.duckdb"
    building.write_bytes(b"half")
    building.with_suffix(".duckdb.wal").write_bytes(b"half")
    new_batch(warehouse)
    assert publish_again(warehouse, "run-2").version == 2
    assert kept_versions(warehouse.home, "analyst") == [1, 2]
    assert leftovers(warehouse) == []


def test_a_file_that_is_no_publication_is_not_overwritten(warehouse: Warehouse) -> None:
    path = published_path(warehouse.home, "analyst")
    path.write_text("my notes")
    with pytest.raises(PublicationError, match="cannot be read"):
        publish_again(warehouse)
    assert path.read_text() == "my notes"


PUBLISH_IN_A_CHILD = """
import json, sys
from pathlib import Path
from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.publishing import PublicationError, publish
from dagster_project.core.warehouse import Warehouse

home = Home(Path(sys.argv[1]))
warehouse = Warehouse(home, load_master_key(home, {}))
try:
    publish(warehouse, "analyst", Path(sys.argv[2]), run_id="child")
except PublicationError as error:
    sys.exit(str(error))
"""


def publish_in_a_child(
    warehouse: Warehouse, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    manifest = warehouse.home.root / "manifest.json"
    manifest.write_text(json.dumps(manifest_for()))
    command = [sys.executable, "-c", PUBLISH_IN_A_CHILD, str(warehouse.home.root), str(manifest)]
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=before, check=False)


def test_a_full_disk_ends_in_one_line_and_keeps_the_published_file(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=200, receipts_per_day=100)
    published = publish_again(warehouse).path
    before = published.read_bytes()
    new_batch(warehouse)
    limit = len(before) // 2
    full = publish_in_a_child(
        warehouse, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert full.returncode == 1
    assert "disk is full" in full.stderr
    assert len(full.stderr.strip().splitlines()) == 1
    assert published.read_bytes() == before
    assert leftovers(warehouse) == []
    assert publish_in_a_child(warehouse).returncode == 0
    assert published.read_bytes() != before
