"""A resolution of what is new ends in the same map as a whole one: random days, hubs, decisions."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pytest
from identity_rows import fresh, hash_of, member, order, persons, put

from dagster_project.core.identity import matching, resolve_persons, touched

pytestmark = pytest.mark.skipif(
    not matching.is_available(), reason="the extra tillhouse[ml] is not installed"
)

DAYS = 7
WORDS = {
    "name": ("Ada Thornley", "Thornley, Ada", "Tom Thornley", "Cy Merton", "Sy Merton"),
    "address": ("12 Mill Lane", "9 Hill Street"),
    "postcode": ("YO1 7HH", "BS1 4DJ"),
}
DOMAINS = {"name": "person_name", "address": "address", "postcode": "postcode"}
MAP = (
    "select sender, identifier_kind, identifier_token, person_key, rule, confidence, "
    "changed_batch_id from identity.person_identifier order by all"
)
# Everything that a resolution leaves but the moments at which it did.
LEFT = (
    MAP,
    "select * exclude (until_at) from identity.person_identifier_history order by all",
    "select * exclude (event_at) from identity.person_key_history order by all",
    "from identity.person_key_before order by all",
    "from identity.match_record order by all",
    "from identity.match_pair order by all",
    "from identity.person_evidence order by all",
    "from vault.match_spelling order by all",
)


@pytest.fixture
def pair() -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection]]:
    """Two warehouses that are given the same: one goes on from what it kept, one forgets it."""
    both = fresh(), fresh()
    yield both
    for connection in both:
        connection.close()


def forget_what_was_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """Leaves the map and its history, which keys are inherited by, and nothing else."""
    connection.execute("delete from ops.build_state")
    for table in ("identity.person_evidence", "identity.match_record", "identity.match_pair",
                  "vault.match_spelling"):  # fmt: skip
        connection.execute(f"delete from {table}")


def a_day(connection: duckdb.DuckDBPyConnection, day: int, seed: int) -> None:
    """What comes on a day: accounts and corrections of them, orders, decisions, deleted rows."""
    drawn = random.Random(f"{seed} {day}")
    for number in range(drawn.randint(1, 6)):
        an_account(connection, drawn, day, number)
    for number in range(drawn.randint(0, 4)):
        order(
            connection, f"o{day}-{number}", day, visitor_id_token=f"v{drawn.randint(0, 20)}",
            **some(drawn, email_token="e", phone_token="p", member_number_token="m"),
        )  # fmt: skip
    for number in range(drawn.choice((0, 1, 2))):
        left, right = drawn.sample(range(18), 2)
        put(
            connection, "identity_decision__decision", day, _sender="stewards",
            decision_id=f"d{day}-{number}",
            decision=drawn.choice(("force", "force", "forbid", "forbid", "withdraw")),
            decided_at=f"2018-01-{day:02d} 10:00:00+00", left_sender="lantern",
            left_member_number_token=f"m{left}", right_sender="lantern",
            right_member_number_token=f"m{right}",
        )  # fmt: skip
    if day % 3 == 0:
        for table in ("member__member", "web_order__order", "identity_decision__decision"):
            gone = drawn.randint(0, 3)
            connection.execute(f"delete from raw.{table} where _record_key % 4 = {gone}")


def an_account(
    connection: duckdb.DuckDBPyConnection, drawn: random.Random, day: int, number: int
) -> None:
    account = f"m{drawn.randint(0, 17)}"
    shown = {field: drawn.choice(words) for field, words in WORDS.items()}
    for field, word in shown.items():
        connection.execute(
            "insert into vault.personal_value select $1, $2, $3, $4 where not exists "
            "(from vault.personal_value where domain = $1 and token = $2)",
            [DOMAINS[field], f"t-{word}", word, day],
        )
    # One phone in three is the shop's own: it comes to be a hub, and ceases to be one.
    contacts = some(drawn, email_token="e", phone_token="p", card_number_token="c")
    if drawn.random() < 1 / 3:
        contacts["phone_token"] = "p0"
    put(
        connection, "member__member", day, member_number_token=account,
        updated_at=f"2018-01-{day:02d} 0{number}:00:00+00", city="York", birth_date_decade=1980,
        _record_key=hash_of(account), _content_hash=drawn.getrandbits(40),
        **{f"{field}_token": f"t-{word}" for field, word in shown.items()}, **contacts,
    )  # fmt: skip
    if drawn.random() < 0.5:  # a correction takes the place of what the account showed before
        connection.execute(
            "delete from raw.member__member where member_number_token = ? and _batch_id < ?",
            [account, day],
        )


def some(drawn: random.Random, **kinds: str) -> dict[str, str]:
    """Identifiers of some of the kinds, each one of twelve."""
    return {
        column: f"{kind}{drawn.randint(0, 11)}"
        for column, kind in kinds.items()
        if drawn.random() < 0.5
    }


@pytest.mark.parametrize("seed", range(4))
def test_day_by_day_it_leaves_what_a_whole_resolution_leaves(pair, seed, monkeypatch):
    model = matching.replace(matching.load_model(), most_in_block=5)
    monkeypatch.setattr(matching, "load_model", lambda: model)
    increments, whole = pair
    for day in range(1, DAYS + 1):
        for connection in pair:
            a_day(connection, day, seed)
        forget_what_was_kept(whole)

        outcomes = [resolve_persons(connection) for connection in pair]

        for left in LEFT:
            assert increments.execute(left).fetchall() == whole.execute(left).fetchall(), left
        assert outcomes[0] == outcomes[1]


def test_the_random_days_hold_what_they_are_to_try(pair):
    warehouse, _ = pair
    was_a_hub, was_decided = set(), set()
    for day in range(1, DAYS + 1):
        a_day(warehouse, day, seed=0)
        resolve_persons(warehouse)
        was_a_hub.add("p0" in persons(warehouse) and persons(warehouse)["p0"] is None)
        was_decided |= set(
            warehouse.execute("select rule from identity.person_identifier").fetchall()
        )
    events = warehouse.execute("select event from identity.person_key_history").fetchall()
    unsure = warehouse.execute(
        "select count(*) from identity.person_identifier_history where confidence < 1"
    ).fetchone()[0]

    assert was_a_hub == {False, True}
    assert ("steward",) in was_decided
    assert set(events) == {("merge",), ("split",), ("move",)}
    assert unsure > 0


def touched_count(connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many identifiers the next resolution looks at again."""
    counts = []
    kept = touched.keep

    def counted(connection: duckdb.DuckDBPyConnection) -> None:
        counts.extend(connection.execute("select count(*) from identity_touched").fetchone())
        kept(connection)

    with monkeypatch.context() as patched:
        patched.setattr(touched, "keep", counted)
        resolve_persons(connection)
    return counts[0]


