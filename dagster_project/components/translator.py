"""dbt nodes as assets and checks under one name, ``<schema>/<model>``, ``raw/<table>``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from dagster_project.core.model_checks import judged_node, reason_of

OWNER = "data-engineering"
# Operational tables are written by every run and judged by none: they are no assets.
NO_ASSET = "ops"


class WarehouseTranslator(DagsterDbtTranslator):
    """The only place that says how a dbt node looks in Dagster."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Schema and table: the same for a model and for the source it is read as."""
        table = dbt_resource_props.get("identifier") or dbt_resource_props["name"]
        return dg.AssetKey([dbt_resource_props["schema"], table])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """The spec without edges from operational tables."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        view = node.get("config", {}).get("materialized") == "view"
        return spec.replace_attributes(
            deps=[dep for dep in spec.deps if dep.asset_key.path[0] != NO_ASSET],
            kinds={"dbt", "duckdb", "view" if view else "table"},
        )

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """A data test as a check on the one table it judges.

        Not declared blocking: the step of the models fails as a whole when one of severity error
        does, and Dagster would warn of each that an unchanged build leaves out.
        """
        node = self.get_resource_props(manifest, unique_id)
        if judged_node(node) != asset_spec.metadata["dagster_dbt/unique_id"]:
            return None
        return dg.AssetCheckSpec(
            node["name"],
            asset=asset_spec.key,
            description=reason_of(node),
            metadata={"dagster_dbt/unique_id": unique_id, "severity": _severity(node)},
        )

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The dbt group, which is the folder."""
        return dbt_resource_props.get("config", {}).get("group") or dbt_resource_props["schema"]

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str] | None:
        """The team named in the model's configuration."""
        return [f"team:{_meta(dbt_resource_props).get('owner', OWNER)}"]

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the YAML says; the SQL is one click away and would only hide it."""
        return " ".join(dbt_resource_props.get("description", "").split())

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """The classes of the model's columns, so that one can filter for personal data."""
        columns = dbt_resource_props.get("columns", {}).values()
        return {f"class/{name}": "" for name in sorted({_class(c) for c in columns} - {""})}

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns with type, description and class."""
        return {
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(
                        column["name"],
                        column.get("data_type") or "?",
                        " ".join(column.get("description", "").split()),
                        tags={_class(column): ""} if _class(column) else None,
                    )
                    for column in dbt_resource_props.get("columns", {}).values()
                ]
            ),
            "dagster/table_name": ".".join(self.get_asset_key(dbt_resource_props).path),
            "materialised as": dbt_resource_props.get("config", {}).get("materialized", "source"),
        }


@cache
def read_manifest(path: Path) -> Mapping[str, Any]:
    """dbt's manifest, read once per process."""
    manifest: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return manifest


def mart_keys(manifest: Mapping[str, Any], *schemas: str) -> list[dg.AssetKey]:
    """Asset keys of every model in some schemas."""
    translator = WarehouseTranslator()
    return sorted(
        translator.get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in schemas
    )


def _severity(test: Mapping[str, Any]) -> str:
    return str(test.get("config", {}).get("severity") or "error").lower()


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return (node.get("config") or {}).get("meta") or node.get("meta") or {}


def _class(column: Mapping[str, Any]) -> str:
    return str(_meta(column).get("class", ""))
