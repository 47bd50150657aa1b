r"""Kills a command at random moments, runs it again to the end, and compares the outcome.

    python tests/pipeline/kill_harness.py --trials 20 --deliveries DIR -- \
        tillhouse refresh --home {home}

runs the command once undisturbed in a fresh home, and then, per trial, in another fresh home:
killed with SIGKILL, with everything it started, and run again until it ends by itself. The moment
is a random one, or by turns (``--points``) that at which a state of ``POINTS`` is first seen on
the disk. Every table of both warehouses is then compared as a multiset of rows, columns that say
when or in which batch something was loaded left out. Exit 1 when a trial differs.

Without a command the loader alone is tried on made-up till lines; ``--naive`` tries one that
commits rows and ledger apart from each other, which must fail.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import create_raw_tables, load, load_feed, recognise, store
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import KEY_VARIABLE, MasterKey
from dagster_project.core.warehouse import Warehouse, WriterLock

KEY = MasterKey(b"k" * 32)
NAIVE_REST_SECONDS = 0.05
POLL_SECONDS = 0.0005
SCHEMAS = ("raw", "ops", "vault", "core", "customer")
# What a second attempt may write otherwise: when, in which batch, under which random name.
LOAD_COLUMNS = frozenset({
    "_batch_id", "batch_id", "replayed_batch_id", "changed_batch_id", "built_batch_id",
    "arrived_at", "committed_at", "built_at", "checked_at", "raised_at", "run_id", "event_at",
    "first_seen_at", "last_seen_at", "resolved_at",
})  # fmt: skip
# One row per attempt, not per fact: they tell the history, which differs.
HISTORY = frozenset({"ops.batch", "ops.build_state", "ops.check_result", "ops.alarm"})
ENDS_WELL = (0, 1)  # 1: a check or a file was held back as the policy says
Fingerprint = dict[str, tuple[int, int]]  # table → rows, order-free sum of row hashes


def _holders(home: Home) -> int:
    """Files taken from landing folders and not yet given up."""
    return sum(1 for _ in home.landing.glob("*/.claimed/*/*"))


def _is_kept(home: Home) -> bool:
    """Whether the store has an original, by itself or in a pack."""
    return any(home.store.glob("*/*.*"))


def _wal_bytes(home: Home) -> int:
    log = home.warehouse.with_name(f"{home.warehouse.name}.wal")
    return log.stat().st_size if log.exists() else 0


# States of a load that can be seen from outside. Each is asked of the home and what it held at
# the start; a file may vanish while it is looked at, which is asked again.
POINTS: dict[str, Callable[[Home, int], bool]] = {
    "a file was taken": lambda home, _: _holders(home) > 0,
    "every file was taken": lambda home, waiting: _holders(home) >= waiting > 0,
    "an original is being sealed": lambda home, _: any(home.store.glob(".sealing-*")),
    "a text lies in scratch": lambda home, _: any(home.scratch.iterdir()),
    "an original was kept": lambda home, _: _is_kept(home),
    "a transaction is in the log": lambda home, _: _wal_bytes(home) > 1 << 16,
    "a file was given up": lambda home, waiting: _is_kept(home) and 0 < _holders(home) < waiting,
    "half of the files were given up": lambda home, waiting: (
        _is_kept(home) and _holders(home) <= waiting // 2
    ),
}
NAIVE_ROWS_ARE_IN = "the naive loader's rows are in"
NAIVE_POINTS: dict[str, Callable[[Home, int], bool]] = {
    NAIVE_ROWS_ARE_IN: lambda home, _: (home.root / "rows-are-in").exists()
}


@dataclass(frozen=True)
class Trial:
    """One home in which the command was killed and run again."""

    number: int
    killed_at: str | None  # a point, or seconds; nothing: it had ended before
    differing_tables: tuple[str, ...]


def fingerprint(warehouse: Warehouse, schemas: tuple[str, ...] = SCHEMAS) -> Fingerprint:
    """Rows and content of every table, whatever the order and time of loading."""
    with warehouse.connect(read_only=True) as connection:
        columns = connection.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns() "
            "where database_name = 'warehouse' and list_contains(?, schema_name) "
            "and schema_name || '.' || table_name in (select schema_name || '.' || table_name "
            "from duckdb_tables()) order by all",
            [list(schemas)],
        ).fetchall()
        tables: dict[str, list[str]] = {}
        for table, column in columns:
            if table not in HISTORY and column not in LOAD_COLUMNS:
                tables.setdefault(table, []).append(f'"{column}"')
        return {table: _of_table(connection, table, names) for table, names in tables.items()}


def _of_table(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]
) -> tuple[int, int]:
    row = connection.execute(
        f"select count(*), coalesce(sum(hash({', '.join(columns)})::hugeint), 0) from {table}"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def run_to_end(command: list[str], environment: Mapping[str, str]) -> float:
    """Run the command undisturbed; seconds it took. Raises RuntimeError when it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode not in ENDS_WELL:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return time.monotonic() - began


