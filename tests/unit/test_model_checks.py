"""Verdicts of data tests: what a build judged, and what it left standing."""

from __future__ import annotations

from typing import Any

from dagster_project.core.model_checks import (
    is_whole,
    reason_of,
    record_judgements,
    standing_judgements,
)
from dagster_project.core.modelling import BuildOutcome, NodeResult
from dagster_project.core.warehouse import Warehouse


def data_test(name: str, judged: str) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "name": name,
        "attached_node": judged,
        "config": {"severity": "ERROR"},
    }


MANIFEST: dict[str, Any] = {
    "nodes": {
        "model.sales": {"schema": "core", "name": "sales", "resource_type": "model"},
        "model.surveys": {"schema": "core", "name": "surveys", "resource_type": "model"},
        "test.keys": data_test("keys", "model.sales"),
        "test.balance": data_test("balance", "model.sales"),
        "test.answers": data_test("answers", "model.surveys"),
    },
    "sources": {},
}


def outcome(failures: dict[str, int], changed_sources: tuple[str, ...] | None) -> BuildOutcome:
    nodes = tuple(
        NodeResult(name, "fail" if count else "pass", 0.1, None, count, None)
        for name, count in failures.items()
    )
    return BuildOutcome(nodes, 1, "code", False, 1.0, changed_sources)


def judged(warehouse: Warehouse, run_id: str, built: BuildOutcome) -> dict[Any, int]:
    with warehouse.connect() as connection:
        record_judgements(connection, run_id, None, MANIFEST)
        record_judgements(connection, run_id, built, MANIFEST)
        standing = standing_judgements(connection)
    return {name: count for (schema, _, name), count in standing.items() if schema == "core"}


def test_what_a_partial_build_does_not_judge_stands_as_it_was(warehouse: Warehouse) -> None:
    everything = {"test.keys": 2, "test.balance": 1, "test.answers": 3}
    before = judged(warehouse, "first", outcome(everything, None))
    after = judged(warehouse, "second", outcome({"test.keys": 0}, ("raw.tills",)))
    later = judged(warehouse, "third", outcome({"test.balance": 0}, ("raw.tills",)))

    assert before == {"keys": 2, "balance": 1, "answers": 3}
    assert after == {"keys": 0, "balance": 1, "answers": 3}
    assert later == {"keys": 0, "balance": 0, "answers": 3}


def test_a_test_says_why_by_its_description_or_by_the_comment_it_begins_with() -> None:
    sql = "{#-\n    Lines are\n    tenders.\n-#}\n{{ config() }} select 1 {#- no reason -#}"

    assert reason_of({"description": "Keys  are\nsound.", "raw_code": sql}) == "Keys are sound."
    assert reason_of({"description": "", "raw_code": sql}) == "Lines are tenders."
    assert reason_of({"raw_code": "{{ test_unique() }} {# no reason #}"}) is None


def test_a_whole_build_forgets_a_test_that_was_taken_out(warehouse: Warehouse) -> None:
    judged(warehouse, "first", outcome({"test.keys": 0, "test.balance": 1}, None))
    after = judged(warehouse, "second", outcome({"test.keys": 0}, None))

    assert after == {"keys": 0}


def test_a_build_that_did_not_end_is_not_whole(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        record_judgements(connection, "first", outcome({"test.keys": 0}, None), MANIFEST)
        before = is_whole(connection)
        record_judgements(connection, "second", None, MANIFEST)

        assert (before, is_whole(connection)) == (True, False)
