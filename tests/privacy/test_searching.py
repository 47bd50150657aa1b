"""The search for canaries finds what is there, in whatever form, and where it may not be."""

from __future__ import annotations

import base64
import json
import sqlite3
import zlib
from pathlib import Path

import duckdb
import pytest

from benchmarks.canaries import false_alarms, recall
from dagster_project.core.declarations import load_templates
from dagster_project.core.home import TEMPLATES
from tests.conftest import TEST_KEY
from tests.privacy.canary_values import canaries, key_forms, purposes
from tests.privacy.made_feeds import is_guarded, rows, swept
from tests.privacy.searching import (
    Haystack,
    Hit,
    needle,
    search_duckdb,
    search_files,
    search_sqlite,
)
from tests.privacy.sweep import is_allowed, needles

CARD, NAME, KEY = "4111111111111111", "قناری پرنده", bytes(range(32))
HAY = Haystack(
    [
        needle("card", CARD, is_card=True),
        needle("name", NAME),
        needle("key", KEY),
        needle("mail", "canary@post.example"),
    ]
)
FORMS = {
    "plain": (CARD.encode(), "card"),
    "groups": (b"4111 1111-1111".replace(b"-", b" ") + b" 1111", "card"),
    "UTF-16": (NAME.encode("utf-16"), "name"),
    "JSON": (json.dumps(NAME).encode(), "name"),
    "upper case": (b"CANARY@POST.EXAMPLE", "mail"),
    "hexadecimal": (KEY.hex().upper().encode(), "key"),
    "base64": (base64.b64encode(KEY), "key"),
    "base64 within": (base64.b64encode(b"x" + CARD.encode() + b"yz"), "card"),
    "base64 for addresses": (base64.urlsafe_b64encode(b"xx" + KEY + b"z"), "key"),
    "bytes": (b"\0\1" + KEY + b"\2", "key"),
}


@pytest.mark.parametrize(("content", "label"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("place", range(9))
def test_a_canary_is_found_in_every_form_at_every_place(
    content: bytes, label: str, place: int
) -> None:
    assert HAY.search(b"-" * place + content + b"tail" * place) == {label}


def test_what_is_not_there_is_not_found() -> None:
    assert HAY.search(b"4111111111111112 canary@post.exampl" * 100) == set()


def test_databases_are_searched_column_by_column(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "one.duckdb") as connection:
        connection.execute("create table t as select '۴۱۱۱ ۱۱۱۱ ۱۱۱۱ ۱۱۱۱' as a, 'x' as b")
        connection.execute(f"comment on table t is '{CARD}'")
        connection.execute(f"create view v as select '{KEY.hex()}' = b as c from t")
        assert search_duckdb(connection, "one", HAY) == (
            3,
            [
                Hit("one: main.t.a", "card"),
                Hit("one: duckdb_views()", "key"),
                Hit("one: duckdb_tables()", "card"),
            ],
        )
    path = tmp_path / "two.db"
    with sqlite3.connect(path) as database:
        database.execute("create table t (a, b)")
        database.execute("insert into t values (?, ?)", [zlib.compress(NAME.encode()), CARD])
    database.close()
    assert search_sqlite(path, "two", HAY) == (
        2,
        [Hit("two: t.a", "name"), Hit("two: t.b", "card")],
    )


def test_files_and_their_names_are_searched(tmp_path: Path) -> None:
    (tmp_path / f"{CARD}.log").write_text(f"hello {NAME}")
    count, hits = search_files(tmp_path, HAY)
    assert (count, [hit.label for hit in hits]) == (27, ["card", "name"])


@pytest.mark.parametrize(
    ("place", "label", "allowed"),
    [
        ("private: vault.personal_value.value", "personal/email/1", True),
        ("private: vault.personal_value.value", "card/16/1", False),
        ("private: ops.rejects.raw_record", "personal/email/1", False),
        ("private: raw.post__post.text", "text/person/1", True),
        ("published analyst: web.x.y", "text/person/1", False),
        ("private: raw.pos_clinic.x", "kept/service_code/1", True),
        ("dbt/manifest.json", "key/master key", False),
    ],
)
def test_where_a_canary_may_stand(place: str, label: str, allowed: bool) -> None:
    assert is_allowed(Hit(place, label)) is allowed


def test_every_guarded_field_of_every_template_holds_a_canary() -> None:
    one, made = canaries(3), swept(load_templates(TEMPLATES))
    hay = Haystack(needles(one, made))
    assert len(made) > 35
    for record in (found.record for found in made):
        given = list(rows(one, record))
        for name, field in record.fields.items():
            is_text = field.type in {"text", "phone", "email", "card_number"}
            if is_guarded(field) and is_text and not field.allowed:
                assert hay.search_values(row[name] for row in given), name


def test_two_seeds_share_no_canary() -> None:
    first, second = canaries(1), canaries(2)
    values = [set(one.personal) | set(one.cards) | set(one.secrets) for one in (first, second)]
    assert values[0] & values[1] == set()


def test_every_purpose_that_a_key_is_derived_for_is_looked_for() -> None:
    assert {"warehouse", "store", "backup", "audit", "keyring", "erasures", "id"} <= purposes()
    assert "key of audit" in key_forms(TEST_KEY, ["member"]).values()


def test_cards_in_free_text_are_found_and_other_numbers_left() -> None:
    found, by_spelling = recall()
    assert found >= 0.99, by_spelling
    assert false_alarms() <= 0.01
