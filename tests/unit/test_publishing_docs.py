"""What the guide for readers tells them to type works."""

import re
from pathlib import Path

import duckdb
import pytest
from sales_warehouse import build_sales_warehouse, manifest_for

from dagster_project.core.home import PROJECT
from dagster_project.core.publishing import publish

GUIDE = (PROJECT / "docs" / "reading.md").read_text("utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = build_sales_warehouse(tmp_path_factory.mktemp("home"), days=4)
    return publish(warehouse, "analyst", manifest_for(), run_id="r").path


@pytest.mark.parametrize("block", re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL))
def test_every_sql_block_of_the_guide_runs(
    published: Path, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect(published, read_only=True) as connection:
        connection.execute(block)


def test_every_schema_of_the_file_is_in_the_guide(published: Path) -> None:
    with duckdb.connect(published, read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
    assert [
        s for (s,) in schemas if not re.search(rf"^\|.*`{s}`.*\|.*\|$", GUIDE, re.MULTILINE)
    ] == []


def test_a_locked_reader_reaches_no_other_file(published: Path, tmp_path: Path) -> None:
    (lock_down,) = re.findall(r"```sql\n(\s*set .*?)```", GUIDE, re.DOTALL)
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with duckdb.connect(published, read_only=True) as connection:
        connection.execute(lock_down)
        for escape in (
            f"from read_csv('{other}')",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{tmp_path / 'new.duckdb'}'",
            "set enable_external_access = true",
            "install spatial",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(escape)
        assert connection.execute("select count(*) from core.fct_sales_line").fetchone() == (356,)
