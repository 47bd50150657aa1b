"""A whole refresh of a simulated banner against `dbt build` alone, and the same refresh again.

    python -m benchmarks.refresh 2M

Every step is a process of its own, so that seconds and peak memory are the kernel's figures. The
peer is dbt's own command line on the home that the refresh filled, everything built anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.core.home import DBT_PROJECT, Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse, WriterLock

# Arguments of `tillhouse simulate` that give about so many till lines (docs/simulation.md).
SCALES: dict[str, tuple[str, ...]] = {
    "0.5M": ("--stores", "12", "--days", "365", "--customers", "4000"),
    "2M": ("--stores", "12", "--days", "365", "--customers", "13500"),
    "10M": ("--stores", "48", "--days", "365", "--customers", "67600"),
}
GIBIBYTE = 2**20  # ru_maxrss is in KiB
COULD_NOT = 2


@dataclass(frozen=True)
class Run:
    """One process: wall and CPU seconds, the largest resident size in GiB, what it printed."""

    seconds: float
    cpu_seconds: float
    peak_gib: float
    output: str


def run(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Run to the end; raises RuntimeError with its last words when it could not."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            command, stdout=told, stderr=complaints, env=os.environ | (environment or {})
        )
        # wait4 gives the usage of this child and of its own children that it has waited for.
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
        told.seek(0)
        complaints.seek(0)
        output, words = told.read().decode(), complaints.read().decode()
    if child.returncode < 0 or child.returncode >= COULD_NOT:
        raise RuntimeError(f"{' '.join(command)}: {(words or output)[-2000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / GIBIBYTE, output)


def tillhouse(home: Path, *arguments: str) -> Run:
    """One command of the project's command line on a home."""
    command = [sys.executable, "-m", "dagster_project.cli", "--home", str(home), *arguments]
    return run(command)


def dbt_alone(home: Home, *words: str) -> Run:
    """dbt by its own command line, without unit tests; `build --full-refresh` unless told."""
    warehouse = Warehouse(home, load_master_key(home, {}))
    with tempfile.TemporaryDirectory() as target, WriterLock(home):
        command = [sys.executable, "-m", "dbt.cli.main", "--quiet"]
        command += [*(words or ("build", "--full-refresh"))]
        command += ["--exclude-resource-type", "unit_test", "--target-path", target]
        command += ["--log-path", target, "--project-dir", str(DBT_PROJECT)]
        command += ["--profiles-dir", str(DBT_PROJECT)]
        return run(command, warehouse.dbt_environment() | {"DO_NOT_TRACK": "1"})


def measure(scale: str, root: Path) -> dict[str, Any]:
    """Simulate, refresh, refresh again, build by dbt alone; figures by name."""
    home = Home(root)
    simulated = tillhouse(root, "simulate", *SCALES[scale], "--seed", "7", "--faults", "light")
    first = tillhouse(root, "--json", "refresh")
    again = tillhouse(root, "--json", "refresh")
    alone = dbt_alone(home)
    told = json.loads(first.output)
    models = told["phases"]["models"]
    with Warehouse(home, load_master_key(home, {})).connect(read_only=True) as connection:
        row = connection.execute("select count(*) from raw.pos_standard__line").fetchone()
    return {
        "till_lines": row[0] if row else 0,
        "simulate_seconds": round(simulated.seconds, 1),
        "simulate_peak_gib": round(simulated.peak_gib, 2),
        "refresh_seconds": round(first.seconds, 1),
        "refresh_cpu_seconds": round(first.cpu_seconds, 1),
        "refresh_peak_gib": round(first.peak_gib, 2),
        "phases": {name: round(seconds, 1) for name, seconds in told["phases"].items()},
        "dbt_alone_seconds": round(alone.seconds, 1),
        "dbt_alone_peak_gib": round(alone.peak_gib, 2),
        "refresh_to_dbt_alone": round(first.seconds / alone.seconds, 2),
        "models_step_to_dbt_alone": round(models / alone.seconds, 2),
        "again_seconds": round(again.seconds, 1),
        "again_share": round(again.seconds / first.seconds, 3),
        "published_version": told["publication"],
        "published_again": json.loads(again.output)["publication"],
    }


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scale", choices=SCALES)
    parser.add_argument("--root", type=Path, help="where the home is made; a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="bench-") as directory:
        print(json.dumps(measure(chosen.scale, Path(directory)), indent=2, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
