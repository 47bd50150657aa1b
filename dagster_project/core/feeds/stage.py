"""A unit's rows typed, judged and protected in temporary tables, one per template record.

Belongs here: putting read, judge and protect together. Does not: which rows are written. A unit
is one source: several files of one layout, or one file that had to be read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.core.declarations import (
    Classification,
    Feed,
    FieldType,
    Record,
    Template,
    TemplateField,
    Treatment,
)
from dagster_project.core.feeds.cards import SECRET_COLUMN
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.judge import Check, Join, judgement, rows_of_record, text_of
from dagster_project.core.feeds.kept import intruders, suspicious, watched
from dagster_project.core.feeds.protect import (
    Protected,
    is_protected,
    scan,
    tokenise,
)
from dagster_project.core.feeds.read import Source
from dagster_project.core.feeds.sql import identifier


@dataclass(frozen=True)
class StagedRecord:
    """``_file, _row, _record, _error, <filled columns>, _record_key, _content_hash``."""

    name: str
    table: str
    checks: tuple[Check, ...]
    maps_every_row: bool
    is_list: bool  # several records of one row


@dataclass(frozen=True)
class Unit:
    """A source with its staged records."""

    source: Source
    records: tuple[StagedRecord, ...]
    protected: tuple[Protected, ...]
    secret_files: frozenset[int]  # places of files that hold what may not even be kept encrypted
    cards_in_text: int
    card_fields: tuple[str, ...]  # kept as they are, in which card numbers stood
    tables: tuple[str, ...]  # to be dropped at the end
    erased_rows: frozenset[int] = frozenset()  # that held something of an erased person


def stage_unit(job: Job, source: Source) -> Unit:
    """Stage every record of the feed; raises duckdb.Error where a mapping cannot be computed."""
    shield = _Shield(job, source)
    records = [_stage_record(job, source, name, shield) for name in job.feed.records]
    tables = (*shield.tables, *(f"{r.table}{end}" for r in records for end in ("", "_fresh")))
    return Unit(
        source,
        tuple(records),
        tuple(shield.protected),
        frozenset(shield.secret_files),
        shield.cards_in_text,
        tuple(shield.card_fields),
        tables,
    )


def _stage_record(job: Job, source: Source, name: str, shield: _Shield) -> StagedRecord:
    joins = shield.joins(name)
    table = f"{source.name}_{name}"
    judged = judgement(job, name, source.relation, joins)
    job.connection.execute(f"create or replace temp table {table} as {judged.select}")
    if found := shield.intruders(name, table):
        judged = judgement(job, name, source.relation, joins | found)
        job.connection.execute(f"create or replace temp table {table} as {judged.select}")
    mapping = job.feed.records[name]
    is_list = mapping.each is not None
    return StagedRecord(name, table, judged.checks, not (mapping.where or is_list), is_list)


class _Shield:
    """Makes the tables that replace a unit's protected values, and collects what it met."""

    def __init__(self, job: Job, source: Source) -> None:
        self._job = job
        self._source = source
        self.tables: list[str] = []
        self.protected: list[Protected] = []
        self.secret_files = _secret_files(job, source)
        self.cards_in_text = 0
        self.card_fields: list[str] = []

    def joins(self, name: str) -> dict[str, Join]:
        """For each protected field of a record, the table that replaces its values."""
        found = {}
        for field in self._job.feed.records[name].fields:
            declared = self._job.template.records[name].fields[field]
            if not is_protected(declared):
                continue
            is_scan = declared.treatment is Treatment.SCAN
            table = f"{self._source.name}_{name}_x_{field}"
            values = _values(self._job, self._source, name, field)
            if is_scan and not self._scan(values, name, field, table):
                continue
            if not is_scan:
                tokenise(self._job, values, field, declared, table)
                staged = f"{self._source.name}_{name}"
                record = self._job.template.records[name]
                self.protected.append(_protected(table, staged, field, record))
            self.tables.append(table)
            found[field] = Join(table, is_scan)
        return found

    def intruders(self, name: str, staged: str) -> dict[str, Join]:
        """For each kept field of a staged record that holds card numbers, what replaces them."""
        record, connection = self._job.template.records[name], self._job.connection
        fields = list(watched(self._job.feed, record, name))
        found = {}
        for one in suspicious(connection, staged, fields):
            table = f"{self._source.name}_{name}_x_{one.field}"
            values = _values(self._job, self._source, name, one.field)
            self.tables.append(table)
            if intruders(connection, values, one, table):
                self.card_fields.append(one.field)
                found[one.field] = Join(table, is_scan=True, refuses=one.refuses)
        return found

    def _scan(self, values: str, name: str, field: str, table: str) -> bool:
        """Whether any text had to be cleaned."""
        found = scan(self._job.connection, values, table)
        self.cards_in_text += found.cards_found
        if found.has_secrets:
            self.secret_files |= _files_with(self._job, self._source, name, field, table)
        return found.has_changes


