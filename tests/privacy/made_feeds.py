"""A feed and files for every record with something to protect, made from what its template says.

Belongs here: rows whose values follow from a field's declared class, type and treatment, so that a
template written tomorrow is swept too. Does not: the values (``canary_values``), the search.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dagster_project.core.declarations import (
    Classification,
    FieldType,
    Record,
    Template,
    TemplateField,
    Treatment,
)
from tests.privacy.canary_values import Canaries, own_token, spelled

GUARDED = frozenset({Classification.PERSONAL, Classification.SENSITIVE, Classification.CARD})
SCRIPTS = ("name/Latin", "name/Chinese", "name/Persian")
PLAIN = {
    FieldType.INTEGER: "1",
    FieldType.MONEY: "0",
    FieldType.QUANTITY: "1",
    FieldType.RATE: "1",
    FieldType.NUMBER: "1",
    FieldType.BOOLEAN: "false",
    FieldType.DATE: "2017-01-06",
    FieldType.TIMESTAMP: "2017-01-06 10:00:00",
}
KNOWN = {"currency_code": "CNY", "country_code": "CN"}
SITE = frozenset({"page", "landing_page", "exit_page"})
NO_TIME = "no time at all"  # what makes a record be rejected
# Columns that no feed declares; each holds what its name says, in every row.
UNASKED = ("cvv", "Track 2 data", "pin_block", "extra")
BAD_ROWS = 3


@dataclass(frozen=True)
class Swept:
    """One record of one template, and the feed that fills it."""

    template: Template
    name: str
    format: str

    @property
    def record(self) -> Record:
        return self.template.records[self.name]

    @property
    def feed(self) -> str:
        return f"canary_{self.template.template}_{self.name}"

    def attributes(self) -> dict[str, Any]:
        """The feed as declared: one column per field, under the field's own name."""
        return {
            "feed": self.feed,
            "description": "Canaries.",
            "sender": "canary",
            "template": self.template.template,
            "owner": "test",
            "format": self.format,
            "country": "CN",
            "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
            "columns": {name: [] for name in self.record.fields},
            "records": {self.name: {"fields": {name: name for name in self.record.fields}}},
        }

    def declared(self) -> str:
        """The feed's YAML."""
        kind = "dagster_project.components.FeedComponent"
        return yaml.safe_dump({"type": kind, "attributes": self.attributes()}, allow_unicode=True)


def is_guarded(field: TemplateField) -> bool:
    """Whether the field may not be written as it comes."""
    return field.classification in GUARDED or field.treatment is not Treatment.KEEP


def swept(templates: dict[str, Template]) -> list[Swept]:
    """Every record of every template that has a guarded field; CSV and JSON lines by turns."""
    found = [
        (template, name)
        for template in templates.values()
        for name, record in template.records.items()
        if any(is_guarded(field) for field in record.fields.values())
    ]
    formats = ("csv", "jsonl")
    return [Swept(*one, formats[place % 2]) for place, one in enumerate(found)]


def value(one: Canaries, name: str, field: TemplateField, number: int) -> str:
    """What stands in a guarded field."""
    if field.allowed:
        return field.allowed[0]
    if field.treatment is Treatment.SCAN:
        return scanned(one, name, field, number)
    card = one.cards[number % len(one.cards)]
    known = {
        FieldType.PHONE: one.of("phone"),
        FieldType.EMAIL: one.of("email"),
        FieldType.CARD_NUMBER: card,
        FieldType.DATE: one.of("birth"),
    }
    by_domain = {
        "person_name": one.of(SCRIPTS[number % len(SCRIPTS)]),
        "address": one.of("address"),
        "member": one.of("member"),
        "cvv": one.secrets and one.of("cvv"),
        "expiry": one.of("expiry"),
        "ip_address": one.of("ip"),
    }
    if field.type in known:
        return known[field.type]
    if field.type in PLAIN:
        return PLAIN[field.type]
    told = field.token_domain or name.rpartition("card_")[2]
    return by_domain.get(told) or own_token(one, told)


