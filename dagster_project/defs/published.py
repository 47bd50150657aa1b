"""What readers open: the masked copy for analysts."""

import dagster as dg

from dagster_project.components.translator import mart_keys, read_manifest
from dagster_project.components.writer import HELD_BACK, POOL, WriterResource, relative
from dagster_project.core.forecasting import tables
from dagster_project.core.home import locate_home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.publishing import PublicationError, publish
from dagster_project.core.publishing.summaries import count_checks
from dagster_project.core.warehouse import CATALOG, MART_SCHEMAS

AUDIENCE = "analyst"


@dg.definitions
def published() -> dg.Definitions:
    """``published/analyst``, behind every mart and forecast and the checks that judge them."""
    path = ensure_manifest(locate_home())
    marts = mart_keys(read_manifest(path), *MART_SCHEMAS)
    forecasts = [dg.AssetKey(["forecast", table]) for table in tables.TABLES]

    @dg.asset(
        key=["published", AUDIENCE],
        deps=[*marts, *forecasts],
        group_name="published",
        description="The marts without any personal column, audited and put in place by one "
        "rename; what BI tools open. Stays as it is when a blocking check fails.",
        owners=["team:data-engineering"],
        kinds={"duckdb"},
        pool=POOL,
    )
    def analyst(context: dg.AssetExecutionContext, writer: WriterResource) -> dg.MaterializeResult:
        try:
            outcome = publish(
                writer.warehouse, AUDIENCE, ensure_manifest(writer.home), run_id=context.run_id
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
            metadata={
                "version": outcome.version,
                "new": outcome.is_new,
                "reason": outcome.reason,
                "dagster/row_count": outcome.rows,
                "file": relative(writer.home, outcome.path),
            }
        )

    return dg.Definitions(assets=[analyst])


def _is_held_back(writer: WriterResource) -> bool:
    """Whether a blocking check, and no breakage, is why nothing was published."""
    with writer.warehouse.connect(read_only=True) as connection:
        return bool(count_checks(connection, CATALOG).blocking_failures)
