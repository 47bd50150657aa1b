"""Erasing one of two members: what goes, what stays without her, and that she does not return."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dagster_project.core.audit_log import verify
from dagster_project.core.erasure import (
    ErasureError,
    apply_again,
    finish_erasure,
    mark_path,
    read_register,
)
from dagster_project.core.erasure.concluding import conclude
from dagster_project.core.erasure.erasing import Erasure, erase, erase_again, plan
from dagster_project.core.erasure.finding import Selectors
from dagster_project.core.erasure.sweeping import sweep_tables
from dagster_project.core.feeds.store import has_original
from dagster_project.core.home import Home
from dagster_project.core.identity import resolve_persons
from dagster_project.core.warehouse import Warehouse, WriterLock
from tests.conftest import TEST_KEY
from tests.unit.erasure_shop import (
    ADA_MAIL,
    FEEDS,
    FILES,
    KIM_CARD,
    KIM_MAIL,
    KIM_NAME,
    KIM_PHONE,
    copied,
    deliver,
    everything,
    open_shop,
    rows,
)

BACKUPS = {"old": datetime(2026, 1, 1, tzinfo=UTC), "new": datetime(9999, 1, 1, tzinfo=UTC)}
KIM = Selectors(members=("shop:M1",))
RECEIPTS = "select receipt_id, member_number_token, note, operator_code_token is not null "
RECEIPTS += "from raw.pos_standard__receipt order by 1"


def erased(warehouse: Warehouse, selectors: Selectors = KIM) -> Erasure:
    with WriterLock(warehouse.home).acquire() as lock:
        return erase(warehouse, lock, selectors, reason="asked by letter", feeds=FEEDS)


def left(warehouse: Warehouse, erasure: Erasure) -> dict[str, int]:
    """Tables in which a token, a clear value or a key of hers still stands."""
    with warehouse.connect(read_only=True) as connection:
        swept = sweep_tables(connection, erasure.traces)
    return {one.table: one.found for one in swept if one.found}


@pytest.fixture(scope="module")
def opened(empty_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The shop, opened once and never changed."""
    home = Home(tmp_path_factory.mktemp("shop")).create()
    return open_shop(copied(empty_home, home)).home


@pytest.fixture
def shop(opened: Home, home: Home) -> Warehouse:
    return copied(opened, home)


def test_nothing_of_the_person_is_left_in_any_table(shop: Warehouse) -> None:
    erasure = erased(shop)
    assert set(erasure.traces.values) == {KIM_MAIL, KIM_PHONE}
    assert erasure.traces.descriptions == (KIM_NAME,)
    assert left(shop, erasure) == {}
    values = rows(shop, "select value from vault.personal_value")
    assert not {KIM_NAME, KIM_MAIL, KIM_PHONE, "M1"} & {value for (value,) in values}


def test_sales_stay_with_their_amounts_and_without_the_person(shop: Warehouse) -> None:
    ada = rows(shop, RECEIPTS)[1]
    erased(shop)
    assert rows(shop, RECEIPTS) == [
        ("R1", None, None, True),
        ada,
        ("R3", None, None, True),
    ]
    assert rows(shop, "select sum(list_amount) from raw.pos_standard__line") == [
        (Decimal("12.7500"),)
    ]
    assert rows(
        shop,
        "select count(*), count(card_number_token), count(card_number_masked), sum(amount) "
        "from raw.pos_standard__tender",
    ) == [(3, 0, 0, Decimal("12.7500"))]


def test_records_that_are_only_hers_are_gone_and_those_of_others_stay(shop: Warehouse) -> None:
    erased(shop)
    assert rows(shop, "select case_id from raw.service_case__case") == [("C2",)]
    assert rows(shop, "select entry_id from raw.points_entry__entry order by 1") == [
        ("P2",),
        ("P4",),
    ]
    assert rows(shop, "select count(*), count(referrer_number_token) from raw.member__member") == [
        (1, 0)
    ]
    assert (ADA_MAIL,) in rows(shop, "select value from vault.personal_value")


def test_rejects_lose_the_text_of_her_record_and_the_ledger_still_adds_up(shop: Warehouse) -> None:
    shown = "select record_number, raw_record is not null from ops.rejects"
    assert rows(shop, shown) == [(3, True)]
    erasure = erased(shop)
    assert rows(shop, shown) == [(3, False)]
    assert erasure.outcome.originals.emptied_rejects == 1
    assert rows(
        shop,
        "select count(*) from ops.file_ledger "
        "where physical_count != loaded_count + rejected_count + duplicate_count",
    ) == [(0,)]


