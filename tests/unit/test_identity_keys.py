"""Person keys stay: merges, splits, repetition, and any order of the rows."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_rows import event, fresh, history, member, order, persons, put

from dagster_project.core.identity import links, resolve_persons


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh()
    yield connection
    connection.close()


def test_a_new_person_is_keyed_by_its_member_number(warehouse):
    member(warehouse, "m1", email_token="e1")

    resolve_persons(warehouse)

    assert set(persons(warehouse).values()) == {member_key("m1")}


def test_a_merge_keeps_the_key_of_the_larger_person_and_is_remembered(warehouse):
    member(warehouse, "m1", phone_token="p1", email_token="e1")
    member(warehouse, "m2", phone_token="p2")
    resolve_persons(warehouse)
    before = persons(warehouse)

    order(warehouse, "o1", batch=2, email_token="e1", phone_token="p2")
    outcome = resolve_persons(warehouse)

    assert set(persons(warehouse).values()) == {before["m1"]}
    assert history(warehouse) == [("merge", before["m1"], before["m2"])]
    assert (outcome.merge_count, outcome.split_count) == (1, 0)
    changed = warehouse.execute(
        "select identifier_token from identity.person_identifier where changed_batch_id = 2 "
        "order by all"
    ).fetchall()
    assert changed == [("m2",), ("p2",)]


def test_a_merge_of_equals_keeps_the_smaller_key(warehouse):
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", phone_token="p2")
    resolve_persons(warehouse)
    before = persons(warehouse)

    order(warehouse, "o1", batch=2, member_number_token="m1", phone_token="p2")
    resolve_persons(warehouse)

    assert set(persons(warehouse).values()) == {min(before["m1"], before["m2"])}


def test_a_person_that_grows_keeps_its_key_even_when_a_better_anchor_joins(warehouse):
    event(warehouse, "w1", "v1", None)
    resolve_persons(warehouse)
    key = persons(warehouse)["v1"]

    put(
        warehouse,
        "web_event__event",
        2,
        event_id="w2",
        store_code="W1",
        visitor_id_token="v1",
        member_number_token="a-first",
        event_type="login",
        occurred_at="2017-01-02 10:00:00+00",
    )
    resolve_persons(warehouse)

    assert set(persons(warehouse).values()) == {key}
    assert history(warehouse) == []


def test_a_phone_that_becomes_a_hub_splits_the_person_it_had_joined(warehouse):
    member(warehouse, "m0", phone_token="shop", email_token="e0")
    member(warehouse, "m1", phone_token="shop")
    resolve_persons(warehouse)
    joint = persons(warehouse)["m0"]

    for number in range(2, 6):
        member(warehouse, f"m{number}", batch=2, phone_token="shop")
    outcome = resolve_persons(warehouse)

    after = persons(warehouse)
    assert after["m0"] == after["e0"] == joint
    assert after["m1"] not in {joint, None}
    assert after["shop"] is None
    assert history(warehouse) == [("split", after["m1"], joint)]
    assert outcome.split_count == 1


def test_an_anchor_that_splits_off_gets_a_key_nobody_holds(warehouse):
    # The joint person is keyed by the smaller identifier key of the two members, its anchor; the
    # other part is larger and keeps that key, so the anchor itself needs another.
    members = sorted(("m0", "m1"), key=member_key)
    member(warehouse, members[0], phone_token="shop")
    member(warehouse, members[1], phone_token="shop", email_token="e1")
    resolve_persons(warehouse)
    joint = persons(warehouse)["e1"]
    assert joint == member_key(members[0])

    for number in range(2, 6):
        member(warehouse, f"m{number}", batch=2, phone_token="shop")
    resolve_persons(warehouse)

    after = persons(warehouse)
    assert after["e1"] == after[members[1]] == joint
    assert after[members[0]] != joint


def member_key(number: str) -> int:
    """The lower 64 bits of the md5 of kind, sender and token, without the lowest bit."""
    digest = hashlib.md5(f"member\x1flantern\x1f{number}".encode()).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def test_a_second_run_writes_nothing_and_reads_nothing(warehouse):
    member(warehouse, "m1", phone_token="p1")
    assert resolve_persons(warehouse).written_count == 2

    again = resolve_persons(warehouse)

    assert (again.written_count, again.is_current, again.person_count) == (0, True, 1)


def test_a_full_second_resolution_writes_nothing_either(warehouse):
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", phone_token="p1")
    resolve_persons(warehouse)
    warehouse.execute("delete from ops.build_state")

    again = resolve_persons(warehouse)

    assert (again.written_count, again.is_current) == (0, False)


def test_a_change_of_rules_alone_is_marked_with_a_batch_the_models_have_not_built(
    warehouse, monkeypatch
):
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", phone_token="p1")
    resolve_persons(warehouse)
    warehouse.execute("insert into ops.build_state values ('models', 1, '', now())")
    warehouse.execute("select nextval('ops.batch_sequence')")

    monkeypatch.setitem(links.HUB_LIMITS, "member", 1)
    outcome = resolve_persons(warehouse)

    assert outcome.batch_id == 2
    assert persons(warehouse)["p1"] is None
    marked = warehouse.execute(
        "select count(*) from identity.person_identifier where changed_batch_id = 2"
    ).fetchone()[0]
    assert marked == 2  # the phone that is nobody's now, and the account that split off


def test_a_failed_write_leaves_the_map_as_it_was(warehouse):
    member(warehouse, "m1", phone_token="p1")
    resolve_persons(warehouse)
    before = persons(warehouse)
    # Without its last column the very last statement of the transaction fails.
    warehouse.execute("delete from ops.build_state")
    warehouse.execute("alter table ops.build_state drop built_at")
    member(warehouse, "m2", batch=2, phone_token="p1")

    with pytest.raises(duckdb.Error):
        resolve_persons(warehouse)

    assert persons(warehouse) == before


RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["m1", "m2", "m3", "m4"]),
        st.sampled_from([None, "p1", "p2", "p3"]),
        st.sampled_from([None, "e1", "e2"]),
        st.sampled_from([None, "c1", "c2", "c3"]),
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


@settings(max_examples=25, deadline=None)
@given(records=RECORDS, data=st.data())
def test_any_order_of_the_records_gives_the_same_keys(records, data):
    shuffled = data.draw(st.permutations(records))
    connection = fresh_again()

    assert resolved(connection, records) == resolved(connection, shuffled)


@functools.cache
def fresh_again() -> duckdb.DuckDBPyConnection:
    return fresh()


def resolved(
    connection: duckdb.DuckDBPyConnection,
    records: list[tuple[str, str | None, str | None, str | None]],
) -> dict[str, int]:
    for table in ("raw.member__member", "ops.build_state", "identity.person_identifier"):
        connection.execute(f"truncate {table}")
    for number, phone, email, card in records:
        member(connection, number, phone_token=phone, email_token=email, card_number_token=card)
    resolve_persons(connection)
    return persons(connection)
