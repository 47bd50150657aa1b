"""Where files go: into landing, damaged where the plan says so, and into truth.

Belongs here: delivering columns as files and counting what was delivered. Does not: what they
hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.simulation.columns import Columns, text, whole, write_columns
from dagster_project.core.simulation.delivery import deliver_bytes
from dagster_project.core.simulation.faults import Fault, Sheet
from dagster_project.core.simulation.plan import SENDER, Plan

SEPARATORS = {
    "receipts": ";", "lines": ";", "tenders": ";", "steps": ";",
    "sessions": ";", "discounts": ";", "taxes": ";", "redemptions": ";",
    "members": "|", "points": "|", "consents": "|", "prepaid": "|",
    "stock": "\t", "movements": "\t",
}  # fmt: skip
ENDINGS = {"stock": "tsv", "movements": "tsv", "posts": "jsonl"}
# What a stream's files are called where it is not the stream's own name.
STEMS = {
    "stores": "shops", "products": "articles", "promotions": "actions",
    "promotion_products": "action_articles", "bills": "bill",
    "employees": "staff", "sessions": "drawers",
}  # fmt: skip


@dataclass
class Output:
    """Where files go, what is to be damaged, and what has been written."""

    connection: duckdb.DuckDBPyConnection
    plan: Plan
    out: Path
    faults: dict[tuple[str, str], Fault]
    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    damage: dict[tuple[str, str, str, str], int] = field(default_factory=dict)

    def deliver(
        self, stream: str, label: str, columns: Columns,
        reshape: Callable[[bytes], bytes] | None = None,
    ) -> None:  # fmt: skip
        """Write one file of the feed ``lantern_<stream>``; ``reshape`` has the last word on it."""
        separator = SEPARATORS.get(stream, ",")
        name = f"{STEMS.get(stream, stream)}_{label}.{ENDINGS.get(stream, 'csv')}"
        folder = self.out / "landing" / f"{SENDER}_{stream}"
        options = f"header, delimiter '{separator}'"
        if reshape is None and (stream, label) not in self.faults:
            count = write_columns(self.connection, columns, folder / name, options)
            self._count(stream, 1, count)
            return
        draft = self.out / ".draft"
        count = write_columns(self.connection, columns, draft, options)
        content = draft.read_bytes()
        draft.unlink()
        self.deliver_text(stream, label, content if reshape is None else reshape(content), count)

    def deliver_text(self, stream: str, label: str, content: bytes, count: int) -> None:
        """Write a finished text of so many rows as one file, damaged where that is planned."""
        name = f"{STEMS.get(stream, stream)}_{label}.{ENDINGS.get(stream, 'csv')}"
        folder = self.out / "landing" / f"{SENDER}_{stream}"
        fault = self.faults.get((stream, label))
        if fault is None or count < fault.least_rows:
            deliver_bytes(folder / name, content)
            self._count(stream, 1, count)
            return
        damaged = fault.do(Sheet(name, content, SEPARATORS.get(stream, ","), self.plan.faults))
        for file_name, file_content in damaged.files:
            deliver_bytes(folder / file_name, file_content)
        self._count(stream, len(damaged.files), count)
        self.report_fault(fault.name, stream, name, damaged.rows, fault.outcome)

    def report_fault(self, fault: str, stream: str, name: str, rows: int, outcome: str) -> None:
        """Remember what went wrong with a file, for the truth."""
        key = (fault, f"{SENDER}_{stream}", name, outcome)
        self.damage[key] = self.damage.get(key, 0) + rows

    def tell(self, table: str, columns: Columns) -> None:
        """Write one table of the truth as CSV."""
        write_columns(self.connection, columns, self.out / "truth" / f"{table}.csv")

    def tell_part(self, table: str, part: str, columns: Columns) -> None:
        """Write one week of a large table of the truth as Parquet, below a folder of its name."""
        path = self.out / "truth" / table / f"{part}.parquet"
        write_columns(self.connection, columns, path, "format parquet")

    def fault_columns(self) -> Columns:
        """``faults``: one row per damaged file; rows concerned, and what should become of them."""
        rows = [(*key[:3], count, key[3]) for key, count in sorted(self.damage.items())]
        return {
            "fault": text([row[0] for row in rows]),
            "feed": text([row[1] for row in rows]),
            "file_name": text([row[2] for row in rows]),
            "row_count": whole(np.array([row[3] for row in rows], dtype=np.int64)),
            "outcome": text([row[4] for row in rows]),
        }

    def total_columns(self) -> Columns:
        """``totals``: good rows of each feed, each counted once."""
        names = sorted(self.rows)
        return {
            "feed": text(names),
            "row_count": whole(np.array([self.rows[name] for name in names], dtype=np.int64)),
        }

    def _count(self, stream: str, files: int, rows: int) -> None:
        feed = f"{SENDER}_{stream}"
        self.files += files
        self.rows[feed] = self.rows.get(feed, 0) + rows
