"""Which shipped template or layout the columns belong to, and what maps onto what.

Belongs here: scoring by names and types. Does not: what may be given without a column (``givens``),
writing. A template fits where every field it needs has a column or can be given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element  # the type alone

from dagster_project.core.declarations import (
    FieldType,
    Record,
    Template,
    TemplateField,
    layout_names,
    read_layout,
)
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.proposing.columns import Column
from dagster_project.core.proposing.givens import Mapped, given, joined_time, per_head
from dagster_project.core.proposing.objects import paths_below
from dagster_project.core.proposing.samples import Sampled
from dagster_project.core.proposing.words import meanings

FIT_SHARE = 0.5  # of the columns that hold anything
FEWEST = 3  # columns that map; two of a name are chance
# The record that stands above lines, by template family.
HEADS = {"pos_standard": "receipt", "web_order": "order"}
HEAD_KEYS = {"receipt": "receipt_id", "order": "order_id"}
NUMBERS = {
    FieldType.INTEGER, FieldType.MONEY, FieldType.QUANTITY, FieldType.RATE, FieldType.NUMBER,
}  # fmt: skip
# Since when a row of master data holds is not when something happened.
SINCE = frozenset({"effective_at", "updated_at", "valid_from_at", "changed_at"})
CODE_LENGTHS = {"country_code": 2, "currency_code": 3, "language_code": 2}  # ISO codes
TIMES = {FieldType.DATE, FieldType.TIMESTAMP}


@dataclass(frozen=True)
class Layout:
    """A shipped layout whose columns the samples have."""

    name: str
    template: str


@dataclass(frozen=True)
class Match:
    """A shipped template with what maps onto it, field by field of each record."""

    template: Template
    records: dict[str, dict[str, Mapped]]
    used: frozenset[str] = field(default_factory=frozenset)  # columns

    @property
    def score(self) -> tuple[int, int]:
        """More columns first; of equal ones the template with fewer fields."""
        size = sum(len(record.fields) for record in self.template.records.values())
        return (len(self.used), -size)


def matching_layout(sampled: Sampled) -> Layout | None:
    """The layout with most columns, all of them in the samples and half of theirs in it."""
    found: list[tuple[int, str]] = []
    for name in layout_names():
        base = read_layout(name)
        columns = base.get("columns") or {}
        if base.get("format") != sampled.format or not columns or not sampled.is_named:
            continue
        if sampled.root is not None:
            shared = _shared_paths(sampled.root, base)
            if shared >= FIT_SHARE * len(columns):
                found.append((shared, name))
            continue
        names = set(sampled.names)
        has_all = all(names & {column, *(aliases or ())} for column, aliases in columns.items())
        if has_all and len(columns) >= FIT_SHARE * len(names):
            found.append((len(columns), name))
    if not found:
        return None
    name = max(found)[1]
    return Layout(name, str(read_layout(name).get("template")))


def _shared_paths(root: Element, base: Mapping[str, Any]) -> int:
    """How many of an XML layout's columns, conditions aside, stand in a sample's records."""
    found = paths_below(root, str((base.get("dialect") or {}).get("record_path")))
    paths = {_bare(path) for path in found}
    return sum(
        any(_bare(path) in paths for path in (column, *(aliases or ())))
        for column, aliases in base["columns"].items()
    )


def _bare(path: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", path)


def best_match(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    templates: Mapping[str, Template],
    wanted: str | None,
) -> Match | None:
    """The shipped template that fits best; a wanted one as far as it goes. Nothing fits: None."""
    usable = [one for one in columns if not one.is_left_out and one.values and one.values.filled]
    chosen = [templates[wanted]] if wanted else list(templates.values())
    found = [match for one in chosen if (match := _match(one, usable, columns, rows)) is not None]
    if not found:
        return None
    best = max(found, key=lambda match: match.score)
    enough = max(FEWEST, FIT_SHARE * len(usable))
    return best if wanted or len(best.used) >= enough else None


def _match(
    template: Template,
    usable: Sequence[Column],
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
) -> Match | None:
    """The template's record that takes most columns, with the record above it."""
    found: list[tuple[int, str, dict[str, Mapped]]] = []
    for name, record in template.records.items():
        mapped = _fields(record, usable)
        if mapped is not None:
            found.append((len(_used(mapped)), name, mapped))
    if not found:
        return None
    _, name, mapped = max(found, key=lambda one: one[0])
    records = {name: mapped}
    head = HEADS.get(template.family)
    if head is not None and head != name and head in template.records:
        key = mapped.get(HEAD_KEYS[head])
        above = _fields(template.records[head], usable)
        if key is not None and above is not None:
            records = {head: per_head(above, HEAD_KEYS[head], columns, rows), name: mapped}
    used = frozenset(column for one in records.values() for column in _used(one))
    return Match(template, records, used)


