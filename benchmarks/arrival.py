"""A till file dropped into a landing folder until its receipt is in the published figures.

    python -m benchmarks.arrival --home var

Works on a copy of a refreshed home with the real grocery year. The copy is refreshed once, so that
nothing but the file is new; then Dagster's own daemon runs with the landing sensor switched on, one
file with one receipt is dropped, and the published file is looked at as a reader does, twice a
second. Fails when that takes longer than two minutes, or when any other day's rows have changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from dagster_project.console.deployment import dagster_home, open_instance
from dagster_project.core.home import HOME_VARIABLE, PROJECT, Home, locate_home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse

SENSOR = "landing_folders"
FEED = "journey_transactions"
LIMIT_SECONDS = 120.0
PATIENCE_SECONDS = 900.0  # for what is waited for before and beside the measurement
LOOK_SECONDS = 0.5
AMOUNT = Decimal("12.34")
HEADER = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,"
    "coupon_disc,coupon_match_disc,week,transaction_timestamp\n"
)
# Somebody who bought something somewhere on the last day: a delivered line under a new receipt.
LAST_LINE = """
select line.receipt_id, receipt.store_code, line.product_code, line.sold_at
from raw.pos_standard__line as line
inner join raw.pos_standard__receipt as receipt using (_sender, receipt_id)
where line._feed = ? order by line.sold_at desc, line.receipt_id, line.line_number limit 1
"""
DAYS = """
select sender || ' ' || business_date, count(*), bit_xor(hash(line))
from core.fct_sales_line as line group by all
"""
Days = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Receipt:
    """The one receipt that is delivered."""

    number: str
    store: str
    product: str
    sold_at: datetime

    def content(self) -> str:
        """The file as the sender writes it."""
        sold_at = f"{self.sold_at:%Y-%m-%d %H:%M:%S}"
        return (
            f"{HEADER}1,{self.store},{self.number},{self.product},1,{AMOUNT},0,0,0,53,{sold_at}\n"
        )


def copied(home: Home, root: Path) -> Home:
    """The home in another place, without what waits in it."""
    copy = Home(root / "home")
    shutil.copytree(home.root, copy.root, ignore=shutil.ignore_patterns("landing", "builds"))
    return copy.create()


def environment(home: Home) -> dict[str, str]:
    """For every process that works on the copy."""
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    own = {HOME_VARIABLE: str(home.root), "DAGSTER_HOME": str(dagster_home(home))}
    return os.environ | own | {"PYTHONPATH": path, "DAGSTER_DISABLE_TELEMETRY": "yes"}


def run(home: Home, *arguments: str) -> float:
    """One command to its end; its seconds. Raises RuntimeError with its last words."""
    begun = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        check=False,
        cwd=PROJECT,
        env=environment(home),
        capture_output=True,
        text=True,
    )
    if ended.returncode > 1:  # 1: something was held back, as the demo's own faults are
        raise RuntimeError(f"{' '.join(arguments)}: {(ended.stderr or ended.stdout)[-2000:]}")
    return time.perf_counter() - begun


@contextmanager
def daemon(home: Home, log: Path) -> Iterator[None]:
    """Dagster's daemon with the sensor on; it and everything it started ends with the block."""
    run(home, "dagster", "sensor", "start", SENSOR, "-w", "workspace.yaml", "-l", "tillhouse")
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment(home),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def ticks(instance: dg.DagsterInstance) -> int:
    """How often the sensor has looked."""
    states = [s for s in instance.all_instigator_state() if s.instigator_name == SENSOR]
    return sum(len(instance.get_ticks(s.instigator_origin_id, s.selector_id)) for s in states)


