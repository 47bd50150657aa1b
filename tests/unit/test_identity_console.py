"""Why two are one person, what another rule would do: nothing changed, nothing in the clear."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from identity_rows import event, fresh, member, order, persons, put, receipt

from dagster_project import cli
from dagster_project.core.identity import assigning, judging, labelled, matching, resolve_persons
from dagster_project.core.identity.explaining import ExplainError, explain
from dagster_project.core.identity.rehearsing import RehearsalError, dry_run
from dagster_project.core.keys import MasterKey

KEY = MasterKey(bytes(range(32)))
DETERMINISTIC = assigning.standing_rules(False)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = fresh()
    yield connection
    connection.close()


def contents(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("from identity.person_identifier order by all").fetchall()


def test_the_path_tells_the_rule_of_every_link(warehouse):
    # v1 - m1 by a log-in, m1 - p1 by the account, p1 - e9 by a guest order.
    member(warehouse, "m1", phone_token="p1")
    event(warehouse, "w1", "v1", "m1")
    order(warehouse, "o1", phone_token="p1", email_token="e9")
    resolve_persons(warehouse)
    before = contents(warehouse)

    found = explain(warehouse, DETERMINISTIC, KEY, "v1", "e9")

    assert found.is_one_person
    assert [step.rule for step in found.path] == ["log_in", "member_record", "web_order"]
    assert contents(warehouse) == before


def test_a_clear_phone_finds_its_token_as_a_person_writes_it(warehouse):
    token = KEY.token("phone", "+447700900123")
    member(warehouse, "m1", phone_token=token)
    put(warehouse, "store__store", store_code="S", effective_at="2017-01-01 00:00:00+00",
        country_code="GB")  # fmt: skip
    resolve_persons(warehouse)

    found = explain(warehouse, DETERMINISTIC, KEY, "phone:07700 900 123", "member@lantern:m1")

    assert found.is_one_person
    assert found.left.words == f"phone {token[:8]}…"
    assert "7700" not in repr(found)


def test_two_persons_by_their_keys_are_told_apart_with_what_was_decided(warehouse):
    for number in ("m1", "m2"):
        member(warehouse, number, phone_token="p1")
    put(warehouse, "identity_decision__decision", 2, _sender="stewards", decision_id="d7",
        decision="forbid", decided_at="2018-01-01 00:00:00+00", left_sender="lantern",
        left_member_number_token="m1", right_sender="lantern",
        right_member_number_token="m2")  # fmt: skip
    resolve_persons(warehouse)
    keys = persons(warehouse)

    found = explain(warehouse, DETERMINISTIC, KEY, str(keys["m1"]), f"person:{keys['m2']}")

    assert not found.is_one_person
    assert found.path == ()
    (decision,) = found.decisions
    assert decision.startswith("forbid d7 of 2018-01-01: member of lantern m")


def test_a_hub_explains_why_it_joins_nobody(warehouse):
    for number in range(6):
        member(warehouse, f"m{number}", phone_token="shop")
    resolve_persons(warehouse)

    found = explain(warehouse, DETERMINISTIC, KEY, "m0", "shop")

    assert not found.is_one_person
    assert found.notes == ("phone shop… is a hub: too many share it to say who it is",)


@pytest.mark.parametrize("asked", ["member:nobody", "shoe:42", "m"])
def test_what_is_not_there_or_not_one_is_said_without_the_value(warehouse, asked):
    for number in ("m1", "m2"):
        member(warehouse, number)
    resolve_persons(warehouse)

    with pytest.raises(ExplainError) as refused:
        explain(warehouse, DETERMINISTIC, KEY, asked, "m1")

    assert "nobody:" not in str(refused.value)


def test_a_lower_hub_limit_is_tried_with_its_effect_on_persons_and_tiers(warehouse):
    # Three accounts share a phone: one person, whose oldest account is gold. A limit of two parts
    # them: three persons, one gold, one basic and one without a tier; two of them are new.
    for number, tier in (("m1", "gold"), ("m2", "basic"), ("m3", None)):
        member(warehouse, number, phone_token="p1", tier=tier, email_token=f"e-{number}",
               joined_at=f"201{number[1]}-01-01 00:00:00+00")  # fmt: skip
    resolve_persons(warehouse)
    before = contents(warehouse)

    found = dry_run(warehouse, DETERMINISTIC, hub_limits={"member": 2})

    assert (found.persons_before, found.persons_after) == (1, 3)
    assert (found.hubs_before, found.hubs_after) == (0, 1)
    assert (found.merged, found.split_off) == (0, 2)
    assert found.tiers == {"": (0, 1), "basic": (0, 1), "gold": (1, 1)}
    assert contents(warehouse) == before


def test_a_higher_hub_limit_merges(warehouse):
    for number in range(6):
        member(warehouse, f"m{number}", phone_token="shop")
    resolve_persons(warehouse)

    found = dry_run(warehouse, DETERMINISTIC, hub_limits={"member": 6})

    assert (found.persons_before, found.persons_after) == (6, 1)
    assert (found.merged, found.split_off, found.hubs_after) == (5, 0, 0)


def test_a_rehearsal_of_nothing_changes_nothing(warehouse):
    receipt(warehouse, "r1", "m1", ("c1",))
    resolve_persons(warehouse)

    found = dry_run(warehouse, DETERMINISTIC)

    assert (found.persons_before, found.persons_after, found.moved_identifiers) == (1, 1, 0)


def test_a_threshold_without_weights_and_a_kind_without_a_limit_are_refused(warehouse):
    with pytest.raises(RehearsalError, match="switched off"):
        dry_run(warehouse, DETERMINISTIC, threshold=0.9)
    with pytest.raises(RehearsalError, match="no hub limit for cookie"):
        dry_run(warehouse, DETERMINISTIC, hub_limits={"cookie": 3})


LABELLED = (
    ("r1", "ann", "Ann", "Quill", "1980-01-02", "ann@post.example", "01904 000000"),
    ("r2", "ann", "Ann", "Quil", "1980-01-02", "", ""),
    ("r3", "bo", "Bo", "Larkin", "1975-05-06", "bo@post.example", ""),
    ("r4", "bo", "Robert", "Larkin", "", "BO+shop@post.example", ""),
    ("r5", "cy", "Cy", "Merton", "1999-09-09", "", ""),
)


def write(path: Path, headers: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([headers, *LABELLED])
    return path


def test_a_labelled_set_is_judged_with_exact_identifiers_alone(tmp_path):
    # True pairs: r1-r2, r3-r4. The e-mail with its tag finds the second.
    path = write(tmp_path / "a.csv", ("id", "cluster", "first name", "Surname", "dob", "email",
                                      "phone"))  # fmt: skip

    records = labelled.read_records([path], labelled.load_columns())
    scores = judging.judge(records, None)

    score = scores["deterministic"]
    assert (score.found_pairs, score.true_pairs, score.right_pairs) == (1, 2, 1)
    assert (score.precision, score.recall) == (1.0, 0.5)


@pytest.mark.skipif(not matching.is_available(), reason="the extra tillhouse[ml] is not installed")
def test_the_command_prints_both_in_one_table(tmp_path, capsys):
    path = write(tmp_path / "a.csv", ("nr", "who", "a", "b", "born", "mail", "tel"))
    columns = tmp_path / "columns.yaml"
    columns.write_text(
        "columns: {record: nr, person: who, given: a, family: b, birth: born, email: mail, "
        "phone: tel}\n"
    )

    code = cli.main(["--json", "identity", "evaluate", str(path), "--columns", str(columns),
                     "--country", "GB"])  # fmt: skip

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["deterministic"]["recall"] == 0.5
    assert (told["both"]["precision"], told["both"]["recall"]) == (1.0, 1.0)


def test_a_set_that_does_not_say_who_is_who_is_refused(tmp_path, capsys):
    path = write(tmp_path / "a.csv", ("id", "b", "c", "d", "e", "f", "g"))

    assert cli.main(["identity", "evaluate", str(path)]) == 2
    assert "nothing says who record 1 is" in capsys.readouterr().err


def test_one_junk_phone_on_three_records_in_a_thousand_leaves_precision(warehouse):
    # 2,000 accounts of 1,900 people, 100 of whom have two with their own phone; 6 accounts of 6
    # others have the shop's: without the guard their 15 pairs would be found too.
    for number in range(2_000):
        person = number - 100 if number >= 1_900 else number
        phone = "shop" if 500 <= number < 506 else f"p{person}"
        member(warehouse, f"m{number}", phone_token=phone)
    resolve_persons(warehouse, probabilistic=False)

    keys = persons(warehouse)
    found = [keys[f"m{number}"] for number in range(2_000)]
    assert len(set(found)) == 1_900
    assert all(found[number] == found[number - 100] for number in range(1_900, 2_000))
