"""Changing a made warehouse, publishing it for analysts and reading what they get."""

from __future__ import annotations

from typing import Any

import duckdb
from sales_warehouse import manifest_for

from dagster_project.core.publishing import PublicationOutcome, publish, published_path
from dagster_project.core.warehouse import Warehouse


def publish_again(warehouse: Warehouse, run_id: str = "run-1") -> PublicationOutcome:
    return publish(warehouse, "analyst", manifest_for(), run_id=run_id)


def change(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def new_batch(warehouse: Warehouse, *statements: str) -> None:
    change(warehouse, *statements, "update ops.build_state set built_batch_id = built_batch_id + 1")


def read(warehouse: Warehouse, query: str) -> list[Any]:
    with duckdb.connect(published_path(warehouse.home, "analyst"), read_only=True) as connection:
        return connection.execute(query).fetchall()
