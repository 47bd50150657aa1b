"""Raw rows for identity's tests: a few records of real raw tables, written by hand."""

from __future__ import annotations

import hashlib
from typing import Any

import duckdb

from dagster_project.core import home
from dagster_project.core.declarations import load_templates
from dagster_project.core.identity import create_identity_tables
from dagster_project.core.warehouse import OPS_TABLES, SCHEMAS


def fresh() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for schema in SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    connection.execute(OPS_TABLES)
    create_identity_tables(connection)
    for template in load_templates(home.TEMPLATES).values():
        for statement in template.ddl():
            connection.execute(statement)
    return connection


def put(connection: duckdb.DuckDBPyConnection, table: str, batch: int = 1, **values: Any) -> None:
    """One raw row; system columns that identity does not read are filled in."""
    content = repr(sorted(values.items()))
    row = {
        "_record_key": hash_of(table + content),
        "_content_hash": hash_of(content),
        "_sender": "lantern",
        "_feed": "feed",
        "_file_id": "file",
        "_record_number": 1,
        "_batch_id": batch,
    } | values
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f"insert into raw.{table} ({', '.join(row)}) values ({marks})", list(row.values())
    )
    if not connection.execute("select 1 from ops.batch where batch_id = ?", [batch]).fetchone():
        connection.execute("insert into ops.batch values (?, 'feed', now(), 1, 1)", [batch])


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.md5(text.encode()).digest()[:7], "big")


def member(connection: duckdb.DuckDBPyConnection, number: str, batch: int = 1, **more: Any) -> None:
    put(
        connection,
        "member__member",
        batch,
        member_number_token=number,
        updated_at="2017-01-01 00:00:00+00",
        **more,
    )


def receipt(
    connection: duckdb.DuckDBPyConnection,
    receipt_id: str,
    number: str | None,
    cards: tuple[str, ...] = (),
    batch: int = 1,
    **more: Any,
) -> None:
    put(
        connection,
        "pos_standard__receipt",
        batch,
        receipt_id=receipt_id,
        store_code="S1",
        member_number_token=number,
        currency_code="GBP",
        sold_at="2017-01-01 10:00:00+00",
        **({"receipt_type": "sale"} | more),
    )
    for position, card in enumerate(cards):
        put(
            connection,
            "pos_standard__tender",
            batch,
            receipt_id=receipt_id,
            tender_number=position,
            tender_type_code="card_chip",
            amount=1,
            currency_code="GBP",
            card_number_token=card,
            sold_at="2017-01-01 10:00:00+00",
        )


def order(
    connection: duckdb.DuckDBPyConnection, order_id: str, batch: int = 1, **more: Any
) -> None:
    put(
        connection,
        "web_order__order",
        batch,
        order_id=order_id,
        order_type="sale",
        store_code="W1",
        channel_code="web",
        ordered_at="2017-01-01 10:00:00+00",
        currency_code="GBP",
        **more,
    )


def event(
    connection: duckdb.DuckDBPyConnection, event_id: str, visitor: str, number: str | None
) -> None:
    put(
        connection,
        "web_event__event",
        event_id=event_id,
        store_code="W1",
        visitor_id_token=visitor,
        member_number_token=number,
        event_type="page_view",
        occurred_at="2017-01-01 10:00:00+00",
    )


def persons(connection: duckdb.DuckDBPyConnection) -> dict[str, int | None]:
    """Token to person key; tokens in these tests are unique over kinds and senders."""
    return dict(
        connection.execute(
            "select identifier_token, person_key from identity.person_identifier"
        ).fetchall()
    )


def groups(connection: duckdb.DuckDBPyConnection) -> set[frozenset[str]]:
    """Persons as sets of tokens; hubs left out."""
    found: dict[int, set[str]] = {}
    for token, key in persons(connection).items():
        if key is not None:
            found.setdefault(key, set()).add(token)
    return {frozenset(tokens) for tokens in found.values()}


def history(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int]]:
    return connection.execute(
        "select event, person_key, other_person_key from identity.person_key_history order by all"
    ).fetchall()
