"""Commands for those who read: a table as a file, and how a published file is opened.

Belongs here: their options, and what they say. Does not: what they do (``core.exporting``,
``core.reading``). Imports stand inside the functions: ``--help`` must not wait for a database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

DONE = 0
AUDIENCE = "analyst"
Parsers = argparse._SubParsersAction
Sub = Callable[[Parsers, str, str, str], argparse.ArgumentParser]

COMMANDS: dict[str, tuple[str, str]] = {
    "export": (
        "Write a published table as csv, xlsx or Parquet, harmless to spreadsheets.",
        "tillhouse export metrics.sales_by_month --to sales.xlsx",
    ),
    "connection": (
        "How a BI tool opens the published file so that its SQL reaches nothing else.",
        "tillhouse connection",
    ),
}


def add_commands(commands: Parsers, sub: Sub) -> None:
    """The parsers of these commands."""
    made = {name: sub(commands, name, *told) for name, told in COMMANDS.items()}
    for parser in made.values():
        parser.add_argument("--audience", default=AUDIENCE, help=f"default: {AUDIENCE}")
    export = made["export"]
    export.add_argument("table", nargs="?", help="schema.table, as readers see it")
    export.add_argument("--to", type=Path, metavar="FILE", help="ends in .csv, .xlsx or .parquet")
    export.add_argument("--list", action="store_true", help="name what can be exported")


def run(chosen: argparse.Namespace) -> int:
    """Run one of these commands; its exit code."""
    return {"export": export, "connection": connection}[chosen.command](chosen)


def export(chosen: argparse.Namespace) -> int:
    """Write a published table, and say so in the audit log."""
    from dagster_project.console.deployment import open_home
    from dagster_project.console.errors import CommandError
    from dagster_project.core.audit_log import record
    from dagster_project.core.exporting import export_table, exportable
    from dagster_project.core.keys import load_master_key

    home = open_home(chosen.home)
    published = _published(chosen)
    if chosen.list:
        names = exportable(published)
        return _say(chosen, names, "\n".join(names))
    if chosen.table is None or chosen.to is None:
        raise CommandError("name a table and, with --to, a file; --list names the tables")
    done = export_table(published, chosen.table, chosen.to)
    told = {"rows": done.row_count, "file": done.path.name}
    record(home, load_master_key(home), "export", f"{chosen.audience}/{done.table}", **told)
    words = f"{done.row_count:,} rows of {done.table} in {done.path}"
    return _say(chosen, told | {"table": done.table, "path": str(done.path)}, words)


def connection(chosen: argparse.Namespace) -> int:
    """Say how the published file is opened read-only and locked down."""
    from dagster_project.core.reading import PYTHON_SETTINGS, engine_parameters, lock_down_sql

    path = _published(chosen)
    told = {
        "path": str(path),
        "uri": f"duckdb:///{path}",
        "engine_parameters": json.loads(engine_parameters()),
        "sql": lock_down_sql().splitlines(),
    }
    words = (
        f"Python:\n  duckdb.connect({str(path)!r}, read_only=True, config={PYTHON_SETTINGS})\n"
        f"SQLAlchemy, Superset: duckdb:///{path} with NullPool and engine parameters\n"
        f"  {engine_parameters()}\n"
        f"any other client: open {path} read-only, then\n"
        + "\n".join(f"  {line}" for line in lock_down_sql().splitlines())
    )
    return _say(chosen, told, words)


def _published(chosen: argparse.Namespace) -> Path:
    from dagster_project.console.deployment import open_home
    from dagster_project.console.errors import CommandError
    from dagster_project.core.publishing import published_path

    path = published_path(open_home(chosen.home), chosen.audience)
    if not path.exists():
        raise CommandError(f"{path} does not exist; run tillhouse refresh")
    return path


def _say(chosen: argparse.Namespace, told: Any, words: str) -> int:
    text = json.dumps(told, ensure_ascii=False, indent=2) if chosen.json else words
    sys.stdout.write(f"{text}\n")
    return DONE
