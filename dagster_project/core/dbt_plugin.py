"""How dbt's engine reaches the encrypted warehouse: a plugin of the dbt-duckdb adapter.

Belongs here: the home's places and the key, taken from the environment when dbt connects. They are
no part of the profile, for two reasons: dbt parses its whole project again for every profile it has
not seen, and prints profiles when it is asked to debug. ``TILLHOUSE_HOME`` names the home,
``DBT_ENV_SECRET_TILLHOUSE_WAREHOUSE_KEY`` holds the file's key; dbt strikes variables of that
prefix out of everything it writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin

from dagster_project.core.home import HOME_VARIABLE, Home
from dagster_project.core.warehouse import CATALOG, FILE_KEY_VARIABLE, attach


class Plugin(BasePlugin):
    """Attaches the warehouse of ``TILLHOUSE_HOME`` before dbt would attach the profile's."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Extensions come from the home and spilled rows go there."""
        home = _home()
        config["extension_directory"] = str(home.extensions)
        config["temp_directory"] = str(home.scratch)

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Open the warehouse, all that is spilled encrypted.

        Set here and not in the profile, whose settings dbt repeats for every statement's cursor:
        this one may not be touched while anything is spilled. Raises WarehouseError with one line
        that never holds the key.
        """
        conn.execute("set temp_file_encryption = true")
        key = os.environ.get(FILE_KEY_VARIABLE, "")
        attach(conn, _home().warehouse, CATALOG, key, read_only=False)


def _home() -> Home:
    return Home(Path(os.environ[HOME_VARIABLE]))
