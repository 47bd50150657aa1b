"""Templates and feeds as declared in YAML, validated, and the raw tables they imply.

Belongs here: what may be declared and what a declaration means for the shape of ``raw``. Does
not: reading a delivered file (``feeds``). Identifiers that reach SQL come from here and have
passed ``IDENTIFIER``; expressions in a feed are SQL written by the deployment's own engineer.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

IDENTIFIER = r"^[a-z][a-z0-9_]*$"
FEED_COMPONENT = "dagster_project.components.FeedComponent"
Kind = TypeVar("Kind", bound="BaseModel")


class DeclarationError(Exception):
    """A template or feed YAML is wrong; the message names the file and the place in it."""


class FieldType(StrEnum):
    """What a field holds; the loader casts to the DuckDB type of ``SQL_TYPES``."""

    TEXT = "text"
    INTEGER = "integer"
    MONEY = "money"
    QUANTITY = "quantity"
    RATE = "rate"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    PHONE = "phone"
    EMAIL = "email"
    CARD_NUMBER = "card_number"


SQL_TYPES: dict[FieldType, str] = {
    FieldType.TEXT: "varchar",
    FieldType.INTEGER: "bigint",
    FieldType.MONEY: "decimal(18,4)",
    FieldType.QUANTITY: "decimal(18,3)",
    FieldType.RATE: "decimal(18,8)",
    FieldType.NUMBER: "double",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "date",
    FieldType.TIMESTAMP: "timestamptz",
    FieldType.PHONE: "varchar",
    FieldType.EMAIL: "varchar",
    FieldType.CARD_NUMBER: "varchar",
}


class Classification(StrEnum):
    """How sensitive a field is; untagged is an error."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    CARD = "card"


class Treatment(StrEnum):
    """What the loader writes instead of the value."""

    KEEP = "keep"
    TOKEN = "token"  # noqa: S105 - a treatment's name, no secret
    MASK = "mask"  # card numbers: <field>_token and <field>_masked (first 6, last 4)
    GENERALISE = "generalise"  # dates to a decade, text to its first part
    DROP = "drop"
    SCAN = "scan"  # free text: card numbers inside it are masked, the rest kept


class Declared(BaseModel):
    """Base of all declarations: no unknown keys, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TemplateField(Declared):
    """One field of a record."""

    type: FieldType
    classification: Classification = Field(alias="class")
    description: str
    required: bool = False
    treatment: Treatment = Treatment.KEEP
    # Fields that may hold the same value for one person share a domain: equal values, equal tokens.
    token_domain: str | None = Field(default=None, pattern=IDENTIFIER)
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None

    @model_validator(mode="after")
    def _protected(self) -> TemplateField:
        exposed = self.treatment in {Treatment.KEEP, Treatment.SCAN}
        if self.classification is Classification.CARD and exposed:
            raise ValueError("a card field must be masked, tokenised or dropped")
        if self.classification is Classification.PERSONAL and exposed:
            raise ValueError("a personal field must be tokenised, generalised or dropped")
        if self.treatment in {Treatment.TOKEN, Treatment.MASK} and not self.token_domain:
            raise ValueError("a tokenised field names its token_domain")
        return self

    def columns(self, name: str) -> dict[str, str]:
        """The raw columns that hold this field, name to DuckDB type, in order."""
        if self.treatment is Treatment.TOKEN:
            return {f"{name}_token": "varchar"}
        if self.treatment is Treatment.MASK:
            return {f"{name}_token": "varchar", f"{name}_masked": "varchar"}
        if self.treatment is Treatment.GENERALISE:
            decade = self.type is FieldType.DATE
            return {f"{name}_decade": "integer"} if decade else {f"{name}_band": "varchar"}
        if self.treatment is Treatment.DROP:
            return {}
        return {name: SQL_TYPES[self.type]}


class Record(Declared):
    """One kind of record of a template = one raw table."""

    description: str
    key: tuple[str, ...] = Field(min_length=1)
    business_time: str | None = None
    # Which of two contents of one natural key holds: the later of this field, then the larger hash.
    version_by: str | None = None
    fields: dict[str, TemplateField]

    @model_validator(mode="after")
    def _named_fields_exist(self) -> Record:
        named = [*self.key, *(n for n in (self.business_time, self.version_by) if n)]
        if unknown := [n for n in named if n not in self.fields]:
            raise ValueError(f"names fields it does not declare: {', '.join(unknown)}")
        for name in self.fields:
            if not re.match(IDENTIFIER, name):
                raise ValueError(f"field name {name!r} is not lower snake case")
        return self

    def columns(self) -> dict[str, str]:
        """All raw columns that hold declared fields, name to DuckDB type, in order."""
        found: dict[str, str] = {}
        for name, field in self.fields.items():
            found |= field.columns(name)
        return found


# Added by the loader to every raw row.
SYSTEM_COLUMNS: dict[str, str] = {
    "_record_key": "bigint not null",  # of sender and natural key; the same in every load
    "_content_hash": "bigint not null",  # of all declared columns
    "_sender": "varchar not null",
    "_feed": "varchar not null",
    "_file_id": "varchar not null",
    "_record_number": "bigint not null",  # position in the file, from 1
    "_batch_id": "bigint not null",  # load order: the watermark of every refresh
}


class Template(Declared):
    """The canonical record of one kind of stream."""

    template: str = Field(pattern=IDENTIFIER)
    version: int = Field(ge=1)
    purpose: str
    retention_days: int = Field(ge=1)
    records: dict[str, Record] = Field(min_length=1)

    def table(self, record: str) -> str:
        """The raw table's name without schema: ``<template>__<record>``."""
        return f"{self.template}__{record}"

    def ddl(self) -> list[str]:
        """``create table if not exists`` for each of the template's raw tables."""
        return [self._ddl(name) for name in self.records]

    def _ddl(self, name: str) -> str:
        columns = self.records[name].columns() | SYSTEM_COLUMNS
        body = ",\n    ".join(f"{column} {kind}" for column, kind in columns.items())
        return f"create table if not exists raw.{self.table(name)} (\n    {body}\n)"


