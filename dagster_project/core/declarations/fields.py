"""Templates: the canonical records, their fields, and the raw tables they imply.

Belongs here: what a field may be and what it means for the shape of ``raw``. Does not: senders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

IDENTIFIER = r"^[a-z][a-z0-9_]*$"


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
    # Names of the fields that a custom template adds: they are kept together in ``_extra``.
    added: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _named_fields_exist(self) -> Record:
        named = [*self.key, *(n for n in (self.business_time, self.version_by) if n)]
        if unknown := [n for n in named if n not in self.fields]:
            raise ValueError(f"names fields it does not declare: {', '.join(unknown)}")
        for name in self.fields:
            if not re.match(IDENTIFIER, name):
                raise ValueError(f"field name {name!r} is not lower snake case")
        columns = [c for name, field in self.fields.items() for c in field.columns(name)]
        if twice := sorted({column for column in columns if columns.count(column) > 1}):
            raise ValueError(f"two fields make the raw column {', '.join(twice)}")
        return self

    def columns(self) -> dict[str, str]:
        """The raw columns of the fields that have some of their own, name to DuckDB type."""
        return self._columns_of(name for name in self.fields if name not in self.added)

    def added_columns(self) -> dict[str, str]:
        """What ``_extra`` holds of each row, name to DuckDB type; empty for a plain template."""
        return self._columns_of(self.added)

    def _columns_of(self, names: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in names:
            found |= self.fields[name].columns(name)
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
    "_extra": "varchar",  # JSON object of a custom template's own fields
}


class Outcome(StrEnum):
    """What becomes of a person's records once the person is erased."""

    GONE = "gone"  # deleted
    ANONYMOUS = "anonymous"  # kept as the law demands of sales, without anything of the person


class Template(Declared):
    """The canonical record of one kind of stream.

    A custom template ``extends`` a shipped one: it adds fields to its records and fills its raw
    tables, so that every model that reads those reads the custom template's rows too.
    """

    template: str = Field(pattern=IDENTIFIER)
    version: int = Field(ge=1)
    extends: str | None = Field(default=None, pattern=IDENTIFIER)
    purpose: str
    retention_days: int = Field(ge=1)
    after_erasure: Outcome = Outcome.GONE
    records: dict[str, Record] = Field(min_length=1)

    def table(self, record: str) -> str:
        """The raw table's name without schema: ``<template>__<record>``, of the extended one."""
        return f"{self.family}__{record}"

    @property
    def family(self) -> str:
        """The template whose raw tables are filled."""
        return self.extends or self.template

    def ddl(self) -> list[str]:
        """``create table if not exists`` for each of the template's raw tables."""
        return [self._ddl(name) for name in self.records]

    def _ddl(self, name: str) -> str:
        columns = self.records[name].columns() | SYSTEM_COLUMNS
        body = ",\n    ".join(f"{column} {kind}" for column, kind in columns.items())
        return f"create table if not exists raw.{self.table(name)} (\n    {body}\n)"
