"""What a dbt build says about the quality of the models, written where publication looks.

Belongs here: verdicts of data tests, and whether a build went through. Does not: running dbt
(``modelling``) or suites (``quality``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import duckdb

from dagster_project.core.modelling import BuildOutcome, NodeResult

# Schema, table and name of the check that a build went through to its end.
WHOLE_BUILD = ("ops", "build_state", "models_are_complete")
# Verdicts on what a build left as it was, each with the time at which it was reached.
STILL_STANDING = """
insert into ops.check_result
select ? as run_id, earlier.* exclude (run_id)
from (
    from ops.check_result
    where kind = 'dbt_test' and run_id != ?
    qualify
        run_id = last_value(run_id) over (
            partition by schema_name, table_name
            order by checked_at, run_id
            rows between unbounded preceding and unbounded following
        )
) as earlier
where not exists (
    from ops.check_result as newer
    where
        newer.run_id = ?
        and newer.kind = 'dbt_test'
        and newer.schema_name = earlier.schema_name
        and newer.table_name = earlier.table_name
        and newer.check_name = earlier.check_name
)
"""
HEAD_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)
WHY_WHOLE = "a build that did not end leaves marts that do not fit each other"


def judged_node(test: Mapping[str, Any]) -> str | None:
    """The unique id of the model or source that one of the manifest's data tests judges.

    A generic test says it. A singular one judges the model its SQL names first.
    """
    if attached := test.get("attached_node"):
        return str(attached)
    parents = test["depends_on"]["nodes"]
    return str(parents[0]) if parents else None


def reason_of(test: Mapping[str, Any]) -> str | None:
    """Why a data test is there: its description, or the comment that its own SQL begins with."""
    described = test.get("description") or ""
    if not described and (comment := HEAD_COMMENT.match(test.get("raw_code") or "")):
        described = comment[1]
    return " ".join(described.split()) or None


def record_judgements(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    outcome: BuildOutcome | None,
    manifest: Mapping[str, Any],
) -> None:
    """Write every data test's verdict to ``ops.check_result``, and whether the build is whole.

    Without an outcome the build is said to be unfinished: a run that is killed while it builds
    leaves marts that do not fit each other, and those must not be published.
    """
    whole = outcome is not None and outcome.is_complete
    rows = [(*WHOLE_BUILD, "error", True, whole, int(not whole), WHY_WHOLE)]
    for node in outcome.nodes if outcome else ():
        test = manifest["nodes"].get(node.unique_id, {})
        if test.get("resource_type") == "test" and node.status != "skipped":
            rows.append(_judgement(node, test, manifest))
    connection.execute("begin")
    connection.execute(
        "delete from ops.check_result where run_id = ? and kind = 'dbt_test'", [run_id]
    )
    connection.executemany(
        "insert into ops.check_result (run_id, checked_at, schema_name, table_name, check_name, "
        "kind, severity, is_blocking, has_passed, failed_count, why) "
        "values (?, now(), ?, ?, ?, 'dbt_test', ?, ?, ?, ?, ?)",
        [(run_id, *row) for row in rows],
    )
    if outcome is not None and outcome.changed_sources is not None:
        connection.execute(STILL_STANDING, [run_id] * 3)
    connection.execute("commit")


def _judgement(
    node: NodeResult, test: Mapping[str, Any], manifest: Mapping[str, Any]
) -> tuple[Any, ...]:
    parent = judged_node(test) or ""
    table = manifest["nodes"].get(parent) or manifest["sources"].get(parent) or test
    severity = "error" if str(test["config"]["severity"]).lower() == "error" else "warning"
    failed = node.failures if node.failures is not None else int(not node.is_good)
    return (
        table["schema"],
        table["name"],
        test["name"],
        severity,
        severity == "error",
        node.status == "pass",
        failed,
        reason_of(test),
    )


def standing_judgements(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], int]:
    """Failed rows of every data test when it was last run, by schema, table and test name.

    A table's tests are those of the last run that judged it; a test that passed has 0.
    """
    rows = connection.execute(
        """
        select schema_name, table_name, check_name, failed_count
        from ops.check_result
        where kind = 'dbt_test'
        qualify
            run_id = last_value(run_id) over (
                partition by schema_name, table_name
                order by checked_at, run_id
                rows between unbounded preceding and unbounded following
            )
        """
    ).fetchall()
    return {(schema, table, name): int(count) for schema, table, name, count in rows}


def is_whole(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the verdict on the last build was written too; a kill may fall between the two."""
    return standing_judgements(connection).get(WHOLE_BUILD, 0) == 0
