"""What the loader writes into the audit log: one line for each batch that brought rows."""

from __future__ import annotations

import json
from typing import Any

from dagster_project.core.audit_log import LOG, verify
from tests.conftest import Bench
from tests.pipeline.till_lines import HEADER, ONE, THREE, TWO, MakeBench

DECISIONS = {
    "feed": "decisions",
    "description": "A steward's decisions.",
    "sender": "steward",
    "template": "identity_decision",
    "owner": "test",
    "format": "csv",
    "files": "*.csv",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
    "columns": {"id": [], "what": [], "one": [], "other": [], "at": []},
    "records": {
        "decision": {
            "fields": {
                "decision_id": "id",
                "decision": "what",
                "decided_at": "at",
                "left_email": "one",
                "right_email": "other",
            }
        }
    },
}


def told(bench: Bench) -> list[tuple[str, str, dict[str, Any]]]:
    """Event, subject and details of every line but the first, which names the key."""
    home = bench.warehouse.home
    assert verify(home, bench.warehouse.key).is_good
    lines = (home.private / LOG).read_text("utf-8").splitlines()[1:]
    return [(e["event"], e["subject"], e["details"]) for e in map(json.loads, lines)]


def test_a_batch_with_new_rows_is_one_line_and_one_without_is_none(till: Bench) -> None:
    till.deliver("a.csv", HEADER + ONE + TWO)
    till.deliver("b.csv", HEADER + THREE)
    till.load()
    till.deliver("again.csv", HEADER + ONE + TWO)
    till.load()

    assert told(till) == [("load", "till_lines", {"batch": 1, "files": 2, "rows": 3})]


def test_a_steward_s_decisions_are_told_as_such_and_nobody_s_address(
    bench_for: MakeBench,
) -> None:
    bench = bench_for(**DECISIONS)
    bench.deliver(
        "d.csv", "id,what,one,other,at\nD1,force,ann@example.com,bea@example.com,2026-01-05 10:00\n"
    )
    assert bench.load().loaded_count == 1

    assert told(bench) == [("steward", "decisions", {"batch": 1, "files": 1, "rows": 1})]
    assert "example.com" not in (bench.warehouse.home.private / LOG).read_text("utf-8")
