"""Rows per second of loading a feed, against a bare typed ``read_csv``, in the same run.

    python benchmarks/loading.py --rows 2000000 --files 8 --times 3

Both read the same clean files of receipt lines. The bare side is one ``create table … as select``
of DuckDB's reader with declared types, into a database file of its own: no check, no key, no
ledger, no copy of the originals, no encryption. Prints the best of each, CPU seconds, the ratio
of their rows per second (design: at least 0.7) and the peak memory of the loading process.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas  # noqa: F401 - the engine imports it at its first bound value: no part of a load

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import create_raw_tables, load_feed
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import THREADS, Warehouse

Spent = tuple[float, float]  # wall seconds, CPU seconds
COLUMNS = {
    "bon_no": "varchar",
    "pos": "bigint",
    "kind": "varchar",
    "article": "varchar",
    "qty": "decimal(18,3)",
    "price_each": "decimal(18,4)",
    "list_value": "decimal(18,4)",
    "reduction": "decimal(18,4)",
    "vat": "decimal(18,4)",
    "cost": "decimal(18,4)",
    "action_code": "varchar",
    "ref_bon": "varchar",
    "ref_pos": "bigint",
    "closed_at": "timestamptz",
}
FIELDS = {
    "receipt_id": "bon_no",
    "line_number": "pos",
    "line_type": "case kind when 'S' then 'sale' else kind end",
    "product_code": "article",
    "quantity": "qty",
    "unit_price": "price_each",
    "list_amount": "list_value",
    "discount_amount": "reduction",
    "tax_amount": "vat",
    "cost_amount": "cost",
    "promotion_code": "action_code",
    "original_receipt_id": "ref_bon",
    "original_line_number": "ref_pos",
    "sold_at": "closed_at",
}
LINES = Feed(
    feed="bench_lines",
    description="Receipt lines of many shops.",
    sender="bench",
    template="pos_standard",
    owner="benchmark",
    format="csv",
    arrival={"complete_by": "rename"},
    dialect={"delimiter": ";"},
    columns=dict.fromkeys(COLUMNS, ()),
    records={"line": {"fields": FIELDS}},
)
# Receipts of four lines; prices and times as a shop's. Deterministic: hash() of the line number.
MADE = """
select
    'CN-' || lpad((i // 4)::varchar, 9, '0') as bon_no,
    i % 4 + 1 as pos,
    'S' as kind,
    'P' || (hash(i) % 5000) as article,
    (hash(i) % 5 + 1)::decimal(18, 3) as qty,
    (hash(i * 7) % 10000 / 100)::decimal(18, 2) as price_each,
    (hash(i * 7) % 10000 / 100)::decimal(18, 2) as list_value,
    0.00 as reduction,
    (hash(i * 3) % 500 / 100)::decimal(18, 2) as vat,
    (hash(i * 5) % 500 / 100)::decimal(18, 2) as cost,
    case when i % 7 = 0 then 'A' || (i % 9) end as action_code,
    null as ref_bon,
    null as ref_pos,
    strftime(timestamp '2017-01-01' + (i // 4 * interval 7 second), '%Y-%m-%dT%H:%M:%S+08:00')
        as closed_at
from range($1, $2) as made(i)
"""


def make_files(folder: Path, rows: int, files: int) -> None:
    """Write the lines as so many files of one size."""
    folder.mkdir(parents=True)
    with duckdb.connect(config={"threads": THREADS}) as engine:
        engine.execute("set enable_progress_bar = false")
        for number in range(files):
            share = [rows * number // files, rows * (number + 1) // files]
            target = folder / f"lines_{number:05d}.csv"
            engine.execute(f"copy ({MADE}) to '{target}' (header, delimiter ';')", share)


def spent(work: Callable[[], object]) -> Spent:
    """Run something; its wall seconds and the CPU seconds of this process."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def load_bare(folder: Path, work: Path) -> Spent:
    """What it takes the bare typed reader into a table of a new file."""
    target = work / "bare.duckdb"
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect(str(target), config={"threads": THREADS}) as engine:
        engine.execute("set enable_progress_bar = false")
        taken = spent(
            lambda: engine.execute(
                f"create table lines as select * from read_csv('{folder}/*.csv', delim = ';', "
                f"header = true, auto_detect = false, columns = {{{types}}})"
            )
        )
    target.unlink()
    return taken


def load_with_everything(folder: Path, work: Path) -> Spent:
    """What it takes ``load_feed``, from files in the landing folder to committed rows."""
    warehouse = Warehouse(Home(work / "home").create(), MasterKey(b"b" * 32))
    warehouse.create()
    templates = load_templates(TEMPLATES)
    with warehouse.connect() as connection:
        create_raw_tables(connection, templates)
    shutil.copytree(folder, warehouse.home.landing / LINES.feed)
    outcomes = []
    taken = spent(lambda: outcomes.append(load_feed(warehouse, LINES, templates[LINES.template])))
    (outcome,) = outcomes
    if outcome.loaded_count != outcome.physical_count or outcome.quarantined:
        raise RuntimeError(f"the clean files did not load whole: {outcome}")
    shutil.rmtree(warehouse.home.root)
    return taken


def measured(way: Callable[[Path, Path], Spent], folder: Path, work: Path) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (way, folder, work))


def _measure(way: Callable[[Path, Path], Spent], folder: Path, work: Path) -> dict[str, float]:
    seconds, cpu = way(folder, work)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "cpu": cpu, "peak_gb": peak / 2**20}


def main() -> None:
    """Measure both ways alternately and print the best of each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        make_files(work / "files", chosen.rows, chosen.files)
        bare, whole = [], []
        for _ in range(chosen.times):
            bare.append(measured(load_bare, work / "files", work))
            whole.append(measured(load_with_everything, work / "files", work))
    best_bare = min(bare, key=lambda run: run["seconds"])
    best_whole = min(whole, key=lambda run: run["seconds"])
    ratio = best_bare["seconds"] / best_whole["seconds"]
    if chosen.json:
        print(json.dumps({"bare": best_bare, "load_feed": best_whole, "ratio": ratio}))
        return
    for name, run in (("bare read_csv", best_bare), ("load_feed", best_whole)):
        print(
            f"{name:<14}{chosen.rows / run['seconds']:>12,.0f} rows/s {run['seconds']:>8.2f} s "
            f"{run['cpu']:>8.2f} s of CPU {run['peak_gb']:>6.2f} GB at its peak"
        )
    print(f"{'ratio':<14}{ratio:>12.2f}        (at least 0.70 wanted)")


if __name__ == "__main__":
    main()
