"""How much damage the checks find: one corruption at a time in what the models read.

    python -m benchmarks.mutations --count 100

A simulated banner is refreshed once. Each corruption is done to a copy of its warehouse; what lies
behind the damaged table is built again, with its tests, and every suite is judged. A corruption is
caught when a check fails or warns that did not on the good data. Prints each one with what caught
it, the survivors, and the share. ``--against FOLDER`` counts beside it what the checks of another
checkout of the project, older than this one, would have caught of the same. Exit 1 below 80 %.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corruptions import Corruption, corrupt, draw, places
from dagster_project.core.home import EXPECTATIONS, PROJECT, Home
from dagster_project.core.keys import KEY_VARIABLE
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.quality import load_suites, run_suites
from dagster_project.core.simulation import simulate

sys.path.insert(0, str(PROJECT / "tests" / "dbt"))

from small_warehouse import KEY, SmallWarehouse

BAR = 0.8
STORES, DAYS, CUSTOMERS = 3, 56, 250
BAD = frozenset({"fail", "warn", "error", "runtime error"})
Findings = frozenset[str]


@dataclass(frozen=True)
class Trial:
    """One corruption, how many rows it changed, and the checks that found it."""

    corruption: Corruption
    rows: int
    found_by: Findings
    was_found: bool  # by the older checks; True where none are compared


def made_home(root: Path, seed: int) -> SmallWarehouse:
    """A banner of three stores, loaded and built by a refresh."""
    home = Home(root / "good").create()
    simulate(home.root, stores=STORES, days=DAYS, customers=CUSTOMERS, seed=seed, faults="none")
    environment = os.environ | {KEY_VARIABLE: KEY.secret.hex(), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "dagster_project.cli", "--home", str(home.root), "refresh"]
    subprocess.run(command, env=environment, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return SmallWarehouse.around(home, root)


def judged(small: SmallWarehouse, suites_of: Path) -> Findings:
    """The expectations that do not hold."""
    results = run_suites(small.warehouse, load_suites(suites_of))
    return frozenset(
        f"{one.schema_name}/{one.table_name} {one.check_name}"
        for one in results
        if not one.has_passed
    )


def built(small: SmallWarehouse, table: str) -> Findings:
    """The tests, and the models, that fail when what lies behind a raw table is built again."""
    run = small.dbt(
        "build", "--full-refresh", "--exclude-resource-type", "unit_test",
        "--select", f"source:{table}+",
    )  # fmt: skip
    return frozenset(name for name, status in run.results().items() if status in BAD)


def checks_of(checkout: Path | None, root: Path) -> Findings:
    """Names of the dbt tests of another checkout."""
    if checkout is None:
        return frozenset()
    manifest = ensure_manifest(Home(root / "other").create(), checkout / "dbt_project")
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"]
    return frozenset(name for name, node in nodes.items() if node["resource_type"] == "test")


class Bench:
    """The good home, a copy of it that is damaged, and what holds on the good one."""

    def __init__(self, root: Path, seed: int, against: Path | None) -> None:
        self._good = made_home(root, seed)
        self._against = against
        self._older = checks_of(against, root)
        self._suites = [EXPECTATIONS, *([against / "expectations"] if against else [])]
        damaged = Home(root / "damaged")
        shutil.copytree(self._good.home.root, damaged.root)
        self._damaged = SmallWarehouse.around(damaged, root)
        self._before = [judged(self._good, suites) for suites in self._suites]
        self._failing: dict[str, Findings] = {}

    def draw(self, count: int, seed: int) -> list[Corruption]:
        """Corruptions of the good home's tables."""
        with self._good.warehouse.connect(read_only=True) as connection:
            return draw(places(connection), count, seed)

    def tried(self, corruption: Corruption) -> Trial:
        """What finds it; nothing is to be found where no row is other than before."""
        table = corruption.place.table
        self._restore()
        if table not in self._failing:
            self._failing[table] = built(self._damaged, table)
            self._restore()
        with self._damaged.warehouse.connect() as connection:
            rows = corrupt(connection, corruption)
        if not rows:
            return Trial(corruption, 0, frozenset(), was_found=False)
        tests = built(self._damaged, table) - self._failing[table]
        now, *before = (judged(self._damaged, suites) for suites in self._suites)
        found = tests | (now - self._before[0])
        older = tests & self._older
        for failed, was in zip(before, self._before[1:], strict=True):
            older |= failed - was
        return Trial(corruption, rows, found, was_found=self._against is None or bool(older))

    def _restore(self) -> None:
        shutil.copyfile(self._good.home.warehouse, self._damaged.home.warehouse)


def show(number: int, trial: Trial) -> None:
    """One line of a trial."""
    by = ", ".join(sorted(trial.found_by)[:3]) or "SURVIVED"
    more = f" and {len(trial.found_by) - 3} more" if len(trial.found_by) > 3 else ""
    print(f"{number:3} {trial.corruption}, {trial.rows:,} rows: {by}{more}", flush=True)


def main() -> int:
    """Exit 0 when at least four of five corruptions were caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout whose checks are compared")
    chosen = parser.parse_args()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as root:
        bench = Bench(Path(root), chosen.seed, chosen.against)
        # Some change nothing (a column that is stuck already), so there are spare ones.
        for corruption in bench.draw(2 * chosen.count, chosen.seed):
            trial = bench.tried(corruption)
            if trial.rows:
                trials.append(trial)
                show(len(trials), trial)
            if len(trials) == chosen.count:
                break
    caught = [trial for trial in trials if trial.found_by]
    share = len(caught) / len(trials)
    survived = Counter(trial.corruption.name for trial in trials if not trial.found_by)
    print(f"caught {len(caught)} of {len(trials)}: {share:.0%}; survivors by kind {dict(survived)}")
    if chosen.against:
        older = sum(trial.was_found for trial in trials)
        print(f"the checks of {chosen.against} catch {older}: {older / len(trials):.0%}")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
