"""What a steward decides: pairs forced together or kept apart, and taken back exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from identity_rows import fresh, groups, history, member, order, persons, put

from dagster_project.core.identity import resolve_persons


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh()
    yield connection
    connection.close()


def decide(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    decision: str,
    left: dict[str, Any],
    right: dict[str, Any],
) -> None:
    """A decision of the day ``number`` of January 2018, in a load of its own."""
    sides = {f"left_{name}": value for name, value in left.items()}
    sides |= {f"right_{name}": value for name, value in right.items()}
    put(
        connection,
        "identity_decision__decision",
        100 + number,
        _sender="stewards",
        decision_id=f"d{number}",
        decision=decision,
        decided_at=f"2018-01-{number:02d} 10:00:00+00",
        **sides,
    )


def account(number: str) -> dict[str, str]:
    return {"sender": "lantern", "member_number_token": number}


def test_a_forced_pair_is_one_person_and_says_so(warehouse):
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", phone_token="p2")
    decide(warehouse, 1, "force", account("m1"), {"phone_token": "p2"})

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1", "p1", "m2", "p2"})}
    rules = dict(
        warehouse.execute(
            "select identifier_token, rule from identity.person_identifier"
        ).fetchall()
    )
    assert rules == {"m1": "steward", "p2": "steward", "m2": "member_record", "p1": "member_record"}


def test_the_side_that_is_named_later_on_the_form_makes_no_difference(warehouse):
    for number in ("m1", "m2"):
        member(warehouse, number)
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    decide(warehouse, 2, "withdraw", account("m2"), account("m1"))

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1"}), frozenset({"m2"})}


def test_a_forbidden_pair_parts_at_its_weakest_link(warehouse):
    # m1 - p1 - e2 - m2: an account on either side, a guest order between.
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", email_token="e2")
    order(warehouse, "o1", phone_token="p1", email_token="e2")
    resolve_persons(warehouse)
    assert len(groups(warehouse)) == 1

    decide(warehouse, 1, "forbid", account("m1"), account("m2"))
    resolve_persons(warehouse)

    keys = persons(warehouse)
    assert keys["m1"] != keys["m2"]
    assert len(groups(warehouse)) == 2


def test_apart_holds_against_a_force_that_goes_round(warehouse):
    for number in ("m1", "m2", "m3"):
        member(warehouse, number)
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    decide(warehouse, 2, "force", account("m2"), account("m3"))
    decide(warehouse, 3, "forbid", account("m1"), account("m3"))

    resolve_persons(warehouse)

    keys = persons(warehouse)
    assert keys["m1"] != keys["m3"]
    assert len(groups(warehouse)) == 2


def test_a_decision_on_somebody_unknown_waits(warehouse):
    member(warehouse, "m1")
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    resolve_persons(warehouse)
    assert groups(warehouse) == {frozenset({"m1"})}

    member(warehouse, "m2", batch=200)
    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1", "m2"})}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"phone_token": "p1"}, {"phone_token": "p2"}, id="of equal size"),
        pytest.param({"phone_token": "p1", "email_token": "e1"}, {}, id="the first is larger"),
        pytest.param({}, {"phone_token": "p2", "email_token": "e2"}, id="the second is larger"),
    ],
)
def test_withdrawing_a_force_restores_every_key_exactly(warehouse, first, second):
    member(warehouse, "m1", **first)
    member(warehouse, "m2", **second)
    resolve_persons(warehouse)
    before = persons(warehouse)
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    resolve_persons(warehouse)
    assert len(set(persons(warehouse).values())) == 1

    decide(warehouse, 2, "withdraw", account("m1"), account("m2"))
    outcome = resolve_persons(warehouse)

    assert persons(warehouse) == before
    assert [event for event, _, _ in history(warehouse)] == ["merge", "split"]
    assert (outcome.merge_count, outcome.split_count) == (0, 1)


def test_what_came_meanwhile_does_not_keep_the_earlier_keys_from_coming_back(warehouse):
    # m1's key is that of a cookie it was first known by, which no anchor would give again; while
    # the two are one person, m2's part grows to three times the other.
    order(warehouse, "o1", visitor_id_token="v1", phone_token="p1")
    resolve_persons(warehouse)
    member(warehouse, "m1", batch=2, phone_token="p1")
    member(warehouse, "m2", batch=2, phone_token="p2")
    resolve_persons(warehouse)
    before = persons(warehouse)
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    resolve_persons(warehouse)
    for number in range(9):
        order(warehouse, f"n{number}", 150, phone_token="p2", visitor_id_token=f"w{number}")
    resolve_persons(warehouse)

    decide(warehouse, 30, "withdraw", account("m1"), account("m2"))
    resolve_persons(warehouse)

    after = persons(warehouse)
    assert {token: after[token] for token in before} == before
    assert {after[f"w{number}"] for number in range(9)} == {before["m2"]}


def test_undoing_one_of_two_merges_leaves_the_other(warehouse):
    for number in ("m1", "m2", "m3"):
        member(warehouse, number, phone_token=f"p-{number}")
    resolve_persons(warehouse)
    before = persons(warehouse)
    decide(warehouse, 1, "force", account("m1"), account("m2"))
    resolve_persons(warehouse)
    decide(warehouse, 2, "force", account("m2"), account("m3"))
    resolve_persons(warehouse)
    decide(warehouse, 3, "withdraw", account("m1"), account("m2"))
    resolve_persons(warehouse)

    after = persons(warehouse)
    assert after["m1"] == after["p-m1"] == before["m1"]
    assert after["m2"] == after["m3"] != after["m1"]
    decide(warehouse, 4, "withdraw", account("m2"), account("m3"))
    resolve_persons(warehouse)
    assert persons(warehouse) == before


def test_each_identifier_keeps_whose_it_was(warehouse):
    member(warehouse, "m1", phone_token="p1", email_token="e1")
    member(warehouse, "m2")
    resolve_persons(warehouse)
    before = persons(warehouse)
    decide(warehouse, 1, "force", account("m1"), account("m2"))

    resolve_persons(warehouse)

    closed = warehouse.execute(
        "select identifier_token, person_key, rule from identity.person_identifier_history"
    ).fetchall()
    assert closed == [("m2", before["m2"], "alone")]


def test_persons_keep_their_keys_over_five_refreshes_of_new_records(warehouse):
    for number in range(20):
        member(warehouse, f"m{number}", phone_token=f"p{number}")
    resolve_persons(warehouse)
    before = persons(warehouse)

    for refresh in range(2, 7):
        for number in range(20):
            order(warehouse, f"o{refresh}-{number}", refresh, phone_token=f"p{number}",
                  visitor_id_token=f"v{refresh}-{number}")  # fmt: skip
        member(warehouse, f"new{refresh}", batch=refresh)
        resolve_persons(warehouse)
        after = persons(warehouse)
        assert {token: after[token] for token in before} == before

    assert history(warehouse) == []
