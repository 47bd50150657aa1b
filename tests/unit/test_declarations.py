"""Templates and feeds: what may be declared, and how a mistake is said."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dagster_project.core.declarations import (
    DeclarationError,
    TemplateField,
    load_feed,
    load_templates,
)
from dagster_project.core.home import TEMPLATES

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


def test_every_shipped_template_makes_valid_tables() -> None:
    engine = duckdb.connect()
    engine.execute("create schema raw")

    for template in load_templates(TEMPLATES).values():
        for statement in template.ddl():
            engine.execute(statement)

    made = {row[0] for row in engine.execute("select table_name from duckdb_tables()").fetchall()}
    assert {"pos_standard__line", "web_event__event", "post__post"} <= made


def test_a_feed_that_fits_its_template_is_read(tmp_path: Path) -> None:
    feed = load_feed(declared(tmp_path, {}), load_templates(TEMPLATES))

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
    ],
    ids=["template", "version", "record", "required field", "unknown key", "format", "name"],
)
def test_a_feed_that_does_not_fit_is_refused_by_file_and_place(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    path = declared(tmp_path, changes)

    with pytest.raises(DeclarationError, match=said) as refusal:
        load_feed(path, load_templates(TEMPLATES))

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
