"""The sender's side of a feed of a table: its server, its table and what it may not tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from dagster_project.core.feeds import FeedOutcome
from dagster_project.core.home import PROJECT
from tests.conftest import Bench

PASSWORD = "corn-flower-7391"
VARIABLE = "CLUB_DSN"
TABLE = """
drop schema if exists club cascade;
create schema club;
create table club.member (
    id integer primary key, changed_at timestamptz, full_name text, phone text, tier text,
    password_hint text
);
grant usage on schema club to tillhouse;
grant select on club.member to tillhouse;
"""
SHOWN = (
    "select tier, status, epoch(updated_at)::bigint % 86400 // 60 from raw.member__member "
    "order by updated_at, tier"
)
MakeBench = Callable[..., Bench]


class Club:
    """The sender's side: its table and the address it gave us."""

    def __init__(self, address: str) -> None:
        import psycopg

        self.admin = psycopg.connect(address, autocommit=True)
        self.admin.execute(TABLE)
        host = self.admin.info.host
        self.dsn = f"host={host} dbname=postgres user=tillhouse password={PASSWORD}"

    def run(self, statement: str, *values: object) -> None:
        self.admin.execute(statement, values)

    def add(self, number: int, changed_at: str, tier: str, **more: object) -> None:
        row = {"id": number, "changed_at": f"2024-05-01 {changed_at}+00", "tier": tier} | more
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        self.run(f"insert into club.member ({names}) values ({places})", *row.values())


def documented_feed() -> dict[str, Any]:
    """The feed as the how-to shows it."""
    page = (PROJECT / "docs" / "postgres.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return yaml.safe_load(block)["attributes"]


def with_source(**changed: object) -> dict[str, Any]:
    declared = documented_feed()
    return declared | {"source": declared["source"] | changed}


def counts(outcome: FeedOutcome) -> tuple[int, int, int, int]:
    return (
        outcome.physical_count,
        outcome.loaded_count,
        outcome.rejected_count,
        outcome.duplicate_count,
    )


NOTHING = (0, 0, 0, 0)


def secrets_found(bench: Bench, secret: str) -> list[str]:
    """Tables with the text in any of their columns, and files that hold it in the clear."""
    tables = bench.rows(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    )
    found = [
        table
        for (table,) in tables
        if bench.rows(
            f"select 1 from {table} as t where contains(cast(t as varchar), ?) limit 1", secret
        )
    ]
    files = [path for path in bench.warehouse.home.root.rglob("*") if path.is_file()]
    return found + [path.name for path in files if secret.encode() in path.read_bytes()]


class KilledError(BaseException):
    """Stands for the signal: nothing of the project may catch it."""


def kill(*_: object, **__: object) -> None:
    raise KilledError
