"""Erased persons out of every table of the private database, in one transaction.

Belongs here: raw, rejects, vault and identity; what must be built again for it. Does not: which
columns lead to a person (``lineage``), files. Everything that models have built is dropped: it is
built again from what is left, so nothing of it has to be searched for persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import Template
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.identity import assigning, create_identity_tables
from dagster_project.core.keys import MasterKey
from dagster_project.core.suppression import matching
from dagster_project.core.suppression.lineage import KINDS, raw_records
from dagster_project.core.suppression.matching import Change, Place
from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA

MODELLED = ("staging", "intermediate", *MART_SCHEMAS, SENSITIVE_SCHEMA)
BUILT_BY = "erasure"  # as if other code had built the models: the next build is of everything
DOMAIN_OF = {kind: domain for domain, kind in KINDS.items()}


@dataclass(frozen=True)
class Erased:
    """What was found and done in the database."""

    changes: tuple[Change, ...]

    @property
    def row_count(self) -> int:
        """Rows that named a person or were the person's."""
        return sum(change.found for change in self.changes)


def raw_places(
    connection: duckdb.DuckDBPyConnection, templates: Mapping[str, Template]
) -> list[Place]:
    """Every raw table that can hold anything of a person; missing ones are made."""
    create_raw_tables(connection, dict(templates))
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'raw'"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    return [
        Place(number, record, f"raw.{record.table}", frozenset(columns[record.table]))
        for number, record in enumerate(raw_records(templates))
    ]


