"""Who is one person: worked by hand on a few records in real raw tables."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.core import home
from dagster_project.core.declarations import load_templates
from dagster_project.core.identity import create_identity_tables, evaluate, resolve_persons
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


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh()
    yield connection
    connection.close()


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


def test_a_shared_phone_joins_two_accounts(warehouse):
    member(warehouse, "m1", phone_token="p1", email_token="e1")
    member(warehouse, "m2", phone_token="p1")
    member(warehouse, "m3", phone_token="p3")

    outcome = resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1", "m2", "p1", "e1"}), frozenset({"m3", "p3"})}
    assert (outcome.person_count, outcome.identifier_count) == (2, 6)


def test_a_guest_order_a_login_and_a_post_reach_the_member_through_contacts(warehouse):
    member(warehouse, "m1", phone_token="p1", email_token="e1")
    order(warehouse, "o1", phone_token="p1", visitor_id_token="v1")
    event(warehouse, "w1", "v2", "m1")
    event(warehouse, "w2", "v3", None)
    put(
        warehouse,
        "post__post",
        post_id="x1",
        platform="weibo",
        author_handle_token="h1",
        email_token="e1",
        posted_at="2017-01-01 10:00:00+00",
    )

    resolve_persons(warehouse)

    assert groups(warehouse) == {
        frozenset({"m1", "p1", "e1", "v1", "v2", "h1"}),
        frozenset({"v3"}),
    }


def test_a_card_at_the_till_ties_a_guest_receipt_to_the_member(warehouse):
    receipt(warehouse, "r1", "m1", ("c1",))
    receipt(warehouse, "r2", None, ("c1",))
    receipt(warehouse, "r3", None, ("c2",))

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1", "c1"}), frozenset({"c2"})}


def test_a_receipt_paid_with_two_cards_links_neither(warehouse):
    receipt(warehouse, "r1", "m1", ("c1", "c2"))
    receipt(warehouse, "r2", "m2", ("c2",))

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m1"}), frozenset({"m2", "c2"})}


def test_a_training_receipt_says_nothing_of_people(warehouse):
    receipt(warehouse, "r1", "m1", ("c1",), receipt_type="training")

    resolve_persons(warehouse)

    assert persons(warehouse) == {}


def test_the_same_member_number_of_two_senders_is_two_people(warehouse):
    member(warehouse, "m1")
    member(warehouse, "m1", _sender="journey")

    assert resolve_persons(warehouse).person_count == 2


def test_a_phone_on_more_than_five_accounts_is_a_hub_and_joins_nobody(warehouse):
    for number in range(6):
        member(warehouse, f"m{number}", phone_token="shop", email_token=f"e{number}")
    for number in (6, 7):
        member(warehouse, f"m{number}", phone_token="home")

    outcome = resolve_persons(warehouse)

    assert outcome.hub_count == 1
    assert persons(warehouse)["shop"] is None
    assert groups(warehouse) == {
        *(frozenset({f"m{number}", f"e{number}"}) for number in range(6)),
        frozenset({"m6", "m7", "home"}),
    }


def test_a_house_card_scanned_for_everybody_joins_no_bank_cards(warehouse):
    for number in range(21):
        receipt(warehouse, f"r{number}", "house", (f"c{number}",))

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"house"})} | {
        frozenset({f"c{number}"}) for number in range(21)
    }


def test_only_the_version_of_a_receipt_that_holds_counts(warehouse):
    receipt(warehouse, "r1", "m1", ("c1",), _record_key=7, sent_at="2017-01-01 10:00:00+00")
    receipt(warehouse, "r1", "m2", (), _record_key=7, sent_at="2017-01-01 11:00:00+00")
    warehouse.execute("insert into ops.raw_conflict values ('pos_standard__receipt', 7)")

    resolve_persons(warehouse)

    assert groups(warehouse) == {frozenset({"m2", "c1"})}


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

    from dagster_project.core.identity import links

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


def test_precision_and_recall_count_pairs_of_identifiers(warehouse):
    # Found: {m1, p1, m2} and {m3, e3}; true: {m1, p1}, {m2, m3}, {e3}; the hub is two people's.
    member(warehouse, "m1", phone_token="p1")
    member(warehouse, "m2", phone_token="p1")
    member(warehouse, "m3", email_token="e3")
    resolve_persons(warehouse)
    truth = [
        ("lantern", "member", "m1", "ada"),
        ("*", "phone", "p1", "ada"),
        ("lantern", "member", "m2", "bo"),
        ("lantern", "member", "m3", "bo"),
        ("*", "email", "e3", "cy"),
        ("*", "email", "shared", "ada"),
        ("*", "email", "shared", "bo"),
    ]

    score = evaluate(warehouse, truth)

    assert (score.identifier_count, score.found_pairs) == (5, 4)
    assert (score.true_pairs, score.right_pairs) == (2, 1)
    assert (score.precision, score.recall) == (0.25, 0.5)
    assert score.f1 == pytest.approx(1 / 3)


def test_no_truth_is_no_mistake(warehouse):
    resolve_persons(warehouse)

    assert evaluate(warehouse, []).f1 == 1.0
