"""What readers open: a masked copy for each audience of the policy (``audiences.yaml``)."""

import dagster as dg

from dagster_project.components.translator import mart_keys, read_manifest
from dagster_project.components.writer import HELD_BACK, POOL, WriterResource, relative
from dagster_project.core.forecasting import tables
from dagster_project.core.home import locate_home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.publishing import PublicationError, publish
from dagster_project.core.publishing.policy import load_audiences, published_audiences
from dagster_project.core.publishing.summaries import count_checks
from dagster_project.core.warehouse import CATALOG, MART_SCHEMAS


@dg.definitions
def published() -> dg.Definitions:
    """``published/<audience>``, behind marts, forecasts, grades, and the checks that judge them."""
    home = locate_home()
    path = ensure_manifest(home)
    marts = mart_keys(read_manifest(path), *MART_SCHEMAS)
    forecasts = [dg.AssetKey(["forecast", table]) for table in tables.TABLES]
    judged = [dg.AssetKey(["ops", table]) for table in ("anomaly", "store_day")]
    policy = load_audiences(home)
    names = published_audiences(home)
    return dg.Definitions(
        assets=[
            _asset(name, policy[name].description, [*marts, *forecasts, *judged]) for name in names
        ]
    )


def _asset(audience: str, description: str, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        key=["published", audience],
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
            metadata={
                "version": outcome.version,
                "new": outcome.is_new,
                "reason": outcome.reason,
                "dagster/row_count": outcome.rows,
                "file": relative(writer.home, outcome.path),
            }
        )

    return file


def _is_held_back(writer: WriterResource) -> bool:
    """Whether a blocking check, and no breakage, is why nothing was published."""
    with writer.warehouse.connect(read_only=True) as connection:
        return bool(count_checks(connection, CATALOG).blocking_failures)