def scanned(one: Canaries, name: str, field: TemplateField, number: int) -> str:
    """Free text with a card and a verification value; with a person where texts are internal."""
    card = list(spelled(one.cards[number % len(one.cards)]))[number % 6]
    told = f"paid {card}, cvv 739"
    if number == len(SCRIPTS) - 1:
        told += f" {one.of('track 1')}"
    if field.classification is Classification.PUBLIC:
        return told
    told += f", {one.of('email')} {one.of('phone')}"
    # A site makes its own addresses; what a form puts behind them is a contact, not a name.
    return told if name in SITE else f"{told}, says {own_token(one, 'text')}"


def row(one: Canaries, record: Record, number: int, *, cards: bool = False) -> dict[str, str]:
    """One record's cells by field; with ``cards`` a card stands in every plain text field."""
    found = {}
    for place, (name, field) in enumerate(record.fields.items()):
        if is_guarded(field):
            found[name] = value(one, name, field, number)
        elif field.allowed:
            found[name] = field.allowed[0]
        elif field.type is not FieldType.TEXT:
            found[name] = PLAIN[field.type]
        elif name in KNOWN:
            found[name] = KNOWN[name]
        elif name in record.key or field.required:
            found[name] = f"CK{one.seed}-{number}"
        else:
            card = one.cards[(place + number) % len(one.cards)]
            found[name] = list(spelled(card))[place % 6] if cards else ""
    return found


def rows(one: Canaries, record: Record) -> Iterator[dict[str, str]]:
    """Three to be loaded, one a script; then cards in wrong columns; then those to be rejected."""
    for number in range(len(SCRIPTS)):
        yield row(one, record, number)
    for number in range(len(SCRIPTS), 2 * len(SCRIPTS)):
        yield row(one, record, number, cards=True)
    yield from bad_rows(one, record)


def bad_rows(one: Canaries, record: Record) -> Iterator[dict[str, str]]:
    """Rows without a time or key: as they are, and with every cell one column further."""
    needed = next(
        name
        for name, field in record.fields.items()
        if name == record.business_time or field.type in {FieldType.TIMESTAMP, FieldType.DATE}
    )
    for number in range(90, 90 + BAD_ROWS):
        given = row(one, record, number)
        if number % 2:
            given = dict(zip(given, [*list(given.values())[-1:], *given.values()], strict=False))
        yield given | {needed: NO_TIME} | {name: "" for name in record.key if name != needed}


def content(one: Canaries, made: Swept, given: list[dict[str, str]]) -> str:
    """The file, with columns that nobody asked for and whose names are canaries too."""
    held = (one.of("cvv"), one.of("track 2"), one.of("pin block"), one.of("name/Latin"))
    unasked = {**dict(zip(UNASKED, held, strict=True)), f"card {one.cards[0]}": one.cards[0]}
    unasked[one.of("email")] = one.of("address")
    if made.format == "jsonl":
        lines = ({k: v for k, v in (r | unasked).items() if v} for r in given)
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*made.record.fields, *unasked])
    writer.writerows([*r.values(), *unasked.values()] for r in given)
    return out.getvalue()


def deliver(one: Canaries, made: Swept, landing: Path) -> None:
    """A good file, one without its header, one that is nothing but bad rows, and one that is none.

    The names of the files are canaries too.
    """
    folder = landing / made.feed
    folder.mkdir(parents=True, exist_ok=True)
    end = made.format
    given = list(rows(one, made.record))
    whole = content(one, made, given)
    name = f"{one.seed:02d} {one.of('email')} {one.cards[1]}"
    (folder / f"{name}.{end}").write_text(whole, "utf-8")
    headless = whole.partition("\n")[2] if made.format == "csv" else whole.replace('{"', "{'")
    (folder / f"{one.seed:02d} headless {one.cards[2]}.{end}").write_text(headless, "utf-8")
    bad = content(one, made, list(bad_rows(one, made.record)))
    (folder / f"{one.seed:02d} bad {one.of('phone')}.{end}").write_text(bad, "utf-8")
    torn = b"\x1f\x8b" + whole.encode()
    (folder / f"{one.seed:02d} torn.{end}.gz").write_bytes(torn)