class Dialect(Declared):
    """How the sender writes a text file; nothing of it is guessed at load time."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str | None = '"'
    encoding: str = "utf-8"
    header: bool = True
    preamble_lines: int = Field(default=0, ge=0)
    footer_lines: int = Field(default=0, ge=0)
    null_text: tuple[str, ...] = ("",)


class Arrival(Declared):
    """When a file is complete, how often one is expected, and how many bad rows are too many."""

    complete_by: Literal["rename", "marker", "stable"] = "stable"
    stable_seconds: float = Field(default=2, ge=0)
    expected_hours: float | None = Field(default=None, gt=0)
    reject_threshold: float = Field(default=0.05, ge=0, le=1)


class FeedRecord(Declared):
    """How the sender's rows make one of the template's records."""

    where: str | None = None  # SQL predicate over the sender's columns; all rows without it
    fields: dict[str, str]  # field → SQL expression over the sender's columns, all of them text


class Feed(Declared):
    """One sender's stream, mapped onto a template."""

    feed: str = Field(pattern=IDENTIFIER)
    description: str
    sender: str = Field(pattern=IDENTIFIER)  # the source system: its codes are unique within it
    template: str
    template_version: int = 1
    owner: str
    format: Literal["csv", "jsonl", "parquet"]
    files: str = "*"
    dialect: Dialect = Dialect()
    time_zone: str = "UTC"  # of local times without an offset
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")  # of phone numbers
    arrival: Arrival = Arrival()
    # The sender's columns, in file order where there is no header; values are other names seen.
    columns: dict[str, tuple[str, ...]]
    records: dict[str, FeedRecord] = Field(min_length=1)
    # Rows whose kind is none of the records: named here, else they are rejected.
    ignore_where: str | None = None


def load_templates(directory: Path) -> dict[str, Template]:
    """Every template of a directory by name; raises DeclarationError naming the file."""
    found: dict[str, Template] = {}
    for path in sorted(directory.glob("*.yaml")):
        template = _parse(Template, _read(path), path)
        if template.template != path.stem:
            raise DeclarationError(
                f"{path}: template {template.template!r} must be the file's name"
            )
        found[template.template] = template
    return found


def load_feeds(directory: Path, templates: dict[str, Template]) -> dict[str, Feed]:
    """Every ``<feed>/defs.yaml`` of a directory by name, checked against its template.

    Raises DeclarationError naming the file and what does not fit.
    """
    found: dict[str, Feed] = {}
    for path in sorted(directory.glob("*/defs.yaml")):
        found[path.parent.name] = load_feed(path, templates)
    return found


def load_feed(path: Path, templates: dict[str, Template]) -> Feed:
    """One feed YAML, checked against its template."""
    content = _read(path)
    feed = _parse(Feed, content.get("attributes", {}), path)
    check_feed(feed, templates, path)
    return feed


def check_feed(feed: Feed, templates: dict[str, Template], path: Path) -> None:
    """Raise DeclarationError where a feed does not fit the template it names."""
    if feed.feed != path.parent.name:
        raise DeclarationError(f"{path}: feed {feed.feed!r} must be the folder's name")
    template = templates.get(feed.template)
    if template is None:
        known = ", ".join(sorted(templates))
        raise DeclarationError(f"{path}: unknown template {feed.template!r}; known: {known}")
    if template.version != feed.template_version:
        raise DeclarationError(
            f"{path}: template {feed.template} is at version {template.version}, "
            f"the feed was written for {feed.template_version}"
        )
    for name, mapped in feed.records.items():
        record = template.records.get(name)
        if record is None:
            raise DeclarationError(f"{path}: template {feed.template} has no record {name!r}")
        if extra := sorted(set(mapped.fields) - set(record.fields)):
            raise DeclarationError(f"{path}: record {name} has no field {', '.join(extra)}")
        needed = {n for n, f in record.fields.items() if f.required} | set(record.key)
        if missing := sorted(needed - set(mapped.fields)):
            raise DeclarationError(f"{path}: record {name} lacks {', '.join(missing)}")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DeclarationError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DeclarationError(f"{path}: expected keys and values")
    return content


def _parse(kind: type[Kind], content: dict[str, Any], path: Path) -> Kind:
    try:
        return kind(**content)
    except (ValidationError, TypeError) as error:
        raise DeclarationError(f"{path}: {_first(error)}") from error


def _first(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
