"""Figures that must come out of a restored warehouse as they came out of the one backed up.

Belongs here: which questions are asked and counting their answers. Does not: what they mean; those
of the models are the singular tests of the newest build, as it compiled them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.core.home import Home

# Each answers with the rows that do not reconcile.
STANDING = {
    "files_in_equal_loaded_rejected_duplicate": (
        "from ops.file_ledger where status = 'loaded' "
        "and physical_count != loaded_count + rejected_count + duplicate_count"
    ),
    "loaded_files_have_a_batch": (
        "from ops.file_ledger where status = 'loaded' and loaded_count > 0 "
        "and batch_id not in (select batch_id from ops.batch)"
    ),
    "builds_hold_no_batch_that_is_not_there": (
        "from ops.build_state where built_batch_id > "
        "(select coalesce(max(batch_id), 0) from ops.batch)"
    ),
}


def compiled_tests(home: Home) -> dict[str, Path]:
    """The SQL of each singular test as the newest build that had it compiled it."""
    found = sorted(home.dbt_target.glob("builds/*/compiled/*/tests/*.sql"))
    return {path.stem: path for path in found}


def reconcile(connection: duckdb.DuckDBPyConnection, tests: Mapping[str, Path]) -> dict[str, int]:
    """Rows that do not reconcile, by question; a test of models that are not there is left out."""
    asked = dict(STANDING) | {
        name: f"from ({path.read_text('utf-8').strip().rstrip(';')})"
        for name, path in tests.items()
    }
    found = {}
    for name, question in asked.items():
        try:
            (found[name],) = connection.execute(f"select count(*) {question}").fetchone()
        except duckdb.CatalogException:
            continue
    return found
