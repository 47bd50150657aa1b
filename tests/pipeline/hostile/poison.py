"""Files that carry card numbers wherever they can, and the search for what came through.

The number is the schemes' own test number; it belongs to nobody.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from dagster_project.core.declarations import FieldType, Record, Template, Treatment
from dagster_project.core.warehouse import Warehouse

CARD = "4111111111111111"
FOREIGN = "０１２３４５６７８９۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩०१२३४५६७८९"
TEXTS = frozenset({FieldType.TEXT, FieldType.PHONE, FieldType.EMAIL, FieldType.CARD_NUMBER})
DISGUISES = {
    "plain": CARD,
    "spaces": "4111 1111 1111 1111",
    "dashes": "4111-1111-1111-1111",
    "dots": "4111.1111.1111.1111",
    "single digits": " ".join(CARD),
    "zero width": "\u200b".join(CARD),
    "soft hyphens": "4111\u00ad1111\u00ad1111\u00ad1111",
    "fixed spaces": "4111\u00a01111\u202f1111\u20091111",
    "Persian": CARD.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
    "Arabic": CARD.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    "full width": CARD.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    "mathematical": CARD.translate(str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")),
    "superscript": CARD.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    "keycaps": "".join(f"{digit}\ufe0f\u20e3" for digit in CARD),
    "a newline within": "41111111\n11111111",
    "after a word": f"card{CARD}",
}
VALID = {
    FieldType.TEXT: "x",
    FieldType.INTEGER: "1",
    FieldType.MONEY: "1.00",
    FieldType.QUANTITY: "1",
    FieldType.RATE: "1",
    FieldType.NUMBER: "0.5",
    FieldType.BOOLEAN: "true",
    FieldType.DATE: "2017-03-01",
    FieldType.TIMESTAMP: "2017-03-01 10:00:00",
    FieldType.PHONE: "13800138000",
    FieldType.EMAIL: "a@shop.example",
    FieldType.CARD_NUMBER: "",
}


def poisonable(record: Record) -> list[str]:
    """Every field of the record but dropped ones: texts, and figures of the wrong kind."""
    return [name for name, field in record.fields.items() if field.treatment is not Treatment.DROP]


def poisoned_feed(template: Template, name: str, **declared: Any) -> dict[str, Any]:
    """A feed whose columns are the fields of one record, each under its own name."""
    fields = {field: field for field in template.records[name].fields}
    return {
        "feed": f"poison_{name}",
        "description": "Card numbers everywhere.",
        "sender": "poison",
        "template": template.template,
        "owner": "test",
        "format": "csv",
        "country": "CN",
        "arrival": {"complete_by": "rename", "reject_threshold": 1.0},
        "columns": dict.fromkeys(fields, ()),
        "records": {name: {"fields": fields}},
    } | declared


def poisoned_file(record: Record) -> str:
    """One row per field and disguise; the field holds the card number, the others are harmless."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*record.fields, f"card {CARD}", "4111-1111-1111-1111"])
    number = 0
    for field in poisonable(record):
        for disguised in DISGUISES.values():
            number += 1
            row = {name: _valid(record, name, number) for name in record.fields}
            writer.writerow([*(row | {field: disguised}).values(), disguised, CARD])
    return out.getvalue()


def _valid(record: Record, name: str, number: int) -> str:
    field = record.fields[name]
    if field.treatment is Treatment.DROP:
        return ""
    if name in record.key and field.type in TEXTS:
        return f"K{number}"
    return field.allowed[0] if field.allowed else VALID[field.type]


def tables_with_the_card(warehouse: Warehouse, card: str = CARD) -> list[tuple[str, str, int]]:
    """Table, column and rows in which the number stands, whatever lies between its digits."""
    found = []
    with warehouse.connect(read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where database_name = 'warehouse' order by all"
        ).fetchall()
        for schema, table, column in columns:
            text = f"translate(cast(\"{column}\" as varchar), '{FOREIGN}', '{'0123456789' * 4}')"
            rows = connection.execute(
                f'select count(*) from "{schema}"."{table}" '
                rf"where contains(regexp_replace(nfc_normalize({text}), '[^0-9]', '', 'g'), ?)",
                [card],
            ).fetchone()
            if rows and rows[0]:
                found.append((f"{schema}.{table}", column, rows[0]))
        assert len(columns) > 100
    return found


def files_with_the_card(root: Path, card: str = CARD) -> list[str]:
    """Files below a folder whose bytes hold the number, plainly or in groups of four."""
    spellings = [card.encode(), " ".join(card[n : n + 4] for n in range(0, 16, 4)).encode()]
    return [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and any(text in path.read_bytes() for text in spellings)
    ]
