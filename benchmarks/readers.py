"""Readers that open, query and close the published file while it is published again and again.

    python benchmarks/readers.py --home var --publications 50

works on a copy of the home's warehouse. A read is torn when the lines' total differs from the
total that the same file states for its version. ``--in-place`` overwrites the file instead of
renaming a new one over it, to show that the measurement catches what it should: it must fail.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.publishing import publish, published_path
from dagster_project.core.publishing.versions import version_path
from dagster_project.core.warehouse import Warehouse, WriterLock

AUDIENCE = "analyst"
TOTALS = """
select
    (select max(version) from ops.publication) as version,
    (select sum(net_amount_reporting)::double from core.fct_sales_line) as lines,
    (
        select sum(total) from ops.headline
        where
            metric = 'net_sales_amount_reporting'
            and version = (select max(version) from ops.publication)
    ) as stated
"""
CENT = 0.005  # totals are doubles here; half a cent is far above their rounding
IN_PLACE_SECONDS = 0.5  # what half of a 350 MB file (two million lines) takes to write
NEW_SALE = """
insert into core.fct_sales_line by name
select * replace (-{number} as sales_line_key, 1 as net_amount_reporting)
from core.fct_sales_line
limit 1;
insert into sales.sales_daily by name
select * replace (1 as net_sales_amount_reporting)
from sales.sales_daily
limit 1
"""


@dataclass
class Reads:
    """What one reader met."""

    count: int = 0
    failed: int = 0
    torn: int = 0
    versions: int = 0
    slowest_seconds: float = 0.0
    first_error: str = ""


def read_until_stopped(path: str, stop: Any, results: Any) -> None:
    """Open, query, close, and again, until told to stop; one Reads into the queue."""
    reads, seen = Reads(), set()
    while not stop.is_set():
        begun = time.perf_counter()
        try:
            with duckdb.connect(path, read_only=True) as connection:
                version, lines, stated = connection.execute(TOTALS).fetchone()
        except (duckdb.Error, UnicodeDecodeError) as error:
            reads.failed += 1
            reads.first_error = reads.first_error or str(error).splitlines()[0]
        else:
            seen.add(version)
            reads.torn += abs(lines - stated) > CENT
        reads.count += 1
        reads.slowest_seconds = max(reads.slowest_seconds, time.perf_counter() - begun)
    reads.versions = len(seen)
    results.put(reads)


def copy_home(home: Home, root: Path) -> Home:
    """The home's key and warehouse, in a home of its own."""
    copied = Home(root).create()
    shutil.copy(home.key_file, copied.key_file)
    with WriterLock(home):
        shutil.copy(home.warehouse, copied.warehouse)
    return copied


def publish_once(warehouse: Warehouse, manifest: Path, number: int, in_place: bool) -> None:
    """Add one sale and publish; in place means over the bytes that readers have open."""
    with warehouse.connect() as connection:
        connection.execute(NEW_SALE.format(number=number))
        connection.execute("update ops.build_state set built_batch_id = built_batch_id + 1")
    home = warehouse.home
    target = published_path(home, AUDIENCE)
    before = target.read_bytes() if in_place else b""
    outcome = publish(warehouse, AUDIENCE, manifest, run_id=f"reader-{number}")
    if not outcome.is_new:
        raise RuntimeError(f"publication {number} was not new: {outcome.reason}")
    if in_place:
        write_in_place(target, before, version_path(home, AUDIENCE, outcome.version).read_bytes())


def write_in_place(target: Path, before: bytes, after: bytes) -> None:
    """Overwrite the bytes of the version before, as a writer without a temporary file does."""
    target.unlink()  # a file of its own: the published one is also the kept version
    target.write_bytes(before)
    with target.open("wb", buffering=0) as handle:
        handle.write(after[: len(after) // 2])
        time.sleep(IN_PLACE_SECONDS)
        handle.write(after[len(after) // 2 :])


def measure(
    home: Home, manifest: Path, *, publications: int, readers: int, in_place: bool
) -> dict[str, Any]:
    """Publish so many times beside so many readers; counts of all readers and the seconds."""
    warehouse = Warehouse(home, load_master_key(home, {}))
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Event(), spawn.Queue()
    with WriterLock(home):
        publish_once(warehouse, manifest, 1, in_place=False)
        arguments = (str(published_path(home, AUDIENCE)), stop, results)
        processes = [
            spawn.Process(target=read_until_stopped, args=arguments) for _ in range(readers)
        ]
        for process in processes:
            process.start()
        time.sleep(1)  # the readers' interpreters start
        begun = time.perf_counter()
        for number in range(2, publications + 2):
            publish_once(warehouse, manifest, number, in_place)
        seconds = time.perf_counter() - begun
        stop.set()
        reads = [results.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
    return {
        "publications": publications,
        "seconds_per_publication": round(seconds / publications, 2),
        "file_bytes": published_path(home, AUDIENCE).stat().st_size,
        "reads": sum(r.count for r in reads),
        "failed": sum(r.failed for r in reads),
        "torn": sum(r.torn for r in reads),
        "readers": [asdict(r) for r in reads],
    }


def main() -> int:
    """Exit 0 when no read failed or was torn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, help="dbt's manifest; the project's by default")
    parser.add_argument("--publications", type=int, default=50)
    parser.add_argument("--readers", type=int, default=1)
    parser.add_argument("--in-place", action="store_true")
    chosen = parser.parse_args()
    home = Home(chosen.home.resolve())
    manifest = chosen.manifest or ensure_manifest(home)
    with tempfile.TemporaryDirectory(dir=home.root, prefix=".readers-") as directory:
        found = measure(
            copy_home(home, Path(directory)),
            manifest,
            publications=chosen.publications,
            readers=chosen.readers,
            in_place=chosen.in_place,
        )
    print(json.dumps(found, indent=2))
    return 1 if found["failed"] or found["torn"] else 0


if __name__ == "__main__":
    sys.exit(main())
