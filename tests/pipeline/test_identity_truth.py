"""Identity against the truth of simulated people: files loaded, tokens only, pairs counted."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest

from dagster_project.core import home as paths
from dagster_project.core.declarations import load_feeds, load_templates
from dagster_project.core.feeds import create_raw_tables, load_feed
from dagster_project.core.home import Home
from dagster_project.core.identity import IdentityScore, evaluate, resolve_persons
from dagster_project.core.identity.evaluate import TrueIdentifier
from dagster_project.core.identity.matching import is_available
from dagster_project.core.keys import MasterKey
from dagster_project.core.simulation import simulate
from dagster_project.core.warehouse import Warehouse

KEY = MasterKey(bytes(range(32)))
# Feeds that show identifiers; the others say nothing about who is who.
STREAMS = ("members", "orders", "order_payments", "receipts", "tenders", "events", "posts")
DOMAINS = {
    "member": "member",
    "visitor": "visitor",
    "handle": "social_handle",
    "card": "card",
    "phone": "phone",
    "email": "email",
}


def spelled_the_same(kind: str, value: str, country: str) -> str:
    """One spelling for what is one phone or e-mail, worked out apart from the loader's SQL."""
    text = unicodedata.normalize("NFKC", value).strip()
    if kind == "email":
        name, _, provider = text.lower().partition("@")
        return f"{name.partition('+')[0]}@{provider}"
    if kind != "phone":
        return text
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def true_identifiers(truth: Path) -> Iterator[TrueIdentifier]:
    with (truth / "persons.csv").open(encoding="utf-8") as handle:
        country = {row["person_id"]: row["country_code"] for row in csv.DictReader(handle)}
    with (truth / "person_records.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            kind, person = row["kind"], row["person_id"]
            if kind in DOMAINS and person:
                sender = "lantern" if kind in {"member", "visitor", "handle"} else "*"
                value = spelled_the_same(kind, row["value"], country[person])
                yield sender, kind, KEY.token(DOMAINS[kind], value), person


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(False, id="deterministic"),
        pytest.param(
            True,
            id="both",
            marks=pytest.mark.skipif(
                not is_available(), reason="the extra tillhouse[ml] is not installed"
            ),
        ),
    ],
)
def scores(request, tmp_path_factory) -> dict[str, IdentityScore]:
    """Scores over the identifiers that were delivered: of everybody's contacts, and of accounts."""
    root = tmp_path_factory.mktemp("people")
    simulate(root, stores=3, days=28, customers=300, seed=11, faults="light")
    warehouse = Warehouse(Home(root), KEY)
    warehouse.create()
    templates = load_templates(paths.TEMPLATES)
    with warehouse.connect() as connection:
        create_raw_tables(connection, templates)
    feeds = load_feeds(paths.FEEDS, templates)
    for stream in STREAMS:
        feed = feeds[f"lantern_{stream}"]
        load_feed(warehouse, feed, templates[feed.template])
    with warehouse.connect() as connection:
        resolve_persons(connection, probabilistic=request.param)
        delivered = set(
            connection.execute(
                "select sender, identifier_kind, identifier_token from identity.person_identifier"
            ).fetchall()
        )
        truth = [row for row in true_identifiers(root / "truth") if row[:3] in delivered]
        # Who only looks around and never logs in cannot be known by any rule.
        return {
            "contacts": evaluate(connection, [row for row in truth if row[1] != "visitor"]),
            "accounts": evaluate(connection, [row for row in truth if row[1] == "member"]),
        }


@pytest.mark.slow
def test_no_two_people_become_one(scores):
    assert scores["contacts"].found_pairs > 200
    assert scores["contacts"].precision >= 0.99


@pytest.mark.slow
def test_nearly_all_records_of_one_person_are_found(scores):
    # What is missing are mostly typing errors, which no exact rule finds.
    assert scores["contacts"].recall >= 0.9


@pytest.mark.slow
def test_two_accounts_of_one_person_are_found(scores):
    assert scores["accounts"].true_pairs >= 3
    assert scores["accounts"].f1 >= 0.9
