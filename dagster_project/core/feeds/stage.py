"""A unit's rows typed, judged and protected in temporary tables, one per template record.

Belongs here: putting read, judge and protect together. Does not: which rows are written. A unit
is one source: several files of one layout, or one file that had to be read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import (
    Classification,
    Feed,
    FieldType,
    Template,
    TemplateField,
    Treatment,
)
from dagster_project.core.feeds.cards import SECRET_COLUMN
from dagster_project.core.feeds.judge import Check, Join, judgement, text_of
from dagster_project.core.feeds.protect import (
    Protected,
    is_protected,
    scan,
    tokenise,
)
from dagster_project.core.feeds.read import Source
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.keys import MasterKey

POSITIONS = "_file, _row, _record"


@dataclass(frozen=True)
class StagedRecord:
    """``_file, _row, _record, _error, <raw columns>, _record_key, _content_hash`` of a record."""

    name: str
    table: str
    checks: tuple[Check, ...]
    maps_every_row: bool


@dataclass(frozen=True)
class Unit:
    """A source with its staged records."""

    source: Source
    relation: str  # the source with its rows' places
    records: tuple[StagedRecord, ...]
    protected: tuple[Protected, ...]
    secret_files: frozenset[int]  # places of files that hold what may not even be kept encrypted
    cards_in_text: int
    tables: tuple[str, ...]  # to be dropped at the end


def stage_unit(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    feed: Feed,
    template: Template,
    key: MasterKey,
) -> Unit:
    """Stage every record of the feed; raises duckdb.Error where a mapping cannot be computed."""
    relation = _with_places(connection, source)
    tables = [source.table, f"{source.table}_files"]
    records: list[StagedRecord] = []
    protected: list[Protected] = []
    secrets = _secret_files(connection, relation, source, feed, template)
    cards = 0
    for name, mapping in feed.records.items():
        joins: dict[str, Join] = {}
        for field in mapping.fields:
            declared = template.records[name].fields[field]
            if not is_protected(declared):
                continue
            table = f"{source.table}_{name}_x_{field}"
            values = _values(relation, feed, name, field)
            if declared.treatment is Treatment.SCAN:
                found = scan(connection, values, table)
                cards += found.cards_found
                if found.table is None:
                    continue
                if found.has_secrets:
                    secrets |= _files_with(connection, relation, mapping.fields[field], table)
            else:
                distinct = f"select distinct value from ({values}) where value is not null"
                tokenise(connection, distinct, declared, feed, key, table)
                protected.append(_protected(table, f"{source.table}_{name}", field, declared))
            joins[field] = Join(table, declared.treatment is Treatment.SCAN)
            tables.append(table)
        staged = f"{source.table}_{name}"
        judged = judgement(feed, template, name, relation, POSITIONS, joins)
        connection.execute(f"create or replace temp table {staged} as {judged.select}")
        tables.append(staged)
        records.append(StagedRecord(name, staged, judged.checks, mapping.where is None))
    return Unit(
        source,
        relation,
        tuple(records),
        tuple(protected),
        frozenset(secrets),
        cards,
        tuple(tables),
    )


def _protected(table: str, staged: str, field: str, declared: TemplateField) -> Protected:
    keeps_clear = declared.type is not FieldType.CARD_NUMBER
    return Protected(table, staged, f"{field}_token", declared.token_domain or "", keeps_clear)


def drop_unit(connection: duckdb.DuckDBPyConnection, unit: Unit) -> None:
    """Give the unit's memory back; clear values go with it."""
    connection.execute(f"drop view if exists {unit.relation}")
    for table in unit.tables:
        connection.execute(f"drop table if exists {table}")


def _with_places(connection: duckdb.DuckDBPyConnection, source: Source) -> str:
    """A view of the source with each row's place in the unit and number in its file."""
    first_rows = source.first_rows.tolist()
    files = f"{source.table}_files"
    connection.execute(
        f"create or replace temp table {files} as "
        "select unnest($1)::integer as _file, unnest($2)::bigint as first_row",
        [list(range(len(first_rows))), first_rows],
    )
    view = f"{source.table}_rows"
    columns = ", ".join(f"s.{identifier(n)}" for n in source.header.columns if n is not None)
    if source.record_numbers is not None:
        record, joined = "s._record", ""
    elif len(first_rows) == 1:
        record, joined = "s.rowid + 1", ""
    else:
        record, joined = "s.rowid - f.first_row + 1", f"join {files} as f on f._file = s._file"
    connection.execute(
        f"create or replace temp view {view} as select s._file, s.rowid as _row, "
        f"{record} as _record, {columns} from {source.table} as s {joined}"
    )
    return view


def _values(relation: str, feed: Feed, name: str, field: str) -> str:
    mapping = feed.records[name]
    where = f" where {mapping.where}" if mapping.where else ""
    inner = f"select {text_of(field, mapping.fields[field])} from {relation}{where}"
    return f"select f_{field} as value from ({inner})"


def _files_with(
    connection: duckdb.DuckDBPyConnection, relation: str, mapped: str, table: str
) -> set[int]:
    """Files in which the scan found a verification value or track data."""
    rows = connection.execute(
        f"select distinct _file from (select _file, cast({mapped} as varchar) as value "
        f"from {relation}) where value in (select value from {table} where has_secret)"
    ).fetchall()
    return {row[0] for row in rows}


def _secret_files(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    source: Source,
    feed: Feed,
    template: Template,
) -> set[int]:
    """Files with content in a column of card verification values, tracks or PIN blocks."""
    if any(SECRET_COLUMN.search(name) for name in source.header.unknown):
        return set(range(len(source.files)))
    found: set[int] = set()
    for expression in secret_expressions(feed, template):
        rows = connection.execute(
            f"select distinct _file from (select _file, cast({expression} as varchar) as value "
            f"from {relation}) where value != ''"
        ).fetchall()
        found |= {row[0] for row in rows}
    return found


def secret_expressions(feed: Feed, template: Template) -> list[str]:
    """What the feed maps to dropped card secrets, and declared columns named like them."""
    mapped = [
        expression
        for name, mapping in feed.records.items()
        for field, expression in mapping.fields.items()
        if _is_secret(field, template.records[name].fields[field])
    ]
    return mapped + [identifier(c) for c in feed.columns if SECRET_COLUMN.search(c)]


def _is_secret(name: str, field: TemplateField) -> bool:
    dropped = field.treatment is Treatment.DROP and field.classification is Classification.CARD
    return dropped and field.type is FieldType.TEXT and bool(SECRET_COLUMN.search(name))
