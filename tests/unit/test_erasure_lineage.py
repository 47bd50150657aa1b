"""Whatever a template or a mart holds of a person is found: by erasure, and by the export."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dagster_project.core.declarations import Outcome, Template, Treatment, load_templates
from dagster_project.core.erasure.exporting import uncovered
from dagster_project.core.home import DBT_PROJECT, TEMPLATES
from dagster_project.core.identity.explaining import DOMAINS
from dagster_project.core.identity.links import SENDER_KINDS
from dagster_project.core.suppression.lineage import (
    KINDS,
    PROTECTED,
    ROLES,
    RawRecord,
    Role,
    raw_records,
)

SHIPPED = load_templates(TEMPLATES)
RECORDS = raw_records(SHIPPED)
# Marts with protected columns that are not of one customer, and why.
OF_NOBODY = {
    "core.dim_service": "a service that a clinic offers, whoever took it",
    "sensitive.clinic_services": "sums over all visits of a day",
}


def record_of(table: str) -> RawRecord:
    return next(one for one in RECORDS if one.table == table)


def test_every_token_domain_of_every_template_has_a_role() -> None:
    used = {
        field.token_domain
        for template in SHIPPED.values()
        for record in template.records.values()
        for field in record.fields.values()
        if field.token_domain is not None
    }
    assert used == set(ROLES)


def test_a_template_with_a_domain_nobody_has_judged_is_refused() -> None:
    declared = yaml.safe_load((TEMPLATES / "survey_response.yaml").read_text("utf-8"))
    declared["records"]["answer"]["fields"]["passport"] = {
        "type": "text",
        "class": "personal",
        "treatment": "token",
        "token_domain": "passport",
        "description": "Its number.",
    }
    with pytest.raises(KeyError, match="passport"):
        raw_records({"survey_response": Template(**declared)})


def test_identity_knows_the_domains_that_identify_and_no_others() -> None:
    assert {d for d, role in ROLES.items() if role is Role.IDENTIFIES} == set(KINDS)
    assert {kind: domain for domain, kind in KINDS.items()} == DOMAINS
    scoped = {KINDS[c.domain] for r in RECORDS for c in r.tokens if c.role is Role.IDENTIFIES
              and "_sender" in c.scope}  # fmt: skip
    assert scoped == set(SENDER_KINDS)


def test_no_protected_value_outlives_its_person_in_a_record_that_stays() -> None:
    """Read from the YAML itself: what is neither emptied nor replaced is staff's or an amount."""
    for record in RECORDS:
        if record.outcome is not Outcome.ANONYMOUS:
            continue
        fields = SHIPPED[record.template].records[record.record].fields
        for name, field in fields.items():
            stays = set(field.columns(name)) - {*record.emptied, *record.replaced}
            is_staffs = ROLES.get(field.token_domain or "") is Role.STAFF
            is_amount = field.treatment is Treatment.KEEP and field.type in {"money", "rate"}
            assert not stays or is_staffs or is_amount or field.classification not in PROTECTED


def test_what_is_replaced_in_a_record_that_stays_is_a_token() -> None:
    stays = [one for one in RECORDS if one.outcome is Outcome.ANONYMOUS]
    assert {c for one in stays for c in one.replaced} == {"account_id_token"}


@pytest.mark.parametrize(
    ("table", "document"),
    [
        ("pos_standard__receipt", "receipt_id"),
        ("pos_standard__tender", "receipt_id"),
        ("web_order__payment", "order_id"),
        ("web_order__fulfilment", "order_id"),
        ("pos_standard__session", None),
        ("member__member", None),
    ],
)
def test_records_of_a_receipt_or_order_belong_together(table: str, document: str | None) -> None:
    assert record_of(table).document == document


def test_who_recommended_a_member_is_a_reference_and_not_the_member() -> None:
    references = {(r.table, c.column) for r in RECORDS for c in r.references}
    assert references == {("member__member", "referrer_number_token")}


def test_a_decision_names_the_sender_of_each_side() -> None:
    scopes = {c.column: c.scope for c in record_of("identity_decision__decision").tokens}
    assert scopes["left_member_number_token"] == "coalesce(left_sender, _sender)"
    assert scopes["right_email_token"] == "'*'"


def test_every_mart_with_a_protected_column_is_part_of_an_export() -> None:
    """A mart of persons without a person's key or token would be left out: it fails here."""
    marts: dict[str, list[str]] = {}
    for path in sorted((DBT_PROJECT / "models" / "marts").rglob("*.yml")):
        marts |= _protected_marts(path)
    assert len(marts) > 10
    assert uncovered(marts) == sorted(OF_NOBODY)


def _protected_marts(path: Path) -> dict[str, list[str]]:
    found = {}
    for model in yaml.safe_load(path.read_text("utf-8")).get("models") or []:
        columns = model.get("columns") or []
        classes = {c.get("config", {}).get("meta", {}).get("class") for c in columns}
        names = [c["name"] for c in columns]
        if classes & {one.value for one in PROTECTED} or "customer_key" in names:
            found[f"{path.parent.name}.{model['name']}"] = names
    return found
