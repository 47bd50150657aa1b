"""Publishing a file of so many gigabytes against copying that file and syncing it.

    python -m benchmarks.publishing --gigabytes 1

The home is made by SQL: 28 columns of the kinds that marts have, with values that no storage packs
well, over 400 business days. Timed are the first publication, one after a day was added, and one
with nothing but another model; each against the median of three copies of the published file,
with fsync. Exit 1 when one of them takes longer than four copies. ``--profile`` says where the
time of the steps goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.core.home import PROJECT
from dagster_project.core.publishing import publish, published_path
from dagster_project.core.warehouse import Warehouse, WriterLock

sys.path.insert(0, str(PROJECT / "tests" / "unit"))

from sales_warehouse import CLASSES, build_sales_warehouse, manifest_for

AUDIENCE = "analyst"
MOST_COPIES = 4
DAYS = 400
ROW_BYTES = 125  # of the table below in a published file, measured at 1 M and 8 M rows
WIDE = "core.fct_wide"
KEYS, AMOUNTS, CODES = 6, 10, 6
ROWS = """
select
    i::bigint as wide_key, date '2017-01-01' + (i * {days} // {rows})::integer as business_date,
    timestamptz '2017-01-01 00:00:00+00' + to_seconds(hash(i, 1) % 34560000) as sold_at,
    'R-' || hash(i, 2) % 100000000 as receipt_id, {keys}, {amounts}, {codes},
    hash(i, 3) % 2 = 0 as is_gift, (hash(i, 4) % 1000) / 1000 as share,
from range({first}, {last}) as t(i)
"""


def columns(first: str, count: int, expression: str) -> str:
    """So many columns of a kind, each with random values of its own."""
    return ", ".join(f"{expression.format(n=n)} as {first}{n}" for n in range(count))


def wide_rows(first: int, last: int, rows: int) -> str:
    """The query of the mart's rows from one number to another."""
    return ROWS.format(
        first=first,
        last=last,
        rows=rows,
        days=DAYS,
        keys=", ".join(f"(hash(i, {n}, 'k') >> 1)::bigint as k{n}_key" for n in range(KEYS)),
        amounts=columns("amount_", AMOUNTS, "((hash(i, {n}) % 10000000) / 100)::decimal(18, 4)"),
        codes=columns("code_", CODES, "'C' || hash(i, {n}, 'c') % 5000"),
    )


def wide_home(root: Path, gigabytes: float) -> tuple[Warehouse, dict[str, Any], int]:
    """A small shop's warehouse with one wide mart beside it; the manifest; the mart's rows."""
    warehouse = build_sales_warehouse(root, days=4)
    rows = int(gigabytes * 1e9 / ROW_BYTES)
    with warehouse.connect() as connection:
        connection.execute(f"create table {WIDE} as {wide_rows(0, rows, rows)}")
        names = [name for name, *_ in connection.execute(f"describe {WIDE}").fetchall()]
    return warehouse, manifest_for(CLASSES | {WIDE: dict.fromkeys(names, "internal")}), rows


def copied_seconds(source: Path) -> float:
    """The median of three copies, each synced to the disk."""
    target = source.with_name(".copied")
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        shutil.copyfile(source, target)
        with target.open("rb") as handle:
            os.fsync(handle.fileno())
        seconds.append(time.perf_counter() - begun)
        target.unlink()
    return statistics.median(seconds)


def measure(root: Path, gigabytes: float, *, profile: bool) -> dict[str, Any]:
    """Seconds of each kind of publication and of a copy; where the time went, if asked."""
    warehouse, manifest, rows = wide_home(root, gigabytes)
    told: dict[str, Any] = {"rows": rows}
    kinds: dict[str, str] = {
        "first": "select 1",
        "a day more": f"insert into {WIDE} {wide_rows(rows, rows + rows // DAYS, rows)};"
        "update ops.build_state set built_batch_id = built_batch_id + 1",
        "another model": "update ops.build_state set fingerprint = 'code-2'",
    }
    with WriterLock(warehouse.home):
        for kind, change in kinds.items():
            with warehouse.connect() as connection:
                connection.execute(change)
            told[kind] = _timed(lambda: _publish(warehouse, manifest), profile=profile)
    path = published_path(warehouse.home, AUDIENCE)
    told["file_bytes"] = path.stat().st_size
    told["copy_seconds"] = round(copied_seconds(path), 2)
    for kind in kinds:
        told[kind]["copies"] = round(told[kind]["seconds"] / told["copy_seconds"], 2)
    return told


def _publish(warehouse: Warehouse, manifest: dict[str, Any]) -> None:
    outcome = publish(warehouse, AUDIENCE, manifest, run_id="bench")
    if not outcome.is_new:
        raise RuntimeError(f"nothing was published: {outcome.reason}")


def _timed(work: Callable[[], None], *, profile: bool) -> dict[str, Any]:
    recorder = cProfile.Profile()
    begun, cpu_begun = time.perf_counter(), time.process_time()
    if profile:
        recorder.runcall(work)
    else:
        work()
    told: dict[str, Any] = {
        "seconds": round(time.perf_counter() - begun, 2),
        "cpu_seconds": round(time.process_time() - cpu_begun, 2),
    }
    if profile:
        found = pstats.Stats(recorder).stats
        steps = {
            f"{Path(file).stem}.{name}": round(calls[3], 2)
            for (file, _, name), calls in found.items()
            if "publishing" in file and calls[3] >= 0.1
        }
        told["steps"] = dict(sorted(steps.items(), key=lambda step: -step[1]))
    return told


def main() -> int:
    """Exit 0 when no publication took longer than four copies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--root", type=Path, help="where the home is made; a temporary folder")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="publishing-") as directory:
        told = measure(Path(directory), chosen.gigabytes, profile=chosen.profile)
    print(json.dumps(told, indent=2))
    kinds = [one for one in told.values() if isinstance(one, dict)]
    return 0 if all(one["copies"] <= MOST_COPIES for one in kinds) else 1


if __name__ == "__main__":
    sys.exit(main())
