"""One deployment as the command line sees it: checked before anything starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.console.errors import CommandError
from dagster_project.core.declarations import Feed, Template, load_feeds, load_templates
from dagster_project.core.home import (
    FEEDS,
    HOME_VARIABLE,
    PACKAGE,
    TEMPLATES,
    Home,
    load_settings,
    locate_home,
)
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse, WriterLock

if TYPE_CHECKING:
    import dagster as dg

INSTANCE_FILE = "dagster.yaml"
MIB = 1 << 20
WORKING_BYTES = 200 * MIB  # dbt's artefacts, the run's history, a sort that spills


def open_home(chosen: str | None) -> Home:
    """The home, made where it is missing, and told to everything this process starts."""
    home = locate_home(chosen).create()
    os.environ[HOME_VARIABLE] = str(home.root)
    load_settings(home)
    return home


def open_warehouse(home: Home) -> Warehouse:
    """The warehouse with its key; raises what is wrong with either in one line."""
    return Warehouse(home, load_master_key(home))


def check_declarations() -> tuple[dict[str, Template], dict[str, Feed]]:
    """Templates and feeds by name; raises DeclarationError naming the file."""
    templates = load_templates(TEMPLATES)
    return templates, load_feeds(FEEDS, templates)


def check_writable(home: Home) -> Warehouse:
    """Whether a refresh could begin: nobody writes, the key fits.

    Raises WarehouseBusyError, KeyUnavailableError or WarehouseError.
    """
    with WriterLock(home).acquire():
        warehouse = open_warehouse(home)
        if home.warehouse.exists():
            with warehouse.connect(read_only=True):
                pass
    return warehouse


def check_space(home: Home, waiting: Sequence[Path]) -> None:
    """Whether the disk can take a refresh; raises CommandError with what is there and needed.

    Needed: what waits twice (its encrypted original, its rows), the warehouse once more (its
    published copy) and something to work with.
    """
    warehouse = home.warehouse.stat().st_size if home.warehouse.exists() else 0
    needed = 2 * sum(path.stat().st_size for path in waiting) + warehouse + WORKING_BYTES
    free = shutil.disk_usage(home.root).free
    if free < needed:
        raise CommandError(
            f"no disk space: {home.root} has {free / MIB:,.0f} MiB left, "
            f"this refresh may need {needed / MIB:,.0f} MiB"
        )


def dagster_home(home: Home) -> Path:
    """Dagster's folder of this deployment with its configuration in it."""
    own = home.dagster / INSTANCE_FILE
    if not own.exists():
        shutil.copyfile(PACKAGE / INSTANCE_FILE, own)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    return home.dagster


def open_instance(home: Home) -> dg.DagsterInstance:
    """Dagster's run history of this deployment, the one the user interface shows."""
    import dagster as dg

    return dg.DagsterInstance.from_config(str(dagster_home(home)))
