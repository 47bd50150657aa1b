"""Everything that is known of one member, and nothing of another."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dagster_project.core.declarations import load_templates
from dagster_project.core.erasure import ErasureError
from dagster_project.core.erasure.exporting import Export, export_subject
from dagster_project.core.erasure.finding import Selectors
from dagster_project.core.home import TEMPLATES
from dagster_project.core.warehouse import Warehouse
from tests.unit.erasure_shop import ADA_MAIL, KIM_MAIL, KIM_NAME, KIM_PHONE, open_shop, rows

PERSON = "select person_key from identity.person_identifier where identifier_kind = 'phone'"


@pytest.fixture
def exported(warehouse: Warehouse, tmp_path: Path) -> Export:
    shop = open_shop(warehouse)
    ((kim,),) = rows(shop, PERSON)
    with shop.connect() as connection:
        connection.execute(
            "create table customer.customer_360 as select * from (values ($1, 'high'), (7, 'low')) "
            "as t(customer_durable_key, value_tier)",
            [kim],
        )
    return export_subject(shop, Selectors(emails=(KIM_MAIL,)), tmp_path / "for-kim")


def test_it_holds_every_row_with_clear_values_and_nothing_of_others(exported: Export) -> None:
    told = json.loads((exported.path / "everything.json").read_text("utf-8"))
    (member,) = told["tables"]["raw.member__member"]
    assert (member["email"], member["phone"], member["name"]) == (KIM_MAIL, KIM_PHONE, KIM_NAME)
    assert [r["receipt_id"] for r in told["tables"]["raw.pos_standard__receipt"]] == ["R1", "R3"]
    assert [r["entry_id"] for r in told["tables"]["raw.points_entry__entry"]] == ["P1"]
    assert told["tables"]["customer.customer_360"][0]["value_tier"] == "high"
    assert len(told["tables"]["customer.customer_360"]) == 1
    assert ADA_MAIL not in json.dumps(told)


def test_every_raw_table_was_searched(exported: Export) -> None:
    templates = load_templates(TEMPLATES).values()
    tables = {f"raw.{one.table(name)}" for one in templates for name in one.records}
    assert tables <= set(exported.rows)
    assert {"identity.person_identifier", "customer.customer_360"} <= set(exported.rows)


def test_it_is_for_its_owner_alone_and_no_cell_is_a_formula(exported: Export) -> None:
    assert exported.path.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in exported.path.iterdir())
    with (exported.path / "raw.member__member.csv").open(encoding="utf-8", newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert row["phone"] == f"'{KIM_PHONE}"  # it begins with a plus sign
    assert row["email"] == KIM_MAIL


def test_two_persons_are_not_exported_together(warehouse: Warehouse, tmp_path: Path) -> None:
    shop, out = open_shop(warehouse), tmp_path / "both"
    with pytest.raises(ErasureError, match="2 persons"):
        export_subject(shop, Selectors(members=("shop:M1", "shop:M2")), out)
    assert not out.exists()
