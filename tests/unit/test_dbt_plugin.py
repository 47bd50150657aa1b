"""The engine that dbt works in, opened as dbt opens it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment

from dagster_project.core.home import DBT_PROJECT, Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse

ROWS = 10_000_000


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalEnvironment:
    home = Home(tmp_path)
    warehouse = Warehouse(home, load_master_key(home, {}))
    warehouse.create()
    for name, value in warehouse.dbt_environment().items():
        monkeypatch.setenv(name, value)
    profile = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text("utf-8"))
    private = profile["tillhouse"]["outputs"]["private"]
    return LocalEnvironment(DuckDBCredentials.from_dict(private))


def test_statements_go_on_while_rows_are_spilled_encrypted(environment):
    first = environment.handle().cursor()
    first.execute("set memory_limit = '64MB'")
    first.execute(f"create temp table spilled as select hash(i) as h from range({ROWS}) t(i)")
    assert first.execute("select count(*) from duckdb_temporary_files()").fetchone()[0] > 0

    second = environment.handle().cursor()

    settings = "select current_setting('temp_file_encryption'), current_setting('TimeZone')"
    assert second.execute(settings).fetchone() == (True, "UTC")
