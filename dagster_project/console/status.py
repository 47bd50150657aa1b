"""The state of a deployment, read from its warehouse and its published file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.console.deployment import check_declarations, open_warehouse
from dagster_project.core.home import Home
from dagster_project.core.publishing import latest_publication

AUDIENCE = "analyst"

FEEDS = """
select
    feed,
    count(*) as files,
    coalesce(sum(physical_count), 0) as physical,
    coalesce(sum(loaded_count), 0) as loaded,
    coalesce(sum(rejected_count), 0) as rejected,
    coalesce(sum(duplicate_count), 0) as duplicate,
    count(*) filter (where status = 'quarantined') as held_back,
    max(arrived_at) as last_arrival
from ops.file_ledger
group by feed
order by feed
"""
# The last run of every table's checks of one kind, as publication counts them.
FAILED_CHECKS = """
select schema_name || '.' || table_name, check_name, is_blocking, failed_count
from ops.check_result
qualify
    run_id = last_value(run_id) over (
        partition by schema_name, table_name, kind
        order by checked_at, run_id
        rows between unbounded preceding and unbounded following
    )
    and not has_passed
order by all
"""

# A warehouse of an earlier version gets the table with its next refresh.
HAS_TABLE = """
select 1 from duckdb_tables()
where
    database_name = current_database() and schema_name = 'ops' and table_name = ?
"""


@dataclass(frozen=True)
class FeedState:
    """Everything a feed ever brought."""

    feed: str
    files: int
    physical: int
    loaded: int
    rejected: int
    duplicate: int
    held_back: int
    last_arrival: str  # ISO 8601, UTC


@dataclass(frozen=True)
class FailedCheck:
    """A check that failed when its table was last judged."""

    table: str
    check: str
    is_blocking: bool
    failed_count: int


@dataclass(frozen=True)
class OpenFinding:
    """What is to be asked of a feed's sender, and who is to be phoned."""

    feed: str
    kind: str
    subject: str  # the till, file or column it is about; may be empty
    message: str


@dataclass(frozen=True)
class Status:
    """What ``tillhouse status`` says."""

    home: str
    feeds: tuple[FeedState, ...]
    publication: dict[str, Any] | None  # version, published_at, age_seconds, rows, path
    failed_checks: tuple[FailedCheck, ...]
    findings: tuple[OpenFinding, ...] = ()
    alerts: tuple[str, ...] = ()  # stores with poor days: what, which feed, who to phone

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def read_status(home: Home) -> Status:
    """Raises WarehouseError or KeyUnavailableError when the warehouse cannot be read now."""
    feeds: tuple[FeedState, ...] = ()
    failed: tuple[FailedCheck, ...] = ()
    findings: tuple[OpenFinding, ...] = ()
    alerts: tuple[str, ...] = ()
    if home.warehouse.exists():
        with open_warehouse(home).connect(read_only=True) as connection:
            feeds = _feeds(connection)
            failed = tuple(
                FailedCheck(*row) for row in connection.execute(FAILED_CHECKS).fetchall()
            )
            findings = _findings(connection)
            alerts = _alerts(connection)
    return Status(str(home.root), feeds, _publication(home), failed, findings, alerts)


def _alerts(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Stores with poor days in the last graded week."""
    from dagster_project.core.grading import store_alerts

    if not connection.execute(HAS_TABLE, ["store_day"]).fetchone():
        return ()
    _, feeds = check_declarations()
    return tuple(alert.line for alert in store_alerts(connection, feeds))


def _findings(connection: duckdb.DuckDBPyConnection) -> tuple[OpenFinding, ...]:
    """What the last loads found, and silence as it is now."""
    from dagster_project.core.feeds.findings import open_findings

    if not connection.execute(HAS_TABLE, ["feed_finding"]).fetchone():
        return ()
    _, feeds = check_declarations()
    found = open_findings(connection, feeds, datetime.now(UTC))
    return tuple(OpenFinding(one.feed, one.kind, one.subject, one.message) for one in found)


def _feeds(connection: duckdb.DuckDBPyConnection) -> tuple[FeedState, ...]:
    return tuple(
        FeedState(feed, *(int(c) for c in counts), last.astimezone(UTC).isoformat())
        for feed, *counts, last in connection.execute(FEEDS).fetchall()
    )


def _publication(home: Home) -> dict[str, Any] | None:
    found = latest_publication(home, AUDIENCE)
    if found is None:
        return None
    published = found.published_at.astimezone(UTC)
    return {
        "version": found.version,
        "published_at": published.isoformat(),
        "age_seconds": round((datetime.now(UTC) - published).total_seconds()),
        "data_up_to": found.data_up_to.isoformat() if found.data_up_to else None,
        "rows": found.row_count,
        "path": str(found.path),
    }


def show_status(console: Console, status: Status) -> None:
    """The same for a person."""
    console.print(f"[bold]Home[/bold]         {status.home}", soft_wrap=True)
    if not status.feeds:
        console.print("[bold]Feeds[/bold]        nothing has been loaded yet")
    else:
        console.print(_feed_table(status))
    if status.publication is None:
        console.print("[bold]Published[/bold]    nothing yet")
    else:
        told = status.publication
        console.print(
            f"[bold]Published[/bold]    version {told['version']}, {told['rows']:,} rows, "
            f"{told['age_seconds'] / 3600:.1f} h old, data up to {told['data_up_to']}"
        )
    for finding in status.findings:
        kind = finding.kind.replace("_", " ")
        is_told = not finding.subject or f" {finding.subject} " in f" {finding.message}"
        about = "" if is_told else f" {finding.subject}:"
        told_finding = escape(f"{finding.feed} {kind}:{about} {finding.message}")
        console.print(f"[yellow]found[/yellow]        {told_finding}", soft_wrap=True)
    for alert in status.alerts:
        console.print(f"[yellow]alert[/yellow]        {escape(alert)}", soft_wrap=True)
    for check in status.failed_checks:
        label = "[red]failed[/red]" if check.is_blocking else "[yellow]warned[/yellow]"
        told_check = f"{check.table} {escape(check.check)} ({check.failed_count:,} rows)"
        console.print(f"{label}       {told_check}")
    if not status.failed_checks:
        console.print("[bold]Checks[/bold]       none failed when last judged")


def _feed_table(status: Status) -> Table:
    counts = ("files", "physical", "loaded", "rejected", "duplicate", "held_back")
    table = Table(box=None, header_style="bold")
    table.add_column("feed")
    for name in counts:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("last arrival (UTC)")
    for feed in status.feeds:
        arrived = feed.last_arrival[:16].replace("T", " ")
        table.add_row(feed.feed, *(f"{getattr(feed, n):,}" for n in counts), arrived)
    return table
