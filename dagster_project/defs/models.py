"""Staging, intermediate and marts: one dbt build in a child process, seen as assets and checks."""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_project.components.results import NodeReporter
from dagster_project.components.translator import WarehouseTranslator, read_manifest
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.calendars import calendar_version
from dagster_project.core.home import locate_home
from dagster_project.core.model_checks import is_whole, record_judgements
from dagster_project.core.modelling import (
    BuildOutcome,
    ModellingError,
    NodeProgress,
    build_models,
    ensure_manifest,
    models_are_current,
    project_fingerprint,
)

TELL_SECONDS = 2.0
SAID = 200  # characters of dbt's own words about a failed node; its log has the rest


class ModelsConfig(dg.Config):
    """What one may ask of a build."""

    full_refresh: bool = False


@dg.definitions
def models() -> dg.Definitions:
    """Every dbt model as an asset, every data test as a check on the table it judges."""
    path = ensure_manifest(locate_home())
    manifest = read_manifest(path)

    @dbt_assets(
        name="models",
        manifest=manifest,
        dagster_dbt_translator=WarehouseTranslator(),
        pool=POOL,
    )
    def build(
        context: dg.AssetExecutionContext, writer: WriterResource, config: ModelsConfig
    ) -> Iterator[Any]:
        reporter = NodeReporter(context, manifest)
        depends_on = [calendar_version(), writer.settings.reporting_currency]
        with writer.warehouse.connect() as connection:
            code = project_fingerprint(depends_on=depends_on)
            current = models_are_current(connection, code) and is_whole(connection)
        if current and not config.full_refresh:
            context.log.info("unchanged: the models hold every load")
            yield from reporter.unchanged(writer.warehouse)
            return
        outcome = _build(context, writer, manifest, config.full_refresh, depends_on)
        yield from reporter.built(writer.warehouse, outcome)
        if outcome.failed:
            raise dg.Failure(_failure(outcome))

    return dg.Definitions(assets=[build])


def _build(
    context: dg.AssetExecutionContext,
    writer: WriterResource,
    manifest: Any,
    full_refresh: bool,
    depends_on: list[str],
) -> BuildOutcome:
    told = 0.0

    def tell(node: NodeProgress) -> None:
        # Every line is an event to store: a few say as much as 400.
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS or node.index == node.total:
            told = time.monotonic()
            name = node.unique_id.split(".")[2]
            context.log.info(f"{node.index} of {node.total}: {name} {node.seconds:.1f} s")

    with writer.warehouse.connect() as connection:
        record_judgements(connection, context.run_id, None, manifest)
    try:
        outcome = build_models(
            writer.warehouse,
            writer.lock,
            full_refresh=full_refresh,
            on_node=tell,
            depends_on=depends_on,
        )
    except ModellingError as error:
        raise dg.Failure(str(error)) from error
    if outcome.changed_sources is not None:
        behind = ", ".join(outcome.changed_sources) or "nothing"
        context.log.info(f"built what lies behind {behind}: {len(outcome.nodes)} nodes")
    with writer.warehouse.connect() as connection:
        record_judgements(connection, context.run_id, outcome, manifest)
    return outcome


def _failure(outcome: BuildOutcome) -> str:
    told = [
        f"{node.unique_id.split('.')[2]} ({' '.join((node.message or node.status).split())[:SAID]})"
        for node in outcome.failed
    ]
    return f"{len(told)} models or tests failed: {'; '.join(told)}"
