"""A refresh touches every sale whose version changed: random loads against the rebuilt whole.

Facts pick up again the sales of versions whose ``changed_batch_id`` is new. Were one version moved
without saying so, its sales would keep a key that no longer exists. The models' own compiled SQL
runs here over random statements in random order, late and replaced ones among them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

STAGED = (
    "stg_product__products",
    "stg_ops__raw_conflicts",
    "stg_member__members",
    "stg_consent__changes",
    "stg_identity__person_identifiers",
)
CHAIN = (
    "int_product__versions_split",
    "int_customer__statements_resolved",
    "int_customer__consents_resolved",
    "int_customer__moments_described",
    "int_customer__versions_split",
)
THINGS = 300
LOADS = 12
MONTHS = range(1, 9)
SEEDS = range(2)


@pytest.fixture
def models(built) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine with empty staging tables and the compiled models as views over them."""
    columns = built.query(
        "select table_name, string_agg(column_name || ' ' || data_type, ', ') "
        f"from information_schema.columns where table_name in {STAGED} group by table_name"
    )
    compiled = built.home.dbt_target / "compiled" / "tillhouse" / "models" / "intermediate"
    with duckdb.connect() as engine:
        engine.execute("set TimeZone = 'UTC'")
        engine.execute("attach ':memory:' as warehouse")
        engine.execute("create schema warehouse.staging; create schema warehouse.intermediate")
        for table, body in columns:
            engine.execute(f"create table warehouse.staging.{table} ({body})")
        for name in CHAIN:
            sql = _only(compiled, f"{name}.sql").read_text("utf-8")
            engine.execute(f"create view warehouse.intermediate.{name} as {sql}")
        engine.execute("use warehouse")
        yield engine


def _only(directory: Path, name: str) -> Path:
    # A unit test leaves its own copy of the model below the YAML that declares it.
    (found,) = (path for path in directory.rglob(name) if ".yml" not in str(path))
    return found


def _versions(engine: duckdb.DuckDBPyConnection, model: str, thing: str) -> dict:
    """(thing, month) → the key's part that moves, and the load that last moved the version."""
    rows = engine.execute(
        f"select {thing}, month, changed_at, changed_batch_id from intermediate.{model} "
        f"cross join (select unnest(range(0, {MONTHS.stop})) as month) "
        "where (timestamptz '2017-01-15 00:00:00+00' + to_months(month::integer - 1)) "
        "between valid_from_at and valid_to_at"
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _unnoticed(before: dict, after: dict, load: int) -> list[tuple]:
    """Where a known version's key became another and the version does not name this load."""
    return [
        place
        for place, (key, batch) in after.items()
        if place in before and before[place][0] != key and batch != load
    ]


def _state(
    engine: duckdb.DuckDBPyConnection, table: str, raw_table: str, row: dict, natural: str
) -> None:
    """Stage one statement; other content of a known key replaces it when it is the larger."""
    record_key = row["record_key"]
    known = engine.execute(
        f"select {natural} from staging.{table} where record_key = ?", [record_key]
    ).fetchone()
    if known is not None:
        if known[0] == row[natural]:
            return
        engine.execute("insert into staging.stg_ops__raw_conflicts values (?, ?)",
                       [raw_table, record_key])  # fmt: skip
        if known[0] > row[natural]:
            return
        engine.execute(f"delete from staging.{table} where record_key = ?", [record_key])
    names = ", ".join(row)
    marks = ", ".join("?" for _ in row)
    engine.execute(f"insert into staging.{table} ({names}) values ({marks})", list(row.values()))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_product_version_moves_unnoticed(models, seed):
    chance = random.Random(seed)
    before: dict = {}
    moved = 0
    for load in range(1, LOADS + 1):
        for product in range(THINGS):
            month = chance.choice(MONTHS)
            row = {
                "sender": "s",
                "product_code": str(product),
                "effective_at": f"2017-{month:02}-01 00:00:00+00",
                "category": chance.choice("abc"),
                "record_key": product * 100 + month,
                "batch_id": load,
            }
            _state(models, "stg_product__products", "product__product", row, "category")
        after = _versions(models, "int_product__versions_split", "product_code")
        assert _unnoticed(before, after, load) == []
        moved += sum(place in before and before[place][0] != after[place][0] for place in after)
        before = after
    assert moved > THINGS


@pytest.mark.parametrize("seed", SEEDS)
def test_no_customer_version_moves_unnoticed(models, seed):
    chance = random.Random(seed)
    # Every third person has two accounts.
    for person in range(THINGS):
        for account in range(2 if person % 3 == 0 else 1):
            models.execute(
                "insert into staging.stg_identity__person_identifiers "
                "values ('s', 'member', ?, ?, 'test', 1, 0)",
                [f"{person}/{account}", person],
            )
    before: dict = {}
    moved = 0
    for load in range(1, LOADS + 1):
        for person in range(THINGS):
            account = chance.randrange(2 if person % 3 == 0 else 1)
            month = chance.choice(MONTHS)
            token = f"{person}/{account}"
            key = (person * 10 + account) * 100 + month
            when = f"2017-{month:02}-01 00:00:00+00"
            if chance.random() < 0.4:
                row = {"sender": "s", "member_number_token": token, "purpose": "marketing",
                       "is_granted": chance.random() < 0.5, "changed_at": when,
                       "record_key": key, "batch_id": load}  # fmt: skip
                _state(models, "stg_consent__changes", "consent__change", row, "is_granted")
            else:
                row = {"sender": "s", "member_number_token": token, "updated_at": when,
                       "joined_at": f"2016-{chance.choice(MONTHS):02}-01 00:00:00+00",
                       "tier": chance.choice("abc"),
                       "status": chance.choice(["active", "active", "closed"]),
                       "record_key": key, "batch_id": load}  # fmt: skip
                _state(models, "stg_member__members", "member__member", row, "tier")
        after = _versions(models, "int_customer__versions_split", "person_key")
        assert _unnoticed(before, after, load) == []
        moved += sum(place in before and before[place][0] != after[place][0] for place in after)
        before = after
    assert moved > THINGS
