"""A real warehouse with a few hand-written raw rows, and real dbt over it.

Rows enter as the loader would write them (keys, duplicates, conflicts), without any file.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from dagster_project.core import dbt_process
from dagster_project.core.calendars import ensure_calendar
from dagster_project.core.declarations import SYSTEM_COLUMNS, Record, Template, load_templates
from dagster_project.core.home import DBT_PROJECT, PROJECT, TEMPLATES, Home
from dagster_project.core.identity.resolve import IDENTITY_TABLES
from dagster_project.core.keys import MasterKey
from dagster_project.core.modelling import PARSE, PARTIAL_PARSE, ensure_manifest
from dagster_project.core.warehouse import Warehouse

KEY = MasterKey(bytes(range(32)))
Row = Mapping[str, Any]


@dataclass(frozen=True)
class DbtRun:
    """How one dbt command ended, and what it said."""

    exit_code: int
    words: str
    target: Path

    def results(self) -> dict[str, str]:
        """Status by node id."""
        found = json.loads((self.target / "run_results.json").read_text("utf-8"))
        return {result["unique_id"]: result["status"] for result in found["results"]}


class SmallWarehouse:
    """A home of its own below ``directory``, with every raw table there and empty."""

    def __init__(self, directory: Path) -> None:
        self._open(Home(directory / "home").create(), directory)
        self._create()

    @classmethod
    def around(cls, home: Home, directory: Path) -> SmallWarehouse:
        """One on a home that stands already, made with the key of this module."""
        found = cls.__new__(cls)
        found._open(home, directory)
        return found

    def _open(self, home: Home, directory: Path) -> None:
        self.home = home
        self.warehouse = Warehouse(home, KEY)
        self._empty_user_home = directory / "user"
        self._empty_user_home.mkdir(exist_ok=True)
        self.templates = load_templates(TEMPLATES)

    def _create(self) -> None:
        empty, _ = _empty_warehouse()
        shutil.copyfile(empty, self.home.warehouse)

    def deliver(self, table: str, rows: Sequence[Row], *, batch: int, sender: str = "s") -> None:
        """Write rows of one raw table as one load: repeats are left out, conflicts noted."""
        with self.warehouse.connect() as connection:
            self.deliver_through(connection, table, rows, batch=batch, sender=sender)

    def deliver_through(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        rows: Sequence[Row],
        *,
        batch: int,
        sender: str = "s",
    ) -> None:
        """As ``deliver``, for one of many loads: opening takes longer than most of them."""
        template, name = self._find(table)
        record = template.records[name]
        connection.execute("begin")
        for number, row in enumerate(rows, start=1):
            _write(connection, table, record, row, batch=batch, sender=sender, number=number)
        connection.execute("commit")

    def identify(self, rows: Sequence[tuple[str, str, str, int | None, int]]) -> None:
        """Replace the identity map: sender, kind, token, person, changed batch."""
        with self.warehouse.connect() as connection:
            connection.execute("delete from identity.person_identifier")
            connection.executemany(
                "insert into identity.person_identifier values (?, ?, ?, ?, 'test', 1, ?)",
                [list(row) for row in rows],
            )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query over the warehouse."""
        with self.warehouse.connect(read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def dbt(self, *arguments: str, settings: Mapping[str, str] | None = None) -> DbtRun:
        """Run dbt in a child, with an empty user home and no network needed."""
        target = self.home.dbt_target
        if not (target / PARTIAL_PARSE).exists():
            ensure_manifest(self.home)
            shutil.copy2(target / PARSE / PARTIAL_PARSE, target)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DBT_", "TILLHOUSE"))}
        environment = (
            inherited
            | {"HOME": str(self._empty_user_home), "DO_NOT_TRACK": "1", "PYTHONPATH": str(PROJECT)}
            | self.warehouse.dbt_environment()
            | dict(settings or {})
        )
        is_build = arguments[0] in {"build", "run", "test"}
        words = ["--events", str(target / "dbt.log")] if is_build else ["--no-use-colors"]
        # Where a command has no target path (debug), the environment gives it.
        environment |= {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)}
        places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)]
        process = dbt_process.start([*words, *arguments, *places], self.home.root, environment, ())
        told = process.communicate()[0]
        return DbtRun(process.returncode, _in_words(told) if is_build else told, target)

    def empty(self) -> None:
        """Forget every row and model. The home stays, so dbt need not parse its project again."""
        self.home.warehouse.unlink(missing_ok=True)
        self._create()

    def _find(self, table: str) -> tuple[Template, str]:
        template, name = table.split("__")
        return self.templates[template], name


@cache
def _empty_warehouse() -> tuple[Path, TemporaryDirectory[str]]:
    """Every raw table and the calendar, not a row else, in a file to be copied.

    Made once a process; the folder it lies in stands as long as it is held.
    """
    folder = TemporaryDirectory(prefix="small_warehouse_")
    made = Warehouse(Home(Path(folder.name) / "home").create(), KEY)
    made.create()
    with made.connect() as connection:
        for template in load_templates(TEMPLATES).values():
            for statement in template.ddl():
                connection.execute(statement)
        connection.execute(IDENTITY_TABLES)
        ensure_calendar(connection)
    return made.home.warehouse, folder


def _in_words(events: str) -> str:
    """What dbt said, an event a line, beside what others wrote."""
    lines = events.splitlines()
    return "\n".join(
        json.loads(line)["info"]["msg"] if line.startswith('{"') else line for line in lines
    )


def _write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    record: Record,
    row: Row,
    *,
    batch: int,
    sender: str,
    number: int,
) -> None:
    columns = record.columns()
    if unknown := set(row) - set(columns) - {"_extra"}:
        raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
    typed = ", ".join(f"cast(? as {kind}) as {column}" for column, kind in columns.items())
    names = ", ".join(columns)
    connection.execute(
        f"create or replace temp table delivered as select *, "
        f"{_key(table, record)} as _record_key, (hash({names}) >> 1)::bigint as _content_hash, "
        f"'{sender}' as _sender, 'hand' as _feed, 'hand' as _file_id, "
        f"{number}::bigint as _record_number, {batch}::bigint as _batch_id, "
        f"cast(? as varchar) as _extra from (select {typed}, '{sender}' as sender)",
        [row.get("_extra"), *(row.get(column) for column in columns)],
    )
    known = connection.execute(
        f"select coalesce(bool_or(r._content_hash = d._content_hash), false), count(*) "
        f"from raw.{table} as r join delivered as d using (_record_key)"
    ).fetchone()
    is_repeat, contents = known or (False, 0)
    if is_repeat:
        return
    if contents:
        connection.execute(
            f"insert into ops.raw_conflict select '{table}', _record_key from delivered"
        )
    everything = ", ".join([*columns, *SYSTEM_COLUMNS])
    connection.execute(f"insert into raw.{table} select {everything} from delivered")


def _key(table: str, record: Record) -> str:
    parts = []
    for field in record.key:
        column, kind = next(iter(record.fields[field].columns(field).items()))
        text = f"cast({column} as varchar)"
        if kind == "timestamptz":
            text = f"cast(make_timestamp(epoch_us({column})) as varchar) || '+00'"
        parts.append(f"coalesce({text}, chr(30))")
    joined = ", ".join([f"'{table}'", "sender", *parts])
    return f"(md5_number_lower(concat_ws(chr(31), {joined})) >> 1)::bigint"
