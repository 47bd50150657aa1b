"""Days that are not as usual, and the grade of every store and day: judged after the marts."""

import base64
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb

from dagster_project.components.feed import templates
from dagster_project.components.reaper import ARRIVED_TAG
from dagster_project.components.tables import count_rows, last_metadata
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core import anomalies, grading
from dagster_project.core.declarations import load_feeds
from dagster_project.core.home import FEEDS, PACKAGE
from dagster_project.core.modelling import build_state, last_batch_id, record_build
from dagster_project.core.quality import CheckResult, record_results, write_data_docs

BUILD = "anomalies"
KIND = "anomaly"
USUAL = "days_are_as_usual"
WATCH = PACKAGE / "anomalies.yaml"
KEYS = {table: dg.AssetKey(["ops", table]) for table in ("anomaly", "store_day")}
READ = [
    "fct_sales_line", "fct_transaction", "fct_tender", "fct_till_session",
    "dim_store", "dim_date", "dim_promotion",
]  # fmt: skip
DESCRIBED = {
    "anomaly": "One row per cause: a day, or days, on which a store or all stores were not as the "
    "weeks before let expect, with what was found, what was expected, and whether it still holds.",
    "store_day": "One row per store and business day of the last weeks: its grade, A to F, for "
    "being complete, timely, balanced and plausible, with the reason and the feed to ask about.",
}


@dg.definitions
def store_days() -> dg.Definitions:
    """The two tables, and a check on every watched mart."""
    watch = anomalies.load_watch(WATCH)
    checks = [
        dg.AssetCheckSpec(
            USUAL,
            asset=watched.name.split("."),
            additional_deps=[KEYS["anomaly"]],
            description=f"No day of the last week is unlike the weeks before it. {watched.why}",
        )
        for watched in watch.tables
    ]
    return dg.Definitions(assets=[judge], asset_checks=[_checks(checks, watch)])


def _spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        KEYS[table],
        deps=[dg.AssetKey(["core", mart]) for mart in READ],
        group_name="ops",
        description=DESCRIBED[table],
        owners=["team:data-engineering"],
        kinds={"python", "duckdb"},
        tags={"class/internal": ""},
    )


