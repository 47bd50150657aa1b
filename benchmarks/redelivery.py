"""The same folder delivered again: seconds as a share of the first load, and rows that change.

    python -m benchmarks.redelivery --rows 1000000 --files 50

The files come again as they are, renamed, packed, with a byte order mark, with other line ends,
and with their columns in another order. Asked: no row changes, and at most 5 % of the time where
the content is the same (other columns make other contents, whose rows are compared one by one).
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas  # noqa: F401 - the engine imports it at its first bound value: no part of a load

from benchmarks.loading import LINES, Spent, make_files, spent
from dagster_project.core.declarations import load_templates
from dagster_project.core.feeds import create_raw_tables, load_feed
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

ASKED_SHARE = 0.05
STATE = "select count(*), coalesce(sum(hash(r)::hugeint), 0) from raw.pos_standard__line as r"
Content = Callable[[bytes], bytes]


def turned(content: bytes) -> bytes:
    """The columns of a file without quotes, last one first."""
    lines = [line.split(b";") for line in content.split(b"\n")]
    return b"\n".join(b";".join(reversed(line)) for line in lines)


WAYS: dict[str, tuple[str, Content]] = {
    "the same": ("{}", lambda content: content),
    "renamed": ("again_{}", lambda content: content),
    "packed": ("{}.gz", lambda content: gzip.compress(content, 1)),
    "with a mark": ("bom_{}", lambda content: b"\xef\xbb\xbf" + content),
    "CRLF": ("crlf_{}", lambda content: content.replace(b"\n", b"\r\n")),
    "columns turned": ("turned_{}", turned),
}


def deliver(files: list[Path], landing: Path, name: str, change: Content) -> None:
    """Put every file into the landing folder, otherwise named and written."""
    landing.mkdir(exist_ok=True)
    for path in files:
        (landing / name.format(path.name)).write_bytes(change(path.read_bytes()))


def load(warehouse: Warehouse) -> Spent:
    """What one load of everything delivered takes."""
    template = load_templates(TEMPLATES)[LINES.template]
    return spent(lambda: load_feed(warehouse, LINES, template))


def state(warehouse: Warehouse) -> tuple[int, int]:
    """Rows of raw and a sum of their hashes."""
    with warehouse.connect(read_only=True) as connection:
        row = connection.execute(STATE).fetchone()
    return row if row else (0, 0)


def main() -> int:
    """Exit 0 when no row changes and the same content takes at most the share asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=50)
    chosen = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as work:
        make_files(Path(work) / "files", chosen.rows, chosen.files)
        files = sorted((Path(work) / "files").glob("*.csv"))
        warehouse = Warehouse(Home(Path(work) / "home").create(), MasterKey(b"r" * 32))
        warehouse.create()
        with warehouse.connect() as connection:
            create_raw_tables(connection, load_templates(TEMPLATES))
        landing = warehouse.home.landing / LINES.feed
        deliver(files, landing, "{}", bytes)
        first, first_cpu = load(warehouse)
        before = state(warehouse)
        print(f"{'first load':<16}{first:>8.2f} s {first_cpu:>8.2f} s of CPU  {before[0]:,} rows")
        for way, (name, change) in WAYS.items():
            deliver(files, landing, name, change)
            seconds, cpu = load(warehouse)
            changes = "0 rows change" if state(warehouse) == before else "ROWS CHANGE"
            shares = f"{seconds / first:>6.1%}, of CPU {cpu / first_cpu:.1%}"
            print(f"{way:<16}{seconds:>8.2f} s {cpu:>8.2f} s of CPU {shares}  {changes}")
            is_slow = way != "columns turned" and seconds > ASKED_SHARE * first
            failed |= is_slow or state(warehouse) != before
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