def kill_at(command: list[str], environment: Mapping[str, str], seconds: float) -> bool:
    """Run the command and kill it and its children after so long; whether it was still running."""
    child = subprocess.Popen(
        command,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return True
    return False


def kill_when(command: list[str], home: Home, point: str) -> bool:
    """Run the command and kill it and its children when a state is first seen."""
    waiting = sum(1 for path in home.landing.glob("*/*") if path.is_file()) + _holders(home)
    child = subprocess.Popen(
        command,
        env=_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while child.poll() is None:
        try:
            is_there = (POINTS | NAIVE_POINTS)[point](home, waiting)
        except FileNotFoundError:
            continue
        if is_there:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return True
        time.sleep(POLL_SECONDS)
    return False


def survive(
    command: list[str],
    prepare: Callable[[Home], None],
    work: Path,
    *,
    trials: int,
    seed: int,
    kills: int = 1,
    earliest: float = 0.0,
    points: Sequence[str | None] = (None,),
    on_trial: Callable[[Trial], None] | None = None,
) -> list[Trial]:
    """Kill and repeat the command in a fresh home per trial, and compare with a clean run.

    ``{home}`` in the command is replaced; ``prepare`` fills a fresh home with deliveries. Kills
    fall after the ``earliest`` share of the time that the clean run took, or at ``points``, which
    are taken by turns; none is a random moment.
    """
    chance = random.Random(seed)
    clean = _home(work / "clean", prepare)
    lasts = run_to_end(_at(command, clean), _environment(clean))
    expected = fingerprint(Warehouse(clean, KEY))
    found = []
    for number in range(trials):
        home = _home(work / f"trial-{number}", prepare)
        killed_at = None
        for kill in range(number * kills, (number + 1) * kills):
            point = points[kill % len(points)]
            moment = chance.uniform(earliest, 1.0) * lasts
            if point is None:
                was_killed = kill_at(_at(command, home), _environment(home), moment)
            else:
                was_killed = kill_when(_at(command, home), home, point)
            if was_killed:
                killed_at = point or f"{moment:.2f} s"
        run_to_end(_at(command, home), _environment(home))
        actual = fingerprint(Warehouse(home, KEY))
        names = sorted(expected.keys() | actual.keys())
        differing = tuple(name for name in names if expected.get(name) != actual.get(name))
        found.append(Trial(number, killed_at, differing))
        if on_trial:
            on_trial(found[-1])
        shutil.rmtree(home.root)
    return found


def _home(root: Path, prepare: Callable[[Home], None]) -> Home:
    home = Home(root).create()
    prepare(home)
    return home


def _at(command: list[str], home: Home) -> list[str]:
    return [part.replace("{home}", str(home.root)) for part in command]


def _environment(home: Home) -> dict[str, str]:
    own = {"TILLHOUSE_HOME": str(home.root), KEY_VARIABLE: KEY.secret.hex()}
    return dict(os.environ) | own


# The loader by itself -------------------------------------------------------------------------

TILL = Feed(
    feed="till",
    description="Lines of one till.",
    sender="corner",
    template="pos_standard",
    owner="test",
    format="csv",
    arrival={"complete_by": "rename", "reject_threshold": 0.5},
    columns={"bon": (), "pos": (), "sku": (), "amount": (), "at": ()},
    records={
        "line": {
            "fields": {
                "receipt_id": "bon",
                "line_number": "pos",
                "line_type": "'sale'",
                "product_code": "sku",
                "quantity": "'1'",
                "list_amount": "amount",
                "discount_amount": "'0'",
                "tax_amount": "'0'",
                "sold_at": "at",
            }
        }
    },
)


def deliver_till_lines(home: Home, *, files: int = 60, rows: int = 200) -> None:
    """Files of receipt lines; every tenth has a bad row, every twentieth repeats another file."""
    folder = home.landing / TILL.feed
    folder.mkdir()
    for number in range(files):
        source = number - 1 if number % 20 == 19 else number
        count = rows if source % 2 else rows // 2
        lines = [f"R{source}-{n},1,milk,{n}.50,2017-03-01 10:00:00\n" for n in range(count)]
        if source % 10 == 0:
            lines.append(f"R{source}-x,1,milk,much,2017-03-01 10:00:00\n")
        (folder / f"{number:04d}.csv").write_text("bon,pos,sku,amount,at\n" + "".join(lines))


def load_till(home: Home) -> None:
    """The real loader, in small batches so that kills fall between and into commits."""
    load.MAX_BATCH_FILES = 4
    # Both ways of a file in every batch: in memory and into a pack, through scratch and by itself.
    recognise.IN_MEMORY_BYTES = 7_000
    store.LOOSE = 1
    warehouse = Warehouse(home, KEY)
    with WriterLock(home).acquire():
        warehouse.create()
        load_feed(warehouse, TILL, load_templates(TEMPLATES)["pos_standard"])


def load_till_naively(home: Home) -> None:
    """What everybody writes first: rows are committed, and afterwards the ledger.

    It rests at every file, so that nearly all of its time lies between the two, however fast the
    machine starts a process: a kill that misses that time would prove nothing.
    """
    warehouse = Warehouse(home, KEY)
    with WriterLock(home).acquire():
        warehouse.create()
        with warehouse.connect() as connection:
            create_raw_tables(connection, load_templates(TEMPLATES))
            listed = connection.execute("select original_name from ops.file_ledger").fetchall()
            known = {row[0] for row in listed}
            files = sorted((home.landing / TILL.feed).glob("*.csv"))
            fresh = [path for path in files if path.name not in known]
            for path in fresh:
                time.sleep(NAIVE_REST_SECONDS)
                connection.execute(
                    "insert into raw.pos_standard__line (receipt_id, line_number, product_code, "
                    "_record_key, _content_hash, _sender, _feed, _file_id, _record_number, "
                    "_batch_id) select bon, pos, sku, 0, 0, 'corner', 'till', ?, 0, 0 "
                    f"from read_csv('{path}')",
                    [path.name],
                )
            (home.root / "rows-are-in").touch()
            for path in fresh:
                time.sleep(NAIVE_REST_SECONDS)
                connection.execute(
                    "insert into ops.file_ledger (file_id, feed, original_name, size_bytes, "
                    "arrived_at, physical_count, loaded_count, rejected_count, duplicate_count, "
                    "status) values (?, 'till', ?, 0, current_timestamp, 0, 0, 0, 0, 'loaded')",
                    [path.name, path.name],
                )


def loader_command(kind: str) -> list[str]:
    """The command that runs one of the two loaders over ``{home}``."""
    return [sys.executable, str(Path(__file__).resolve()), f"--{kind}-child", "{home}"]


def main() -> int:
    """Run the harness from a terminal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=1, help="per trial")
    parser.add_argument("--points", action="store_true", help="kill at named points as well")
    parser.add_argument("--deliveries", type=Path, help="a folder with landing/<feed>/…")
    parser.add_argument("--naive", action="store_true", help="try the loader that must fail")
    parser.add_argument("--load-child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--naive-child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help="with {home}; the loader alone without one")
    chosen = parser.parse_args()
    if chosen.load_child:
        load_till(Home(chosen.load_child))
        return 0
    if chosen.naive_child:
        load_till_naively(Home(chosen.naive_child))
        return 0
    return _try(chosen)


def _tell(trial: Trial) -> None:
    when = f"killed at: {trial.killed_at}" if trial.killed_at else "not killed"
    print(f"trial {trial.number}: {when}: {trial.differing_tables or 'equal'}", flush=True)


def _try(chosen: argparse.Namespace) -> int:
    command = chosen.command or loader_command("naive" if chosen.naive else "load")

    def prepare(home: Home) -> None:
        if chosen.deliveries:
            landing = chosen.deliveries / "landing"
            shutil.copytree(landing, home.landing, dirs_exist_ok=True)
        else:
            deliver_till_lines(home)

    with tempfile.TemporaryDirectory() as work:
        found = survive(
            command,
            prepare,
            Path(work),
            trials=chosen.trials,
            seed=chosen.seed,
            kills=chosen.kills,
            points=(None, *POINTS) if chosen.points else (None,),
            on_trial=_tell,
        )
    bad = sum(bool(trial.differing_tables) for trial in found)
    print(f"{len(found) - bad} of {len(found)} equal the clean build")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
