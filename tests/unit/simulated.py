"""Reading what the simulation delivered, as plain text tables."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import duckdb

SEPARATORS = {
    "receipts": ";", "lines": ";", "tenders": ";", "steps": ";",
    "sessions": ";", "discounts": ";", "taxes": ";", "redemptions": ";",
    "members": "|", "points": "|", "consents": "|", "prepaid": "|",
    "stock": "\t", "movements": "\t",
}  # fmt: skip
STREAMS = (
    "receipts", "lines", "tenders", "steps", "orders", "order_lines", "order_payments", "events",
    "members", "points", "consents", "products", "stores", "promotions", "promotion_products",
    "stock", "rates", "employees", "sessions", "discounts", "taxes", "coupons", "redemptions",
    "parcels", "refunds", "movements", "prepaid", "prices", "surveys", "cases",
)  # fmt: skip


def delivered(out: Path) -> duckdb.DuckDBPyConnection:
    """All delivered tables and the truth (``truth_<table>``) of clean files, as text columns."""
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    for stream in STREAMS:
        files = sorted((out / "landing" / f"lantern_{stream}").iterdir())
        source = relation(files, SEPARATORS.get(stream, ","))
        connection.execute(f"create table {stream} as select * from {source}")
    for path in sorted((out / "truth").iterdir()):
        source = f"'{path}/*.parquet'" if path.is_dir() else relation([path], ",")
        connection.execute(f"create table truth_{path.stem} as select * from {source}")
    return connection


def relation(files: list[Path], separator: str) -> str:
    """Files of one layout as a relation of text columns.

    Nothing is guessed: in small files another quote has been guessed than they have.
    """
    header = files[0].read_text("utf-8").partition("\n")[0].split(separator)
    columns = ", ".join(f"'{name}': 'varchar'" for name in header)
    return (
        f"read_csv({[str(path) for path in files]}, auto_detect = false, header = true, "
        f"delim = '{separator}', quote = '\"', escape = '\"', columns = {{{columns}}})"
    )


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query).fetchall()


def value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The only value of a query."""
    found = rows(connection, query)
    assert len(found) == 1
    return found[0][0]


def fingerprints(out: Path) -> dict[str, str]:
    """SHA-256 of every file by its path below ``out``."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
