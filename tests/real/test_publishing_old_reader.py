"""The published file in the oldest reader it promises to open in.

Needs that reader beside the project: ``pip install --target DIR duckdb==1.0.0 pytz`` and
``TILLHOUSE_OLD_DUCKDB=DIR``.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.core.home import PROJECT
from dagster_project.core.publishing import publish

OLD = os.environ.get("TILLHOUSE_OLD_DUCKDB")
READ = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
connection = duckdb.connect(sys.argv[2], read_only=True)
lines, by_day = connection.execute(
    "select (select sum(net_amount_reporting) from core.fct_sales_line), "
    "(select sum(net_sales_amount_reporting) from metrics.sales_by_day)"
).fetchone()
comments = connection.execute(
    "select count(*) from duckdb_columns() where comment is not null"
).fetchone()[0]
views = [name for (name,) in connection.execute(
    "select schema_name || '.' || view_name from duckdb_views() where not internal"
).fetchall()]
for view in views:
    connection.execute(f"select * from {view}").fetchall()
version = connection.execute("select version from ops.publication").fetchone()[0]
print(json.dumps([duckdb.__version__, str(lines), str(by_day), comments, len(views), version]))
"""


@pytest.mark.skipif(OLD is None, reason="TILLHOUSE_OLD_DUCKDB names no folder with an old duckdb")
def test_duckdb_1_0_reads_tables_views_and_comments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PROJECT / "tests" / "unit"))
    from sales_warehouse import build_sales_warehouse, manifest_for

    warehouse = build_sales_warehouse(tmp_path, days=30, receipts_per_day=30)
    path = publish(warehouse, "analyst", manifest_for(), run_id="r").path
    read = subprocess.run(
        [sys.executable, "-c", READ, str(OLD), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    reader, lines, by_day, comments, views, version = json.loads(read.stdout)
    assert reader.startswith("1.0.")
    assert lines == by_day
    assert (comments > 50, views, version) == (True, 6, 1)
