"""The good home, a copy of it that is damaged, and everything that judges the two.

Belongs here: making, restoring and building the homes; verdicts of tests, suites and anomalies;
which tables a damage can reach and which it changed. Does not: the damages (``corruptions``) or
counting what was found (``mutations``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core.anomalies import Alarm, judge_all, load_watch
from dagster_project.core.home import PACKAGE, PROJECT, Home
from dagster_project.core.keys import KEY_VARIABLE
from dagster_project.core.quality import Suite, load_suites, run_suites
from dagster_project.core.simulation import simulate

sys.path.insert(0, str(PROJECT / "tests" / "dbt"))

from small_warehouse import KEY, SmallWarehouse

STORES, DAYS, CUSTOMERS = 3, 56, 250
BAD = frozenset({"error", "runtime error"})
# A dbt test, "<table> <expectation>", or "anomaly <table> <kind>".
Findings = frozenset[str]


def made_home(root: Path, seed: int) -> SmallWarehouse:
    """A banner of three stores, loaded and built by a refresh."""
    home = Home(root / "good").create()
    simulate(home.root, stores=STORES, days=DAYS, customers=CUSTOMERS, seed=seed, faults="none")
    environment = os.environ | {KEY_VARIABLE: KEY.secret.hex(), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "dagster_project.cli", "--home", str(home.root), "refresh"]
    subprocess.run(command, env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return SmallWarehouse.around(home, root)


class Checks:
    """The suites and dbt tests of one checkout of the project; older ones want a key to be read."""

    def __init__(self, checkout: Path, small: SmallWarehouse, target: Path) -> None:
        self._small = small
        self.suites = load_suites(checkout / "expectations")
        project = str(checkout / "dbt_project")
        places = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
        settings = {"PYTHONPATH": str(PROJECT), "DO_NOT_TRACK": "1", "DBT_LOG_PATH": str(target)}
        command = [sys.executable, "-m", "dagster_project.core.dbt_process", str(os.getpid())]
        subprocess.run(
            [*command, "--quiet", "compile", *places],
            env=kept | settings | small.warehouse.dbt_environment(),
            cwd=small.home.root, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        self.manifest: Mapping[str, Any] = json.loads((target / "manifest.json").read_text("utf-8"))

    def tested(self, tables: frozenset[str] | None = None) -> Findings:
        """The dbt tests that find a row in the tables as they are, of all or of some tables.

        Asked in dbt's own words, without dbt: none of them counts otherwise than by rows. The
        tables are those of today; a test of a column that is no more finds nothing, ever.
        """
        names = None if tables is None else {table.split(".")[1] for table in tables}
        with self._small.warehouse.connect(read_only=True) as connection:
            return frozenset(
                name
                for name, test in self.manifest["nodes"].items()
                if test["resource_type"] == "test"
                and (names is None or not names.isdisjoint(_read_by(test)))
                and _finds_rows(connection, test["compiled_code"])
            )

    def behind(self, table: str) -> dict[str, bool]:
        """The tables that are built from a raw one, and whether people read them (marts)."""
        schema, name = table.split(".")
        found: dict[str, bool] = {}
        waiting = [f"source.tillhouse.{schema}.{name}"]
        while waiting:
            for child in self.manifest["child_map"].get(waiting.pop(), ()):
                node = self.manifest["nodes"].get(child, {})
                full = f"{node.get('schema')}.{node.get('name')}"
                if node.get("resource_type") == "model" and full not in found:
                    found[full] = node["fqn"][1] == "marts"
                    waiting.append(child)
        return found

    def marts(self) -> set[str]:
        """Every table that people read."""
        return {
            f"{node['schema']}.{node['name']}"
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model" and node["fqn"][1] == "marts"
        }


def touched(suites: Iterable[Suite], tables: frozenset[str]) -> list[Suite]:
    """The suites whose verdict can change with these tables: they judge or read one of them."""

    def reads(suite: Suite) -> bool:
        asked = (one.kwargs.get("unexpected_rows_query", "") for one in suite.expectations)
        words = {f"{suite.schema_name}.{suite.table}", *" ".join(asked).replace(")", " ").split()}
        return not words.isdisjoint(tables)

    return [suite for suite in suites if reads(suite)]


def parted(suites: Iterable[Suite]) -> tuple[list[Suite], list[Suite]]:
    """Those of raw tables, which need no build, and the others."""
    listed = list(suites)
    raw = [suite for suite in listed if suite.schema_name == "raw"]
    return raw, [suite for suite in listed if suite not in raw]


class Homes:
    """A good warehouse, and one that is put back to it before each damage."""

    def __init__(self, root: Path, seed: int) -> None:
        self._good = made_home(root, seed)
        damaged = Home(root / "damaged")
        shutil.copytree(self._good.home.root, damaged.root)
        self.damaged = SmallWarehouse.around(damaged, root)
        self.checks = Checks(PROJECT, self.damaged, root / "checks")
        self._watch = load_watch(PACKAGE / "anomalies.yaml")

    def restore(self) -> None:
        """Make the damaged warehouse the good one again."""
        shutil.copyfile(self._good.home.warehouse, self.damaged.home.warehouse)
        Path(f"{self.damaged.home.warehouse}.wal").unlink(missing_ok=True)

    def keep(self) -> None:
        """Take the warehouse as it stands for the good one."""
        shutil.copyfile(self.damaged.home.warehouse, self._good.home.warehouse)

    def build(self, behind: str | None = None) -> Findings:
        """The models that fail when what lies behind a table is built again, or all of them."""
        select = ["--select", f"source:{behind}+"] if behind else []
        run = self.damaged.dbt("run", "--full-refresh", *select)
        return frozenset(name for name, status in run.results().items() if status in BAD)

    def judged(self, suites: list[Suite]) -> Findings:
        """The expectations that do not hold."""
        return frozenset(
            f"{one.schema_name}/{one.table_name} {one.check_name}"
            for one in run_suites(self.damaged.warehouse, suites)
            if not one.has_passed
        )

    def is_watched(self, tables: Iterable[str]) -> bool:
        """Whether an alarm can come of a change in one of the tables."""
        return not {one.name for one in self._watch.tables}.isdisjoint(tables)

    def alarms(self) -> list[Alarm]:
        """What the watched days of the stores give an alarm for."""
        with self.damaged.warehouse.connect(read_only=True) as connection:
            verdicts = judge_all(connection, self._watch)
        return [alarm for verdict in verdicts for alarm in verdict.alarms]

    def contents(self, tables: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        """Rows and a sum of their hashes by table; equal where the rows are."""
        with self.damaged.warehouse.connect(read_only=True) as connection:
            there = _tables(connection)
            return {
                table: connection.execute(
                    f"select count(*), sum(hash(t)::hugeint) from {table} as t"
                ).fetchone()
                for table in sorted(there.intersection(tables))
            }


def _read_by(test: Mapping[str, Any]) -> set[str]:
    return {name.rsplit(".", 1)[-1] for name in test["depends_on"]["nodes"]}


def _finds_rows(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    try:
        return bool(connection.execute(f"select count(*) > 0 from ({query})").fetchone()[0])
    except (duckdb.BinderException, duckdb.CatalogException):
        return False  # of a table or column that today's star no longer has


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_catalog = current_database()"
    ).fetchall()
    return {name for (name,) in rows}


def new_alarms(before: Iterable[Alarm], now: Iterable[Alarm]) -> Findings:
    """Alarms of a table, store and kind on days for which there was none before."""
    known: dict[tuple[str, str | None, str], list[tuple[date, date]]] = {}
    for alarm in before:
        key = (alarm.table_name, alarm.store, alarm.kind)
        known.setdefault(key, []).append((alarm.day, alarm.last_day))
    return frozenset(
        f"anomaly {alarm.table_name} {alarm.kind}"
        for alarm in now
        if not any(
            first <= alarm.last_day and alarm.day <= last
            for first, last in known.get((alarm.table_name, alarm.store, alarm.kind), ())
        )
    )
