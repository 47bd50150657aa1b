"""Backups of a warehouse of a stated size: how long each of them takes to restore, by drills.

    python -m benchmarks.restore --megabytes 1000 --versions 14 --drills 10

Makes a home of its own in which every version adds rows and an original, backs it up after each,
then restores versions drawn at random (the oldest and the newest among them) into a scratch home,
where checksums, originals and reconciliations are compared. Asked: every drill succeeds, no
restore takes longer than two minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from dagster_project.core.backup import backup, restore_drill
from dagster_project.core.feeds.store import Original, Sealer
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse, WriterLock

ASKED_SECONDS = 120
KEY = MasterKey(b"r" * 32)
MEGABYTE = 1_000_000
ORIGINAL_BYTES = 20 * MEGABYTE
CHUNK_ROWS = 500_000
# Keys of seven digits, hashes and amounts: what a line of sale weighs once it is compressed.
ROWS = """
insert into core.fct_sales_line
select i, i // 3, (hash(i) % 100000)::integer, ((hash(i) >> 8) % 100000)::decimal(18, 2) / 100,
    timestamptz '2017-01-01 00:00:00+00' + to_seconds((hash(i) >> 16) % 31536000),
    to_hex(hash(i + 1))
from range({first}, {last}) as t(i)
"""


def fill(warehouse: Warehouse, megabytes: float, chance: random.Random) -> int:
    """Add rows until the file has grown to so many megabytes, and one original; all its rows."""
    with warehouse.connect() as connection:
        connection.execute(
            "create table if not exists core.fct_sales_line (sales_line_key bigint, "
            "transaction_key bigint, product_key integer, net_amount decimal(18, 2), "
            "sold_at timestamptz, note varchar)"
        )
        (count,) = connection.execute("select count(*) from core.fct_sales_line").fetchone()
        while warehouse.home.warehouse.stat().st_size < megabytes * MEGABYTE:
            connection.execute(ROWS.format(first=count, last=count + CHUNK_ROWS))
            connection.execute("checkpoint")
            count += CHUNK_ROWS
    given = warehouse.home.scratch / "given"
    content = chance.randbytes(ORIGINAL_BYTES)
    given.write_bytes(content)
    sealer = Sealer(warehouse.home, KEY)
    sealer.keep([Original(sha256(content).hexdigest(), str(given), None)])
    sealer.close()
    return count


def main() -> int:
    """Exit 0 when every drill succeeds in the time asked."""
    options = argparse.ArgumentParser()
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--versions", type=int, default=14)
    options.add_argument("--drills", type=int, default=10)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--directory", default=None, help="where the home is made")
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory(dir=chosen.directory) as work:
        warehouse = Warehouse(Home(Path(work) / "home").create(), KEY)
        warehouse.create()
        names = make_versions(warehouse, chosen.megabytes, chosen.versions, chance)
        seconds = [drill(warehouse, name) for name in drawn(names, chosen.drills, chance)]
    slowest = max(seconds)
    print(
        f"{len(seconds)} of {chosen.drills} drills, slowest restore {slowest:.1f} s "
        f"(asked: {ASKED_SECONDS} s), load average {os.getloadavg()[0]:.1f}"
    )
    return 0 if slowest <= ASKED_SECONDS else 1


def make_versions(
    warehouse: Warehouse, megabytes: int, versions: int, chance: random.Random
) -> list[str]:
    """Back up after every growth; the last few percent of the size come one by one."""
    names = []
    for version in range(versions):
        rows = fill(warehouse, megabytes * (0.9 + 0.1 * (version + 1) / versions), chance)
        begun = time.perf_counter()
        with WriterLock(warehouse.home).acquire() as lock:
            made = backup(warehouse, lock)
        print(
            f"version {version + 1}: {rows:,} rows, {made.size_bytes / MEGABYTE:,.0f} MB "
            f"backed up in {time.perf_counter() - begun:.1f} s",
            flush=True,
        )
        names.append(made.backup_id)
    return names


def drawn(names: list[str], drills: int, chance: random.Random) -> list[str]:
    """The oldest, the newest and others, in any order."""
    others = [chance.choice(names) for _ in range(max(0, drills - 2))]
    return chance.sample([names[0], names[-1], *others][:drills], drills)


def drill(warehouse: Warehouse, name: str) -> float:
    """Seconds of one restore, its drill passed."""
    begun = time.process_time()
    with WriterLock(warehouse.home).acquire():
        found = restore_drill(warehouse.home, KEY, name)
    print(
        f"{name}: {found.rows:,} rows, {found.original_count} originals restored in "
        f"{found.restore_seconds:.1f} s, drill {found.seconds:.1f} s, of which "
        f"{time.process_time() - begun:.1f} CPU s",
        flush=True,
    )
    return found.restore_seconds


if __name__ == "__main__":
    sys.exit(main())