def test_only_persons_that_something_new_touches_are_looked_at_again(pair, monkeypatch):
    warehouse, _ = pair
    for number in range(20):
        member(warehouse, f"m{number}", phone_token=f"p{number}")
    assert touched_count(warehouse, monkeypatch) == 40

    order(warehouse, "o1", 2, phone_token="p1", email_token="e1")

    assert touched_count(warehouse, monkeypatch) == 3  # the account, its phone, the new address


def test_a_map_that_somebody_changed_by_hand_is_put_right(pair):
    warehouse, _ = pair
    for number in range(3):
        member(warehouse, f"m{number}", phone_token=f"p{number}")
    resolve_persons(warehouse)
    before = warehouse.execute(MAP).fetchall()
    warehouse.execute(
        "update identity.person_identifier set rule = 'post', confidence = 0.3 "
        "where identifier_token = 'm1'"
    )
    member(warehouse, "m9", 2)

    resolve_persons(warehouse)

    after = warehouse.execute(MAP).fetchall()
    assert [row for row in after if row[2] != "m9"] == before


def test_a_value_that_the_vault_gets_later_is_compared(pair):
    warehouse, _ = pair
    shown = {"name_token": "t-name", "address_token": "t-street", "postcode_token": "t-code",
             "city": "York", "birth_date_decade": 1980}  # fmt: skip
    member(warehouse, "m1", **shown)
    member(warehouse, "m2", **shown)
    resolve_persons(warehouse)
    assert len(set(persons(warehouse).values())) == 2

    for domain, token, value in (
        ("person_name", "t-name", "Ada Thornley"),
        ("address", "t-street", "12 Mill Lane"),
        ("postcode", "t-code", "YO1 7HH"),
    ):
        warehouse.execute(
            "insert into vault.personal_value values (?, ?, ?, 2)", [domain, token, value]
        )
    member(warehouse, "m3", 2)
    resolve_persons(warehouse)

    found = persons(warehouse)
    assert found["m1"] == found["m2"] != found["m3"]


def test_a_value_that_leaves_the_vault_leaves_its_spelling_too(pair):
    warehouse, _ = pair
    warehouse.execute(
        "insert into vault.personal_value values ('person_name', 't-name', 'Ada Thornley', 1)"
    )
    member(warehouse, "m1", name_token="t-name")
    resolve_persons(warehouse)
    spelled = "select family from vault.match_spelling"
    assert warehouse.execute(spelled).fetchall() == [("thornley",)]

    warehouse.execute("delete from vault.personal_value")
    member(warehouse, "m2", 2)
    resolve_persons(warehouse)

    assert warehouse.execute(spelled).fetchall() == [(None,)]