def identity_candidates(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Queries of ``domain, scope, token`` of what identity holds and held."""
    create_identity_tables(connection)
    domains = "".join(f"when '{kind}' then '{domain}' " for kind, domain in DOMAIN_OF.items())
    return [
        f"select case identifier_kind {domains}end as domain, sender as scope, "
        f"identifier_token as token from identity.{table}"
        for table in ("person_identifier", "person_identifier_history")
    ]


def find_named(
    connection: duckdb.DuckDBPyConnection, key: MasterKey, places: Sequence[Place]
) -> list[tuple[str, str]]:
    """Find everybody's rows; feed and SHA-256 of the files that brought them."""
    candidates = [query for place in places for query in place.candidates()]
    candidates += identity_candidates(connection)
    matching.find_tokens(connection, key, candidates)
    matching.find_rows(connection, places)
    return named_files(connection, places)


def named_files(
    connection: duckdb.DuckDBPyConnection, places: Sequence[Place]
) -> list[tuple[str, str]]:
    """Feed and SHA-256 of the files that brought the rows that were found."""
    _note_places(connection, places)
    return connection.execute(_FILES).fetchall()


def erase_rows(
    connection: duckdb.DuckDBPyConnection, key: MasterKey, places: Sequence[Place]
) -> Erased:
    """Take everybody out whose tokens ``erasure_suppressed`` has hashes of, in one transaction.

    Nothing is written where nobody of them is left, so that it may be done any number of times.
    """
    connection.execute("begin")
    try:
        find_named(connection, key, places)
        changes = [
            *matching.take_out(connection, key, places),
            _empty_rejects(connection),
            *_erase_identity(connection),
        ]
        _drop_conflicts(connection, changes)
        changes += _empty_vault(connection, places)
        erased = Erased(tuple(changes))
        if erased.row_count:
            ask_for_rebuild(connection)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    finally:
        matching.forget(connection, places)
    return erased


def ask_for_rebuild(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what the models built, and have the next build build and publish all of it anew."""
    rows = connection.execute(
        "select 'view', schema_name, view_name from duckdb_views() "
        "where database_name = current_database() and schema_name in (select unnest($schemas)) "
        "union all select 'table', schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and schema_name in (select unnest($schemas))",
        {"schemas": list(MODELLED)},
    ).fetchall()
    for kind, schema, name in rows:
        connection.execute(f'drop {kind} "{schema}"."{name}"')
    connection.execute(
        "update ops.build_state set fingerprint = $built_by where build = 'models'",
        {"built_by": BUILT_BY},
    )
    connection.execute("delete from ops.build_state where build = 'identity'")
    connection.execute("delete from ops.source_state")
    connection.execute("delete from ops.suite_state")
    connection.execute(
        "insert into ops.batch values (nextval('ops.batch_sequence'), 'erasure', now(), 0, 0)"
    )


def _note_places(connection: duckdb.DuckDBPyConnection, places: Iterable[Place]) -> None:
    """Fill ``erasure_place``: feed, file and record of every row that was found."""
    found = " union ".join(
        f"select _feed, _file_id, _record_number from {place.table} "
        f"where rowid in (from {place.rows})"
        for place in places
    )
    connection.execute(f"create or replace temp table erasure_place as {found}")


_FILES = "select distinct _feed, _file_id from erasure_place order by all"


def _empty_rejects(connection: duckdb.DuckDBPyConnection) -> Change:
    """The harmless text that was kept of a record which is the person's."""
    (count,) = connection.execute(
        "update ops.rejects set raw_record = null where raw_record is not null "
        "and (feed, file_id, record_number) in "
        "(select (_feed, _file_id, _record_number) from erasure_place)"
    ).fetchone()
    connection.execute("drop table erasure_place")
    return Change("ops.rejects", count, 0, count)


def empty_rejects_of(
    connection: duckdb.DuckDBPyConnection, feed: str, file_id: str, records: Iterable[int]
) -> int:
    """The same for records that were only ever rejected; how many rows that were."""
    return int(
        connection.execute(
            "update ops.rejects set raw_record = null where raw_record is not null "
            "and feed = $feed and file_id = $file_id "
            "and record_number in (select unnest($records::bigint[]))",
            {"feed": feed, "file_id": file_id, "records": sorted(records)},
        ).fetchone()[0]
    )


def _drop_conflicts(connection: duckdb.DuckDBPyConnection, changes: Sequence[Change]) -> None:
    """Forget keys of which several contents were known and now no row is left."""
    for change in changes:
        schema, _, table = change.table.partition(".")
        if schema == "raw" and change.deleted:
            connection.execute(
                "delete from ops.raw_conflict where raw_table = $table "
                f"and record_key not in (select _record_key from raw.{table})",
                {"table": table},
            )


def _empty_vault(connection: duckdb.DuckDBPyConnection, places: Sequence[Place]) -> list[Change]:
    """Delete the clear values whose token no row carries any more."""
    carried = " union ".join(
        f"select '{column.domain}' as domain, {column.value} as token "
        f"from {place.table} where {column.value} is not null"
        for place in places
        for column in place.shown(place.record.tokens)
    )
    (count,) = connection.execute(
        "delete from vault.personal_value as held where not exists "
        f"(select 1 from ({carried}) as c where c.domain = held.domain and c.token = held.token)"
    ).fetchone()
    return [Change("vault.personal_value", count, count, 0)]


def _erase_identity(connection: duckdb.DuckDBPyConnection) -> list[Change]:
    """Identifiers, persons, pairs, spellings and their history."""
    connection.execute(_IDENTIFIERS)
    connection.execute(_PERSONS)
    changes = []
    for table, condition in _IDENTITY.items():
        (count,) = connection.execute(f"delete from {table} where {condition}").fetchone()
        changes.append(Change(table, count, count, 0))
    connection.execute("drop table erasure_person")
    connection.execute("drop table erasure_identifier")
    return changes


_IS_ERASED = (
    "(identifier_kind, sender, identifier_token) in "
    "(select (kind, scope, token) from erasure_identifier)"
)
_KINDS = "".join(f"when '{domain}' then '{kind}' " for domain, kind in KINDS.items())
_NAMED = f"select case domain {_KINDS}end as identifier_kind, scope as sender, token"
_IDENTIFIERS = f"""
create or replace temp table erasure_identifier as
with named as (
    select identifier_kind as kind, sender as scope, identifier_token as token,
        {assigning.HELD_KEY} as identifier_key
    from ({_NAMED} as identifier_token from erasure_token where domain in {tuple(KINDS)})
)
select kind, scope, token, identifier_key from named
"""
_PERSONS = f"""
create or replace temp table erasure_person as
select distinct person_key from identity.person_identifier
where person_key is not null and {_IS_ERASED}
"""
_OF_PERSON = "person_key in (from erasure_person)"
_OF_IDENTIFIER = "in (select identifier_key from erasure_identifier)"
# Whoever else had the person's key gets another one at the next resolution.
_IDENTITY = {
    "identity.person_identifier": f"{_IS_ERASED} or {_OF_PERSON}",
    "identity.person_identifier_history": f"{_IS_ERASED} or {_OF_PERSON}",
    "identity.person_key_history": f"{_OF_PERSON} or other_person_key in (from erasure_person)",
    "identity.person_key_before": f"{_OF_PERSON} or identifier_key {_OF_IDENTIFIER}",
    "identity.person_evidence": _OF_PERSON,
    "identity.match_record": f"record_key {_OF_IDENTIFIER}",
    "identity.match_pair": f"left_key {_OF_IDENTIFIER} or right_key {_OF_IDENTIFIER}",
    "vault.match_spelling": f"record_key {_OF_IDENTIFIER}",
}