def test_originals_that_name_her_are_destroyed_and_the_ledger_says_so(shop: Warehouse) -> None:
    before = {file_id for (file_id,) in rows(shop, "select file_id from ops.file_ledger")}
    assert all(has_original(shop.home, file_id) for file_id in before)
    deliver(shop, "till", "other.csv", FILES["till"].splitlines()[0] + "\n" + ADA_SALE)
    erased(shop)
    told = dict(rows(shop, "select file_id, reason from ops.file_ledger"))
    for file_id, reason in told.items():
        assert has_original(shop.home, file_id) == (file_id not in before)
        assert (reason is not None) == (file_id in before)


ADA_SALE = "R9,2017-03-05 10:00:00,M2,1.00,,C7,\n"


@pytest.mark.parametrize("feed", FILES)
def test_the_same_rows_in_a_new_file_bring_nobody_back(shop: Warehouse, feed: str) -> None:
    erasure = erased(shop)
    before = everything(shop)
    head, *lines = FILES[feed].splitlines(keepends=True)
    outcome = deliver(shop, feed, "again.csv", head + "".join(reversed(lines)))
    assert outcome.loaded_count == 0
    assert outcome.duplicate_count + outcome.rejected_count == len(lines)
    assert everything(shop) == before
    assert left(shop, erasure) == {}
    assert not has_original(shop.home, rows(shop, NEWEST)[0][0])


NEWEST = "select file_id from ops.file_ledger order by arrived_at desc limit 1"


def test_the_same_file_again_is_a_duplicate(shop: Warehouse) -> None:
    erasure = erased(shop)
    outcome = deliver(shop, "club", "again.csv", FILES["club"])
    assert (outcome.loaded_count, outcome.duplicate_count) == (0, 2)
    assert left(shop, erasure) == {}


def test_a_new_account_with_her_phone_is_not_taken_in(shop: Warehouse) -> None:
    erased(shop)
    head = FILES["club"].splitlines(keepends=True)[0]
    new = "M3,2018-01-01 08:00:00,+86 138-0013-8000,new@example.org,Someone,,\n"
    other = "M4,2018-01-01 08:00:00,13900139000,other@example.org,Other,,\n"
    outcome = deliver(shop, "club", "new.csv", head + new + other)
    assert (outcome.loaded_count, outcome.duplicate_count) == (1, 1)
    assert ("new@example.org",) not in rows(shop, "select value from vault.personal_value")
    assert ("other@example.org",) in rows(shop, "select value from vault.personal_value")


def test_a_new_sale_with_her_number_is_taken_in_without_her(shop: Warehouse) -> None:
    erasure = erased(shop)
    head = FILES["till"].splitlines(keepends=True)[0]
    sale = f"R5,2018-03-01 10:00:00,M1,7.00,{KIM_CARD},C7,for Kim\n"
    assert deliver(shop, "till", "new.csv", head + sale).loaded_count == 1
    assert rows(shop, RECEIPTS)[-1] == ("R5", None, None, True)
    assert left(shop, erasure) == {}


def test_an_erasure_again_finds_nothing(shop: Warehouse) -> None:
    erased(shop)
    before = everything(shop)
    with WriterLock(shop.home).acquire() as lock:
        again = erase_again(shop, lock, FEEDS)
    assert again is not None
    assert sum(change.found for change in again.outcome.changes) == 0
    assert everything(shop) == before


def test_a_database_from_before_is_brought_to_the_state_after(shop: Warehouse) -> None:
    backup = shop.home.warehouse.read_bytes()
    erasure = erased(shop)
    after = everything(shop)
    shop.home.warehouse.write_bytes(backup)
    assert left(shop, erasure)
    with WriterLock(shop.home).acquire() as lock:
        assert apply_again(shop, lock) == 1
    assert everything(shop) == after
    assert left(shop, erasure) == {}


def test_an_erasure_that_was_stopped_is_gone_on_with(shop: Warehouse) -> None:
    backup = shop.home.warehouse.read_bytes()
    erasure = erased(shop)
    shop.home.warehouse.write_bytes(backup)  # as if it had been killed before the database
    mark_path(shop.home).touch()
    with WriterLock(shop.home).acquire() as lock:
        assert finish_erasure(shop, lock)
        assert not finish_erasure(shop, lock)
    assert left(shop, erasure) == {}