@dg.multi_asset(name="store_days", specs=[_spec(table) for table in KEYS], pool=POOL)
def judge(
    context: dg.AssetExecutionContext, writer: WriterResource
) -> Iterator[dg.MaterializeResult]:
    """Judge and grade the days that something came for, where the marts are not as they were.

    A run that arriving files started leaves that to the next one by night or by hand: of a day
    that is not over nobody can say what is missing.
    """
    watch = anomalies.load_watch(WATCH)
    today = datetime.now(ZoneInfo(writer.settings.time_zone)).date()
    with writer.warehouse.connect() as connection:
        state, code = build_state(connection, BUILD), _fingerprint(connection, today)
        arrived = state is not None and ARRIVED_TAG in context.run.tags
        if arrived or (state is not None and state[1] == code):
            context.log.info("left to the next refresh" if arrived else "unchanged: no mart has")
            for key in KEYS.values():
                yield dg.MaterializeResult(key, metadata=last_metadata(context, key))
            return
        results = _judge(connection, watch, state[0] if state else None, today, context.run.run_id)
        record_results(connection, context.run.run_id, results, KIND)
        record_build(connection, BUILD, last_batch_id(connection), code)
        write_data_docs(writer.home, connection, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        told = _told(connection)
    for table, key in KEYS.items():
        yield dg.MaterializeResult(key, metadata=told[table])


def _fingerprint(connection: duckdb.DuckDBPyConnection, today: date) -> str:
    """Changes with every build of the models, with what is watched and with the day."""
    built = connection.execute(
        "select built_batch_id, fingerprint, built_at::varchar from ops.build_state "
        "where build = 'models'"
    ).fetchall()
    return sha256(repr((built, WATCH.read_text("utf-8"), today)).encode()).hexdigest()


def _judge(
    connection: duckdb.DuckDBPyConnection,
    watch: anomalies.Watch,
    judged_batch: int | None,
    today: date,
    run_id: str,
) -> list[CheckResult]:
    """Bring both tables up to date; what cannot be judged is a check that says why."""
    try:
        days = anomalies.days_to_judge(connection, watch, judged_batch, today)
        if days is None:
            return []
        since, through = days
        verdicts = anomalies.judge_all(connection, watch, through, since)
        anomalies.record_verdicts(connection, run_id, verdicts)
        feeds = load_feeds(FEEDS, dict(templates()))
        missing = grading.missing_numbers(connection, feeds.values(), templates(), since)
        grading.grade_store_days(connection, since, through, missing)
    except anomalies.WatchError as error:
        return [_result(watched, 1, str(error)) for watched in watch.tables]
    except duckdb.Error as error:  # its words may quote data
        reason = f"could not be judged: {type(error).__name__}"
        return [_result(watched, 1, reason) for watched in watch.tables]
    counts = anomalies.open_alarms(connection)
    return [_result(watched, len(counts.get(watched.name, ())), None) for watched in watch.tables]


def _result(watched: anomalies.Watched, count: int, error: str | None) -> CheckResult:
    return CheckResult(
        watched.schema_name,
        watched.table,
        USUAL,
        severity="warning",
        is_blocking=False,
        has_passed=not count,
        failed_count=count,
        row_count=0,
        why=watched.why,
        statement="No day of the last week is unlike the weeks before it.",
        error=error,
    )


def _told(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Metadata of both tables: counts that plot over time, a picture, whom to phone."""
    counts = count_rows(connection, [("ops", table) for table in KEYS])
    told: dict[str, dict[str, Any]] = {
        table: {"dagster/row_count": counts["ops", table]} for table in KEYS
    }
    told["anomaly"]["open"] = sum(map(len, anomalies.open_alarms(connection).values()))
    told["store_day"] |= {
        f"days graded {grade}": count for grade, count in grading.count_grades(connection).items()
    }
    if picture := grading.grade_chart(connection):
        encoded = base64.b64encode(picture.encode()).decode("ascii")
        shown = f"![Grades of the stores](data:image/svg+xml;base64,{encoded})"
        told["store_day"]["grades"] = dg.MetadataValue.md(shown)
    feeds = load_feeds(FEEDS, dict(templates()))
    lines = [alert.line for alert in grading.store_alerts(connection, feeds)]
    told["store_day"]["alerts"] = dg.MetadataValue.json(lines)
    return told


def _checks(specs: list[dg.AssetCheckSpec], watch: anomalies.Watch) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(name="store_day_checks", specs=specs, pool=POOL)
    def usual_days(context, writer: WriterResource) -> Iterator[dg.AssetCheckResult]:  # noqa: ANN001 - dagster takes no other annotation through a factory
        with writer.warehouse.connect(read_only=True) as connection:
            found = anomalies.open_alarms(connection)
            errors = _errors(connection)
        for watched in watch.tables:
            alarms = found.get(watched.name, [])
            error = errors.get(watched.table)
            listed = "\n".join(f"- {alarm}" for alarm in alarms)
            yield dg.AssetCheckResult(
                asset_key=watched.name.split("."),
                check_name=USUAL,
                passed=not alarms and error is None,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={
                    "failed rows": len(alarms),
                    "why": watched.why,
                    **({"alarms": dg.MetadataValue.md(listed)} if alarms else {}),
                    **({"could not be judged": error} if error else {}),
                },
            )

    return usual_days


def _errors(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Why watched tables could not be judged last."""
    rows = connection.execute(
        "select table_name, error from ops.check_result where kind = ? "
        "qualify row_number() over (partition by table_name order by checked_at desc) = 1",
        [KIND],
    ).fetchall()
    return {table: error for table, error in rows if error}
