"""A shop with a club, a till and a help desk, whose files name two members by hand.

Kim is M1, Ada is M2. Kim bought R1 and paid R3, a receipt without a member, with her own card.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import FeedOutcome, load_feed
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.identity import resolve_persons
from dagster_project.core.warehouse import Warehouse
from tests.conftest import TEST_KEY

KIM_MAIL, KIM_PHONE, KIM_CARD = "kim.lee@example.org", "+8613800138000", "4111111111111111"
KIM_NAME = "Kim Lee Unmistakable"
ADA_MAIL = "ada@example.org"
RULES = {"complete_by": "rename", "reject_threshold": 0.5}
COMMON = {"description": "A test's own.", "sender": "shop", "owner": "test", "format": "csv"}


def _feed(name: str, template: str, columns: str, **records: dict[str, str]) -> Feed:
    declared: dict[str, Any] = COMMON | {
        "feed": name,
        "template": template,
        "country": "CN",
        "arrival": RULES,
        "columns": {column: [] for column in columns.split()},
        "records": {record: {"fields": fields} for record, fields in records.items()},
    }
    return Feed(**declared)


SALE = {"receipt_id": "bon", "sold_at": "at"}
FEEDS = {
    one.feed: one
    for one in (
        _feed(
            "club",
            "member",
            "no since mobile mail who card friend",
            member={
                "member_number": "no",
                "updated_at": "since",
                "phone": "mobile",
                "email": "mail",
                "name": "who",
                "card_number": "card",
                "referrer_number": "friend",
            },
        ),
        _feed(
            "till",
            "pos_standard",
            "bon at member amount card clerk remark",
            receipt=SALE
            | {
                "receipt_type": "'sale'",
                "store_code": "'S1'",
                "currency_code": "'CNY'",
                "member_number": "member",
                "operator_code": "clerk",
                "note": "remark",
            },
            line=SALE
            | {
                "line_number": "'1'",
                "line_type": "'sale'",
                "product_code": "'tea'",
                "quantity": "'1'",
                "list_amount": "amount",
                "discount_amount": "'0'",
                "tax_amount": "'0'",
            },
            tender=SALE
            | {
                "tender_number": "'1'",
                "tender_type_code": "'card_chip'",
                "amount": "amount",
                "currency_code": "'CNY'",
                "card_number": "card",
            },
        ),
        _feed(
            "desk",
            "service_case",
            "id at mail story",
            case={
                "case_id": "id",
                "opened_at": "at",
                "status": "'open'",
                "email": "mail",
                "text": "story",
            },
        ),
        _feed(
            "points",
            "points_entry",
            "id no kind points at",
            entry={
                "entry_id": "id",
                "member_number": "no",
                "entry_type": "kind",
                "points": "points",
                "booked_at": "at",
            },
        ),
    )
}
FILES = {
    "club": "no,since,mobile,mail,who,card,friend\n"
    f"M1,2017-01-01 08:00:00,138 0013 8000,{KIM_MAIL},{KIM_NAME},{KIM_CARD},\n"
    f"M2,2017-01-01 09:00:00,,{ADA_MAIL},Ada,,M1\n",
    "till": "bon,at,member,amount,card,clerk,remark\n"
    f"R1,2017-03-01 10:00:00,M1,3.50,{KIM_CARD},C7,call Kim back\n"
    "R2,2017-03-01 11:00:00,M2,4.00,,C7,\n"
    f"R3,2017-03-01 12:00:00,,5.25,{KIM_CARD},C8,she is Kim\n",
    "desk": f"id,at,mail,story\nC1,2017-03-02 10:00:00,{KIM_MAIL},I am Kim\n"
    f"C2,2017-03-02 11:00:00,{ADA_MAIL},hello\n",
    "points": "id,no,kind,points,at\nP1,M1,earn,3,2017-03-01 10:00:00\n"
    "P2,M2,earn,4,2017-03-01 11:00:00\nP3,M1,borrowed,1,2017-03-01 10:00:00\n"
    "P4,M2,earn,1,2017-03-01 10:00:00\n",
}


def deliver(warehouse: Warehouse, feed: str, name: str, content: str) -> FeedOutcome:
    """Deliver one file and load it."""
    folder = warehouse.home.landing / feed
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content, "utf-8")
    declared = FEEDS[feed]
    return load_feed(warehouse, declared, load_templates(TEMPLATES)[declared.template])


def open_shop(warehouse: Warehouse) -> Warehouse:
    """All files loaded, and who is who resolved."""
    (warehouse.home.root / "settings.yaml").write_text("probabilistic_identity: false\n", "utf-8")
    for feed, content in FILES.items():
        deliver(warehouse, feed, "first.csv", content)
    with warehouse.connect() as connection:
        resolve_persons(connection, probabilistic=False)
    return warehouse


def copied(shop: Home, home: Home) -> Warehouse:
    """The same shop in a home of its own; the engine's extension is one file for all."""
    shutil.copytree(shop.extensions, home.extensions, copy_function=os.link, dirs_exist_ok=True)
    ignored = shutil.ignore_patterns("extensions")
    shutil.copytree(shop.root, home.root, ignore=ignored, dirs_exist_ok=True)
    return Warehouse(home, TEST_KEY)


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    with warehouse.connect(read_only=True) as connection:
        return connection.execute(query).fetchall()


def everything(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of raw and vault, to be compared, without what tells of the load."""
    with warehouse.connect(read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = current_database() and schema_name in ('raw', 'vault')"
        ).fetchall()
        return {
            table: sorted(
                connection.execute(f"select * exclude ({_load(table)}) from {table}").fetchall(),
                key=repr,
            )
            for (table,) in tables
        }


def _load(table: str) -> str:
    if table.startswith("raw."):
        return "_batch_id, _file_id, _record_number"
    return "batch_id" if table == "vault.personal_value" else "shown_hash"