def wait(what: str, happened: Any, seconds: float, pause: float = LOOK_SECONDS) -> Any:
    """What ``happened()`` says once it is true; raises RuntimeError when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen within {seconds:.0f} seconds")
        time.sleep(pause)
    return found


def published_amount(home: Home, receipt: Receipt) -> Decimal | None:
    """What a reader finds for the receipt."""
    path = home.published / "analyst.duckdb"
    with duckdb.connect(str(path), read_only=True) as reader:
        row = reader.execute(
            "select sum(net_amount) from core.fct_sales_line where receipt_id = ?",
            [receipt.number],
        ).fetchone()
    return row[0] if row else None


def days(warehouse: Warehouse) -> Days:
    """Rows and content of every business day of every sender."""
    with warehouse.connect(read_only=True) as connection:
        rows = connection.execute(DAYS).fetchall()
    return {day: (count, digest) for day, count, digest in rows}


def new_receipt(warehouse: Warehouse) -> Receipt:
    """A receipt like the last one, a minute earlier and under a number of its own."""
    with warehouse.connect(read_only=True) as connection:
        row = connection.execute(LAST_LINE, [FEED]).fetchone()
    if row is None:
        raise RuntimeError("no grocery lines here; run `tillhouse demo` first")
    number, store, product, sold_at = row
    return Receipt(f"9{number}", store, product, sold_at - timedelta(minutes=1))


def drop(home: Home, receipt: Receipt) -> float:
    """Deliver the file by rename; the moment it lay there, in seconds since 1970."""
    folder = home.landing / FEED
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "transactions_arrival.csv.part"
    part.write_text(receipt.content(), "utf-8")
    part.rename(folder / "transactions_arrival.csv")
    return time.time()


def steps(instance: dg.DagsterInstance, dropped: float) -> dict[str, float]:
    """Seconds after the drop at which the run was asked for, began and ended each step."""
    [record] = instance.get_run_records(dg.RunsFilter(job_name="refresh"), limit=1)
    told = {"asked for": record.create_timestamp.timestamp() - dropped}
    for entry in instance.all_logs(record.dagster_run.run_id):
        event = entry.dagster_event
        if event is None:
            continue
        if event.event_type == dg.DagsterEventType.RUN_START:
            told["run began"] = entry.timestamp - dropped
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS and event.step_key:
            told[event.step_key] = entry.timestamp - dropped
    return told


def durations(told: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each step: one after the other in one process; feeds without files as one."""
    found: dict[str, float] = {}
    before = 0.0
    for name, ended in sorted(told.items(), key=lambda item: item[1]):
        shown = "feeds" if name.startswith("feed__") else name
        found[shown] = round(found.get(shown, 0.0) + ended - before, 1)
        before = ended
    return found


def measure(home: Home, log: Path) -> dict[str, Any]:
    """Everything measured on a home that may be changed; figures by name."""
    warehouse = Warehouse(home, load_master_key(home))
    prepared = run(home, "dagster_project.cli", "--home", str(home.root), "refresh")
    receipt, before = new_receipt(warehouse), days(warehouse)
    with open_instance(home) as instance, daemon(home, log):
        wait("the sensor's first look", lambda: ticks(instance) > 0, PATIENCE_SECONDS)
        dropped = drop(home, receipt)
        amount = wait("the publication", lambda: published_amount(home, receipt), PATIENCE_SECONDS)
        seconds = time.time() - dropped
        wait("the run's end", lambda: not running(instance), PATIENCE_SECONDS)
        told = steps(instance, dropped)
    after = days(warehouse)
    changed = sorted(day for day in after if after[day] != before.get(day))
    return {
        "refresh_before_seconds": round(prepared, 1),
        "till_lines": sum(count for count, _ in after.values()),
        "days": len(after),
        "days_changed": changed,
        "amount_delivered": str(AMOUNT),
        "amount_published": str(amount),
        "dropped_to_published_seconds": round(seconds, 1),
        "steps_seconds": durations(told),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def running(instance: dg.DagsterInstance) -> bool:
    """Whether any run has not ended."""
    statuses = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
    statuses += [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    return instance.get_runs_count(dg.RunsFilter(statuses=statuses)) > 0


def main() -> int:
    """Print the figures as JSON; 0 when the receipt was published in time, on its day alone."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--home", help="a refreshed home; default: TILLHOUSE_HOME, else ./var")
    parser.add_argument("--root", type=Path, help="where the copy is made; a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="arrival-") as directory:
        copy = copied(locate_home(chosen.home), Path(directory))
        found = measure(copy, Path(directory) / "daemon.log")
    print(json.dumps(found, indent=2))
    is_right = Decimal(found["amount_published"]) == AMOUNT
    in_time = found["dropped_to_published_seconds"] <= LIMIT_SECONDS
    return 0 if is_right and in_time and len(found["days_changed"]) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
