"""Who is one person: worked by hand on a few records in real raw tables."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from identity_rows import event, fresh, groups, member, order, persons, put, receipt

from dagster_project.core.identity import evaluate, resolve_persons


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh()
    yield connection
    connection.close()


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