def _protected(table: str, staged: str, field: str, record: Record) -> Protected:
    declared = record.fields[field]
    # Whoever reads a gift card's number can spend it: no card is kept in the clear, of any form.
    keeps_clear = declared.classification is not Classification.CARD
    column = f"_extra ->> '{field}_token'" if field in record.added else f"{field}_token"
    return Protected(table, staged, column, declared.token_domain or "", keeps_clear)


def drop_unit(job: Job, unit: Unit) -> None:
    """Give the unit's memory back; clear values go with it."""
    for table in unit.tables:
        job.connection.execute(f"drop table if exists {table}")


def drop_source(job: Job, source: Source) -> None:
    """Forget what was read, be it a table and its view or an Arrow table."""
    job.connection.unregister(source.relation)
    job.connection.execute(f"drop view if exists {source.relation}")
    for table in (source.name, f"{source.name}_files"):
        job.connection.execute(f"drop table if exists {table}")


def _values(job: Job, source: Source, name: str, field: str) -> str:
    return f"select f_{field} as value from ({_texts(job, source, name, field)})"


def _texts(job: Job, source: Source, name: str, field: str) -> str:
    """A query of ``_file`` and one mapped field's text."""
    mapping = job.feed.records[name]
    rows = rows_of_record(mapping, source.relation)
    return f"select _file, {text_of(field, mapping.fields[field])} from {rows}"


def _files_with(job: Job, source: Source, name: str, field: str, table: str) -> set[int]:
    """Files in which the scan found a verification value or track data."""
    rows = job.connection.execute(
        f"select distinct _file from ({_texts(job, source, name, field)}) "
        f"where f_{field} in (select value from {table} where has_secret)"
    ).fetchall()
    return {row[0] for row in rows}


def _secret_files(job: Job, source: Source) -> set[int]:
    """Files with content in a column of card verification values, tracks or PIN blocks."""
    if any(SECRET_COLUMN.search(name) for name in source.header.unknown):
        return set(range(len(source.files)))
    queries = [
        f"select _file, f_{field} as value from ({_texts(job, source, name, field)})"
        for name, field in secret_fields(job.feed, job.template)
    ]
    queries += [
        f"select _file, cast({identifier(column)} as varchar) as value from {source.relation}"
        for column in secret_columns(job.feed)
    ]
    found: set[int] = set()
    for query in queries:
        rows = job.connection.execute(
            f"select distinct _file from ({query}) where value != ''"
        ).fetchall()
        found |= {row[0] for row in rows}
    return found


def secret_fields(feed: Feed, template: Template) -> list[tuple[str, str]]:
    """Record and field of what the feed maps to dropped card secrets."""
    return [
        (name, field)
        for name, mapping in feed.records.items()
        for field in mapping.fields
        if _is_secret(field, template.records[name].fields[field])
    ]


def secret_columns(feed: Feed) -> list[str]:
    """Declared columns named like card verification values, tracks or PIN blocks."""
    return [column for column in feed.columns if SECRET_COLUMN.search(column)]


def _is_secret(name: str, field: TemplateField) -> bool:
    dropped = field.treatment is Treatment.DROP and field.classification is Classification.CARD
    return dropped and field.type is FieldType.TEXT and bool(SECRET_COLUMN.search(name))