def _used(mapped: Mapping[str, Mapped]) -> set[str]:
    return {column for one in mapped.values() for column in one.columns}


def _fields(record: Record, usable: Sequence[Column]) -> dict[str, Mapped] | None:
    """What maps onto a record; nothing where a field it needs cannot be had."""
    found: dict[str, Mapped] = {}
    taken: set[str] = set()
    for name, declared in record.fields.items():
        column = _column_for(name, declared, usable, taken, record)
        if column is not None:
            found[name] = _as_field(column, declared)
            taken.add(column.name)
    for name, declared in record.fields.items():
        if name in found or declared.type not in TIMES:
            continue
        if name in SINCE:
            continue
        if name == record.business_time and (joined := joined_time(usable, taken)) is not None:
            found[name] = joined
            taken |= set(joined.columns)
    needed = {n for n, one in record.fields.items() if one.required} | set(record.key)
    if not taken:
        return None
    for name in sorted(needed - set(found)):
        value = given(name, found, record)
        if value is None:
            return None
        found[name] = value
    return {name: found[name] for name in record.fields if name in found}


def _column_for(
    name: str,
    declared: TemplateField,
    usable: Sequence[Column],
    taken: set[str],
    record: Record,
) -> Column | None:
    """The column whose name means the field and whose values fit its type."""
    words = {name}
    if name == record.business_time and name not in SINCE:
        # The one time of a record is its business time, whatever the sender calls it.
        words |= {"sold_at", "ordered_at", "occurred_at", "posted_at"}
    for column in usable:
        if column.name in taken or not words & set(meanings(column.name)):
            continue
        if _fits(name, column, declared):
            return column
    return None


def _fits(name: str, column: Column, declared: TemplateField) -> bool:  # noqa: PLR0911 - one a type
    if (length := CODE_LENGTHS.get(name)) is not None:
        values = column.values.counts if column.values else {}
        return all(len(value.strip()) == length for value in values)
    if declared.allowed:
        values = set(column.values.counts) if column.values else set()
        return bool(values) and values <= set(declared.allowed)
    if declared.type is FieldType.INTEGER:
        # A name such as "line no" keeps its column from being taken for a figure.
        values = column.values.counts if column.values else {}
        is_digits = bool(values) and all(value.strip().isdecimal() for value in values)
        return column.type is FieldType.INTEGER or is_digits
    if declared.type in NUMBERS:
        return column.type in NUMBERS
    if declared.type in TIMES:
        return column.type in TIMES or bool(column.open_formats)
    if declared.type is FieldType.BOOLEAN:
        return column.type is FieldType.BOOLEAN
    return True


def _as_field(column: Column, declared: TemplateField) -> Mapped:
    """The SQL that reads the column as the field's type."""
    if declared.type in TIMES:
        return _as_time(column, declared.type)
    is_read = declared.type in NUMBERS or declared.type is FieldType.BOOLEAN
    if is_read or column.is_identifier:
        return Mapped(column.expression, (column.name,), column.notes)
    return Mapped(column.name, (column.name,))


def _as_time(column: Column, wanted: FieldType) -> Mapped:
    if column.open_formats:
        return Mapped.read_day_first(column)
    name = identifier(column.name)
    expression = column.expression
    if column.date_formats:
        expression = f"{'day' if column.type is FieldType.DATE else 'moment'}({name})"
    if wanted is FieldType.DATE and column.type is FieldType.TIMESTAMP:
        text = name if expression == column.name else expression
        expression = f"left(cast({text} as varchar), 10)"
    return Mapped(expression, (column.name,), column.notes)
