"""What the pages show of every check: how it stands, since when, and how it went before.

Belongs here: reading ``ops.check_result`` and ``ops.anomaly``. Does not: any markup. All that is
read are declarations, counts, times and names of tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import duckdb

TREND_LENGTH = 30  # judgements in a trend line: a month of nightly refreshes
STOPPING = ("error", "critical", "fatal")  # severities of a failure; any other one warns

# A verdict that a later run takes over unchanged keeps its time: it is one judgement, not two.
# A dbt build writes its tests and reconciliations together, so they are of one family.
_FAMILY = "case kind when 'reconciliation' then 'dbt_test' else kind end"
_TIME = "strftime({} at time zone 'UTC', '%Y-%m-%d %H:%M')"
CHECKS = f"""
with families as (
    select *, {_FAMILY} as family from ops.check_result
),

standing as (
    select *
    from families
    qualify
        run_id = last_value(run_id) over (
            partition by schema_name, table_name, family
            order by checked_at, run_id
            rows between unbounded preceding and unbounded following
        )
        and row_number() over (
            partition by schema_name, table_name, family, run_id, check_name
            order by checked_at desc
        ) = 1
),

judged as (
    select
        schema_name,
        table_name,
        family,
        check_name,
        checked_at,
        max(failed_count) as failed_count,
        bool_and(has_passed) as has_passed
    from families
    group by all
),

numbered as (
    select
        *,
        row_number() over (every_check order by checked_at desc) as age,
        max(case when has_passed then checked_at end) over every_check as last_passed_at
    from judged
    window every_check as (partition by schema_name, table_name, family, check_name)
),

histories as (
    select
        schema_name,
        table_name,
        family,
        check_name,
        min(checked_at) filter (checked_at > coalesce(last_passed_at, '-infinity'))
            as failing_since,
        -- A check that fails as a whole has no failed rows to count.
        list(
            case when has_passed then 0 else greatest(failed_count, 1) end order by checked_at
        ) filter (age <= $length) as trend
    from numbered
    group by all
)

select
    standing.schema_name,
    standing.table_name,
    standing.check_name,
    standing.kind,
    standing.severity,
    standing.is_blocking,
    standing.has_passed,
    standing.failed_count,
    standing.row_count,
    standing.statement,
    standing.why,
    standing.error,
    {_TIME.format("standing.checked_at")},
    {_TIME.format("histories.failing_since")},
    histories.trend
from standing
inner join histories using (schema_name, table_name, family, check_name)
order by standing.schema_name, standing.table_name, standing.kind, standing.check_name
"""
# Of every table and run, how many checks of a family did not pass.
JUDGEMENTS = f"""
select schema_name, table_name, run_id, {_FAMILY} as family, count(*) filter (not has_passed)
from ops.check_result
group by all
order by schema_name, table_name, max(checked_at), run_id, family
"""
ANOMALIES = """
select table_name, business_date::varchar, last_business_date::varchar, severity, sentence
from ops.anomaly
where resolved_at is null
order by table_name, severity desc, business_date desc, sentence
"""
HAS_ANOMALIES = """
select count(*) > 0
from duckdb_tables()
where database_name = current_database() and schema_name = 'ops' and table_name = 'anomaly'
"""


@dataclass(frozen=True)
class Check:
    """One check as it stands, with the failed rows of its last judgements, oldest first."""

    schema_name: str
    table_name: str
    check_name: str
    kind: str
    severity: str
    is_blocking: bool
    has_passed: bool
    failed_count: int
    row_count: int | None  # of the table; not known for tests of the models
    statement: str | None
    why: str | None
    error: str | None
    judged_at: str  # UTC, to the minute
    failing_since: str | None  # first failure in a row
    trend: tuple[int, ...]

    @property
    def status(self) -> str:
        """passed, warned, failed or blocked, as publication counts them."""
        if self.has_passed:
            return "passed"
        if self.is_blocking:
            return "blocked"
        return "failed" if self.severity in STOPPING else "warned"


@dataclass(frozen=True)
class Anomaly:
    """One open alarm about a table's days."""

    first_day: str
    last_day: str
    severity: str
    sentence: str


@dataclass(frozen=True)
class JudgedTable:
    """A table with all that is known of its quality."""

    schema_name: str
    table_name: str
    checks: tuple[Check, ...]
    trend: tuple[int, ...]  # checks that did not pass, judgement by judgement
    anomalies: tuple[Anomaly, ...]

    @property
    def name(self) -> str:
        """With its schema, as it is written in SQL."""
        return f"{self.schema_name}.{self.table_name}"

    @property
    def row_count(self) -> int | None:
        """Rows when the table was last judged; None where no check has counted them."""
        return max((c.row_count for c in self.checks if c.row_count is not None), default=None)

    @property
    def judged_at(self) -> str:
        """UTC, to the minute; empty where only anomalies are known."""
        return max((check.judged_at for check in self.checks), default="")

    def count(self, *statuses: str) -> int:
        """Checks that stand so."""
        return sum(check.status in statuses for check in self.checks)


def read_tables(connection: duckdb.DuckDBPyConnection) -> list[JudgedTable]:
    """Every table with a check or an open anomaly, by schema and name."""
    checks: dict[tuple[str, str], list[Check]] = {}
    for *values, trend in connection.execute(CHECKS, {"length": TREND_LENGTH}).fetchall():
        check = Check(*values, trend=tuple(trend))
        checks.setdefault((check.schema_name, check.table_name), []).append(check)
    trends = _trends(connection.execute(JUDGEMENTS).fetchall())
    anomalies = _open_anomalies(connection)
    return [
        JudgedTable(
            *key, tuple(checks.get(key, ())), trends.get(key, ()), tuple(anomalies.get(key, ()))
        )
        for key in sorted(checks.keys() | anomalies.keys())
    ]


def _trends(
    judgements: Iterable[tuple[str, str, str, str, int]],
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Failed checks per table after each run; a family that a run left alone stands as it was."""
    found = {}
    for key, rows in groupby(judgements, key=lambda row: (row[0], row[1])):
        standing: dict[str, int] = {}
        points: dict[str, int] = {}
        for _, _, run_id, family, failed in rows:
            standing[family] = failed
            points[run_id] = sum(standing.values())
        found[key] = tuple(points.values())[-TREND_LENGTH:]
    return found


def _open_anomalies(
    connection: duckdb.DuckDBPyConnection,
) -> dict[tuple[str, str], list[Anomaly]]:
    """By schema and table; empty where nobody has looked for any yet."""
    found: dict[tuple[str, str], list[Anomaly]] = {}
    (is_kept,) = connection.execute(HAS_ANOMALIES).fetchone()
    for name, *values in connection.execute(ANOMALIES).fetchall() if is_kept else ():
        schema, _, table = name.partition(".")
        found.setdefault((schema, table), []).append(Anomaly(*values))
    return found
