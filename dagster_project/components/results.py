"""What a dbt build came to, as Dagster's events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from dagster_project.components.tables import (
    Table,
    base_tables,
    count_rows,
    stored_columns,
    with_stored_types,
)
from dagster_project.components.translator import WarehouseTranslator
from dagster_project.core.model_checks import standing_judgements
from dagster_project.core.modelling import BuildOutcome, NodeResult
from dagster_project.core.warehouse import Warehouse

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


class NodeReporter:
    """Turns node results into materialisations and check results; the skipped ones into nothing."""

    def __init__(self, context: dg.AssetExecutionContext, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest
        specs = context.assets_def.specs_by_key
        # Upstream first: Dagster takes results in no other order.
        sources = {key: {dep.asset_key for dep in spec.deps} for key, spec in specs.items()}
        self._schemas = {
            key: specs[key].metadata.get("dagster/column_schema")
            for key in TopologicalSorter(sources).static_order()
            if key in context.selected_asset_keys
        }
        self._checks = {
            str(spec.metadata["dagster_dbt/unique_id"]): spec
            for spec in context.assets_def.check_specs
            if spec.key in context.selected_asset_check_keys
        }

    def unchanged(self, warehouse: Warehouse) -> Iterator[Event]:
        """Every model and every test as it stands: left out, they would be shown as skipped."""
        described = self._describe(warehouse)
        for key in self._schemas:
            yield dg.MaterializeResult(key, metadata=described[key])
        yield from self._standing(warehouse, self._checks.values())

    def _standing(
        self, warehouse: Warehouse, specs: Iterable[dg.AssetCheckSpec]
    ) -> Iterator[Event]:
        with warehouse.connect(read_only=True) as connection:
            failed = standing_judgements(connection)
        for spec in specs:
            place = (*spec.asset_key.path, spec.name)
            if place in failed:
                yield _verdict(spec, failed[place], spec.metadata["severity"] != "error")

    def built(self, warehouse: Warehouse, outcome: BuildOutcome) -> Iterator[Event]:
        """Each model and test: as it was built or run, or as it stands if nothing led to it."""
        described = self._describe(warehouse)
        built = {self._key(node): node for node in outcome.nodes}
        for key in self._schemas:
            if key not in built:  # a view that this code has made before, or nothing led to it
                yield dg.MaterializeResult(key, metadata=described[key])
            elif built[key].is_good:
                seconds = {"build seconds": round(built[key].seconds, 3)}
                yield dg.MaterializeResult(key, metadata=described[key] | seconds)
        for node in outcome.nodes:
            if node.unique_id in self._checks and node.status != "skipped":
                yield self._judged(node)
        if outcome.changed_sources is not None:
            run = {node.unique_id for node in outcome.nodes}
            left = [spec for unique_id, spec in self._checks.items() if unique_id not in run]
            yield from self._standing(warehouse, left)

    def _key(self, node: NodeResult) -> dg.AssetKey | None:
        """The asset that a node makes, if it is none of the tests."""
        props = self._manifest["nodes"].get(node.unique_id, {})
        is_made = props.get("resource_type") in {"model", "seed", "snapshot"}
        return WarehouseTranslator().get_asset_key(props) if is_made else None

    def _judged(self, node: NodeResult) -> dg.AssetCheckResult:
        failed = node.failures if node.failures is not None else int(not node.is_good)
        seconds = {"seconds": round(node.seconds, 3)}
        return _verdict(self._checks[node.unique_id], failed, node.status == "warn", seconds)

    def _describe(self, warehouse: Warehouse) -> dict[dg.AssetKey, dict[str, Any]]:
        """Row counts and stored columns of all models by two queries for the whole build."""
        schemas = sorted({key.path[0] for key in self._schemas})
        with warehouse.connect(read_only=True) as connection:
            counts = count_rows(connection, base_tables(connection, schemas))
            columns = stored_columns(connection, schemas)
        found: dict[dg.AssetKey, dict[str, Any]] = {}
        for key, declared in self._schemas.items():
            table: Table = (key.path[0], key.path[1])
            found[key] = {}
            if table in columns:
                stored = with_stored_types(declared, columns[table])
                found[key]["dagster/column_schema"] = stored
            if table in counts:
                found[key]["dagster/row_count"] = counts[table]
        return found


def _verdict(
    spec: dg.AssetCheckSpec, failed: int, warns: bool, more: Mapping[str, Any] | None = None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=failed == 0,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        metadata={"failed rows": failed, **(more or {})},
    )
