"""Templates and feeds: what may be declared, and how a mistake is said."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.console.template_guide import PAGE, guide
from dagster_project.core.declarations import (
    Classification,
    DeclarationError,
    Template,
    TemplateField,
    Treatment,
    load_feed,
    load_templates,
)
from dagster_project.core.home import TEMPLATES

SHIPPED = load_templates(TEMPLATES)
TEMPLATE: dict[str, Any] = {
    "template": "shop",
    "version": 1,
    "purpose": "A shop's receipts.",
    "retention_days": 30,
    "records": {
        "receipt": {
            "description": "One row per receipt.",
            "key": ["receipt_id"],
            "fields": {
                "receipt_id": {"type": "text", "class": "internal", "description": "Its number."},
                "member": {
                    "type": "text",
                    "class": "personal",
                    "treatment": "token",
                    "token_domain": "member",
                    "description": "Who bought.",
                },
            },
        }
    },
}
TABLE = {"type": "integer", "class": "internal", "description": "The table."}
GUEST = {
    "type": "text",
    "class": "personal",
    "treatment": "token",
    "token_domain": "person_name",
    "description": "Who booked it.",
}

FEED: dict[str, Any] = {
    "feed": "corner_rates",
    "description": "Daily rates of the corner bank.",
    "sender": "corner",
    "template": "exchange_rate",
    "owner": "treasury@example.com",
    "format": "csv",
    "columns": {"pair": [], "day": [], "value": []},
    "records": {
        "rate": {
            "fields": {
                "base_currency_code": "left(pair, 3)",
                "quote_currency_code": "right(pair, 3)",
                "rate_date": "day",
                "rate": "value",
            }
        }
    },
}


def declared(directory: Path, changes: dict[str, Any]) -> Path:
    path = directory / "corner_rates" / "defs.yaml"
    path.parent.mkdir()
    content = {"type": "dagster_project.components.FeedComponent", "attributes": FEED | changes}
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def templates_of(directory: Path, **custom: Any) -> dict[str, Template]:
    """``shop`` and, as given, ``cafe`` that extends it, written and read."""
    (directory / "shop.yaml").write_text(yaml.safe_dump(TEMPLATE), "utf-8")
    cafe = {
        "template": "cafe",
        "version": 1,
        "extends": "shop",
        "purpose": "A shop with tables.",
        "retention_days": 30,
        "records": {"receipt": {"fields": {"table_number": TABLE, "guest": GUEST}}},
    }
    (directory / "cafe.yaml").write_text(yaml.safe_dump(cafe | custom), "utf-8")
    return load_templates(directory)


def test_every_shipped_template_makes_valid_tables() -> None:
    engine = duckdb.connect()
    engine.execute("create schema raw")

    for template in SHIPPED.values():
        for statement in template.ddl():
            engine.execute(statement)

    made = {row[0] for row in engine.execute("select table_name from duckdb_tables()").fetchall()}
    own = [template for template in SHIPPED.values() if template.extends is None]
    assert made == {template.table(record) for template in own for record in template.records}
    assert {"pos_standard__line", "web_event__event", "price__price"} <= made


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_template_says_what_everything_in_it_is(name: str) -> None:
    template = SHIPPED[name]

    assert template.purpose.endswith(".")
    for record in template.records.values():
        assert record.description.startswith("One row per ")
        for field_name, field in record.fields.items():
            assert field.description.endswith("."), field_name
            assert len(field.description) > 4, field_name
            measured = field_name.endswith(("_seconds", "_grams", "_centimetres", "_hours"))
            assert not measured or field.unit, field_name


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_a_shipped_template_keeps_no_name_or_card_in_the_clear(name: str) -> None:
    for record in SHIPPED[name].records.values():
        for field_name, field in record.fields.items():
            is_person = field_name.endswith(("member_number", "operator_code", "visitor_id"))
            is_person |= field_name in {"email", "phone", "recipient_name", "counterparty_name"}
            if is_person:
                assert field.classification is Classification.PERSONAL, field_name
            if field_name.startswith("card_") and field.classification is Classification.CARD:
                assert field.treatment in {Treatment.MASK, Treatment.DROP}, field_name


def test_one_kind_of_person_has_one_token_domain() -> None:
    # Equal values give equal tokens only within a domain: two would hide who is who.
    domains: dict[str, set[str | None]] = {}
    for template in SHIPPED.values():
        for record in template.records.values():
            for name, field in record.fields.items():
                if field.treatment is Treatment.TOKEN:
                    domains.setdefault(name, set()).add(field.token_domain)

    assert {name: found for name, found in domains.items() if len(found) > 1} == {}


def test_the_page_of_templates_is_what_the_templates_say() -> None:
    # python -m dagster_project.console.template_guide
    assert PAGE.read_text("utf-8") == guide(SHIPPED)


def test_the_custom_template_that_the_page_shows_is_one(tmp_path: Path) -> None:
    shown = PAGE.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "pos_bakery.yaml").write_text(shown, "utf-8")
    shutil.copy(TEMPLATES / "pos_standard.yaml", tmp_path)

    bakery = load_templates(tmp_path)["pos_bakery"]

    assert bakery.records["line"].added_columns() == {"baked_at": "timestamptz"}


def test_a_page_lists_of_a_custom_template_what_it_adds(tmp_path: Path) -> None:
    page = guide(templates_of(tmp_path))

    assert "| [cafe](#cafe) | A shop with tables. Extends `shop`. | `receipt` |" in page
    assert "| `guest` | text | personal | token of domain person_name | Who booked it. |" in page
    assert page.count("`receipt_id` |") == 1  # a field of the extended template, listed there


def test_a_custom_template_fills_the_tables_of_the_one_it_extends(tmp_path: Path) -> None:
    cafe = templates_of(tmp_path)["cafe"]
    receipt = cafe.records["receipt"]

    assert cafe.family == "shop"
    assert cafe.table("receipt") == "shop__receipt"
    assert receipt.columns() == {"receipt_id": "varchar", "member_token": "varchar"}
    assert receipt.added_columns() == {"table_number": "bigint", "guest_token": "varchar"}


def test_the_shipped_custom_templates_extend_the_standard_till() -> None:
    custom = {name: template.extends for name, template in SHIPPED.items() if template.extends}

    assert custom == dict.fromkeys(("pos_cinema", "pos_clinic", "pos_restaurant"), "pos_standard")
    assert SHIPPED["pos_clinic"].ddl() == SHIPPED["pos_standard"].ddl()


@pytest.mark.parametrize(
    ("custom", "said"),
    [
        ({"records": {"receipt": {"fields": {"member": GUEST}}}}, "has member already"),
        ({"records": {"receipt": {"key": ["x"], "fields": {}}}}, "key is shop's to say"),
        (
            {"records": {"receipt": {"fields": {"member_token": TABLE}}}},
            "two fields make the raw column member_token",
        ),
        ({"extends": "market"}, "extends 'market', which is no template of its own"),
        ({"extends": "cafe"}, "extends 'cafe', which is no template of its own"),
        ({"records": {"booking": {"fields": {"guest": GUEST}}}}, "it has no record booking"),
        (
            {"records": {"receipt": {"fields": {"guest": TABLE | {"class": "personal"}}}}},
            "a personal field must be",
        ),
        ({"records": {"receipt": {"fields": {"guest": {"type": "text"}}}}}, "class"),
        ({"template": "bar"}, "'bar' must be the file's name"),
    ],
    ids=[
        "field twice", "key of its own", "column twice", "unknown base", "custom base",
        "new record", "personal kept", "untagged", "name",
    ],
)  # fmt: skip
def test_a_custom_template_that_does_more_than_add_fields_is_refused_by_file(
    tmp_path: Path, custom: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeclarationError, match=said) as refusal:
        templates_of(tmp_path, **custom)

    assert str(refusal.value).startswith(f"{tmp_path / 'cafe.yaml'}: ")


def test_a_feed_that_fits_its_template_is_read(tmp_path: Path) -> None:
    feed = load_feed(declared(tmp_path, {}), SHIPPED)

    assert feed.records["rate"].fields["rate"] == "value"
    assert feed.dialect.delimiter == ","


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": "exchange"}, "unknown template 'exchange'"),
        ({"template_version": 9}, "is at version 1"),
        ({"records": {"quote": {"fields": {}}}}, "no record 'quote'"),
        ({"records": {"rate": {"fields": {"rate": "value"}}}}, "lacks base_currency_code"),
        ({"delimiter": ";"}, "delimiter"),
        ({"format": "xlsm"}, "format"),
        ({"feed": "other"}, "must be the folder's name"),
        ({"dialect": {"timestamp_formats": ["%Y %Z", "%Y"]}}, "a %Z, or none of them"),
    ],
    ids=[
        "template",
        "version",
        "record",
        "required field",
        "unknown key",
        "format",
        "name",
        "zones",
    ],
)
def test_a_feed_that_does_not_fit_is_refused_by_file_and_place(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = declared(tmp_path, changes)

    with pytest.raises(DeclarationError, match=said) as refusal:
        load_feed(path, SHIPPED)

    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"type": "text", "description": "x"}, "class"),
        ({"type": "text", "class": "personal", "description": "x"}, "personal field must be"),
        ({"type": "card_number", "class": "card", "description": "x"}, "card field must be"),
        (
            {"type": "text", "class": "personal", "treatment": "token", "description": "x"},
            "token_domain",
        ),
    ],
    ids=["untagged", "personal kept", "card kept", "token without a domain"],
)
def test_a_field_that_would_expose_a_value_is_refused(field: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TemplateField(**field)