def test_what_the_models_built_is_asked_for_anew(shop: Warehouse) -> None:
    with shop.connect() as connection:
        connection.execute("create table core.dim_customer as select 1 as customer_key")
        connection.execute("create view staging.stg_x as select 1 as one")
        connection.execute("insert into ops.build_state values ('models', 1, 'code', now())")
    erased(shop)
    assert rows(shop, "select fingerprint from ops.build_state where build = 'models'") == [
        ("erasure",)
    ]
    assert rows(
        shop, "select count(*) from duckdb_tables() where schema_name in ('core', 'staging')"
    ) == [(0,)]


def test_others_keep_their_person_when_identity_is_resolved_again(shop: Warehouse) -> None:
    persons = "select identifier_kind, person_key from identity.person_identifier "
    persons += "where identifier_kind = 'email' order by all"
    ada = "select person_key from raw.member__member join identity.person_identifier "
    ada += "on identifier_token = email_token where identifier_kind = 'email' order by updated_at"
    before = rows(shop, ada)[-1]
    erased(shop)
    with shop.connect() as connection:
        resolve_persons(connection, probabilistic=False)
    assert rows(shop, ada) == [before]
    assert rows(shop, persons) == [("email", *before)]


def test_a_dry_run_counts_and_writes_nothing(shop: Warehouse) -> None:
    before = everything(shop)
    found = plan(shop, KIM)
    assert found.person_count == 1
    assert found.rows == {
        "raw.member__member": 1,
        "raw.points_entry__entry": 1,
        "raw.pos_standard__receipt": 2,
        "raw.pos_standard__line": 2,
        "raw.pos_standard__tender": 2,
        "raw.service_case__case": 1,
    }
    assert everything(shop) == before
    assert read_register(shop.home, TEST_KEY) == ()


@pytest.mark.parametrize(
    "selectors",
    [
        Selectors(members=("shop:M1",)),
        Selectors(emails=("Kim.Lee@Example.org",)),
        Selectors(phones=(KIM_PHONE,)),
    ],
    ids=["member", "email in another spelling", "phone"],
)
def test_every_selector_finds_the_same_person(shop: Warehouse, selectors: Selectors) -> None:
    assert plan(shop, selectors) == plan(shop, KIM)


@pytest.mark.parametrize(
    ("selectors", "reason"),
    [
        (Selectors(members=("shop:M77",)), "asked"),
        (Selectors(members=("M1",)), "asked"),
        (Selectors(), "asked"),
        (KIM, f"{KIM_MAIL} wrote to us"),
        (KIM, "letter of kim lee unmistakable"),
    ],
    ids=["unknown", "no sender", "nobody", "reason holds a contact", "reason holds the name"],
)
def test_what_cannot_be_erased_changes_nothing(
    shop: Warehouse, selectors: Selectors, reason: str
) -> None:
    before = everything(shop)
    with WriterLock(shop.home).acquire() as lock, pytest.raises(ErasureError) as caught:
        erase(shop, lock, selectors, reason=reason, feeds=FEEDS)
    assert everything(shop) == before
    assert read_register(shop.home, TEST_KEY) == ()
    assert not any(value in str(caught.value) for value in (KIM_MAIL, "M77"))


def test_the_certificate_tells_what_was_searched_and_no_value(shop: Warehouse) -> None:
    erasure = erased(shop)
    with WriterLock(shop.home).acquire() as lock:
        conclusion = conclude(shop, lock, erasure, BACKUPS)
    text = conclusion.certificate.read_text("utf-8") + conclusion.page.read_text("utf-8")
    for value in (KIM_MAIL, KIM_PHONE, KIM_NAME, "M1,", *erasure.traces.tokens):
        assert value not in text
    told = json.loads(conclusion.certificate.read_text("utf-8"))
    assert [(one["backup"], one["gone_by"]) for one in told["backups"]] == [("old", "2026-01-31")]
    assert told["found_in_tables"] == 0
    assert {"raw.member__member", "vault.personal_value", "identity.person_identifier"} <= {
        one["table"] for one in told["searched_tables"]
    }
    assert verify(shop.home, TEST_KEY).is_good


def test_the_warehouse_is_written_anew_and_still_numbers_its_batches(shop: Warehouse) -> None:
    (before,) = rows(shop, "select max(batch_id) from ops.batch")[0]
    inode = shop.home.warehouse.stat().st_ino
    erased(shop)
    assert shop.home.warehouse.stat().st_ino != inode
    deliver(shop, "till", "next.csv", FILES["till"].splitlines()[0] + "\n" + ADA_SALE)
    assert rows(shop, "select count(*) - count(distinct batch_id) from ops.batch") == [(0,)]
    assert rows(shop, "select max(batch_id) from ops.batch")[0][0] > before
