"""What readers open: a masked copy for each audience of the policy (``audiences.yaml``)."""

import dagster as dg

from dagster_project.components.translator import mart_keys, read_manifest
from dagster_project.components.writer import HELD_BACK, POOL, WriterResource, relative
from dagster_project.core.forecasting import tables
from dagster_project.core.home import locate_home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.publishing import (
    PublicationError,
    PublicationOutcome,
    publish,
    unlike_the_audited,
)
from dagster_project.core.publishing.policy import load_audiences, published_audiences
from dagster_project.core.publishing.summaries import count_checks
from dagster_project.core.quality import CheckResult, record_results
from dagster_project.core.warehouse import CATALOG, MART_SCHEMAS

EQUAL = "published_equals_audited"
WHY_EQUAL = "Readers must see what was looked at, and nothing else."


@dg.definitions
def published() -> dg.Definitions:
    """``published/<audience>``, behind marts, forecasts, grades, and the checks that judge them."""
    home = locate_home()
    path = ensure_manifest(home)
    marts = mart_keys(read_manifest(path), *MART_SCHEMAS)
    forecasts = [dg.AssetKey(["forecast", table]) for table in tables.TABLES]
    judged = [dg.AssetKey(["ops", table]) for table in ("anomaly", "store_day", "file_ledger")]
    policy = load_audiences(home)
    names = published_audiences(home)
    return dg.Definitions(
        assets=[
            _asset(name, policy[name].description, [*marts, *forecasts, *judged]) for name in names
        ]
    )


def _asset(audience: str, description: str, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    key = dg.AssetKey(["published", audience])

    @dg.asset(
        key=key,
        check_specs=[dg.AssetCheckSpec(EQUAL, asset=key, description=WHY_EQUAL)],
        deps=deps,
        group_name="published",
        description=f"{description} Audited and put in place by one rename; what BI tools open. "
        "Stays as it is when a blocking check fails.",
        owners=["team:data-engineering"],
        kinds={"duckdb"},
        pool=POOL,
    )
    def file(context: dg.AssetExecutionContext, writer: WriterResource) -> dg.MaterializeResult:
        try:
            outcome = publish(
                writer.warehouse, audience, ensure_manifest(writer.home), run_id=context.run_id
            )
        except PublicationError as error:
            held_back = _is_held_back(writer)
            raise dg.Failure(f"not published: {error}", {HELD_BACK: held_back}) from error
        context.log.info(
            f"version {outcome.version} published: {outcome.reason}"
            if outcome.is_new
            else f"unchanged: {outcome.reason}"
        )
        return dg.MaterializeResult(
            check_results=[_reconciled(writer, audience, outcome, context.run_id)],
            metadata={
                "version": outcome.version,
                "new": outcome.is_new,
                "reason": outcome.reason,
                "dagster/row_count": outcome.rows,
                "file": relative(writer.home, outcome.path),
            },
        )

    return file


def _reconciled(
    writer: WriterResource, audience: str, outcome: PublicationOutcome, run_id: str
) -> dg.AssetCheckResult:
    """What readers open has the rows that were audited; kept where something new was published."""
    unlike = unlike_the_audited(outcome.path)
    if outcome.is_new:
        result = CheckResult(
            "published", audience, EQUAL, severity="error", is_blocking=False,
            has_passed=not unlike, failed_count=len(unlike), row_count=outcome.rows,
            why=WHY_EQUAL, statement="Every table has as many rows as when it was audited.",
        )  # fmt: skip
        with writer.warehouse.connect() as connection:
            record_results(connection, run_id, [result], "reconciliation")
    return dg.AssetCheckResult(
        check_name=EQUAL,
        passed=not unlike,
        metadata={"failed rows": len(unlike), "tables": ", ".join(unlike) or "all equal"},
    )


def _is_held_back(writer: WriterResource) -> bool:
    """Whether a blocking check, and no breakage, is why nothing was published."""
    with writer.warehouse.connect(read_only=True) as connection:
        return bool(count_checks(connection, CATALOG).blocking_failures)
