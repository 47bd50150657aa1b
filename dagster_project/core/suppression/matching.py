"""Finding the records of erased persons and taking the person out of them, in SQL.

Belongs here: one way for rows of ``raw`` and for rows that a load has staged, so that a file that
is delivered again ends as what erasure left of it. Does not: which erasures there are, the ledger.

Temporary tables: ``erasure_suppressed`` (hashes of the register), ``erasure_token`` (domain, scope,
token: what of it is met here), ``erasure_rows_<n>`` (row_id: rows of the n-th place).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import Outcome
from dagster_project.core.keys import MasterKey
from dagster_project.core.suppression.lineage import EXTRA, RawRecord, Role, TokenColumn
from dagster_project.core.suppression.register import DOMAIN, SURROGATE, Entry, hashed

FOUND_BY = (Role.IDENTIFIES, Role.ACCOUNT)


@dataclass(frozen=True)
class Place:
    """Rows of one record: the raw table, or what a load has staged of it."""

    number: int
    record: RawRecord
    table: str
    present: frozenset[str]
    sender: str | None = None  # of staged rows, which do not name theirs

    @property
    def rows(self) -> str:
        """The temporary table of the rows that were found."""
        return f"erasure_rows_{self.number}"

    @property
    def relation(self) -> str:
        """Every row with its place and its sender."""
        sender = f", '{self.sender}' as _sender" if self.sender else ""
        return f"(select rowid as row_id, *{sender} from {self.table})"

    @property
    def document(self) -> str | None:
        """The column of the document, where the rows show it."""
        name = self.record.document
        return name if name in self.present else None

    def shown(self, columns: Iterable[TokenColumn]) -> list[TokenColumn]:
        """Those token columns that the rows have."""
        return [c for c in columns if (EXTRA if c.is_added else c.column) in self.present]

    def candidates(self) -> list[str]:
        """Queries of ``domain, scope, token`` of everything that may name an erased person."""
        columns = self.shown([*self.record.of(*FOUND_BY), *self.record.references])
        return [_tokens_of(self, column) for column in columns]


@dataclass(frozen=True)
class Change:
    """What was done to one place's rows."""

    table: str
    found: int
    deleted: int
    emptied: int


def read_suppressed(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> None:
    """Fill ``erasure_suppressed`` from the register."""
    hashes = sorted({token for entry in entries for token in entry.tokens})
    connection.execute(
        "create or replace temp table erasure_suppressed as "
        "select unnest($hashes::varchar[]) as hash",
        {"hashes": hashes},
    )


def find_tokens(
    connection: duckdb.DuckDBPyConnection, key: MasterKey, candidates: Iterable[str]
) -> int:
    """Fill ``erasure_token`` with those candidates that are in the register; their number."""
    inner, outer = key.token_pads(DOMAIN)
    told = hashed(("$inner", "$outer"), "domain", "scope", "token")
    nothing = "select '' as domain, '' as scope, '' as token where false"
    return connection.execute(
        "create or replace temp table erasure_token as "
        f"select domain, scope, token from ({' union '.join([nothing, *candidates])}) "
        f"where {told} in (select hash from erasure_suppressed)",
        {"inner": inner, "outer": outer},
    ).fetchone()[0]


def hashes_of_tokens(connection: duckdb.DuckDBPyConnection, key: MasterKey) -> tuple[str, ...]:
    """The register's hashes of everything in ``erasure_token``."""
    inner, outer = key.token_pads(DOMAIN)
    told = hashed(("$inner", "$outer"), "domain", "scope", "token")
    rows = connection.execute(
        f"select distinct {told} as hash from erasure_token order by hash",
        {"inner": inner, "outer": outer},
    ).fetchall()
    return tuple(row[0] for row in rows)


def find_rows(connection: duckdb.DuckDBPyConnection, places: Sequence[Place]) -> int:
    """Fill every place's rows: those with a token, their other versions, their documents."""
    for place in places:
        connection.execute(
            f"create or replace temp table {place.rows} as "
            f"select row_id from {place.relation} where {_is_named(place)}"
        )
    for documents in _documents(places):
        _add_documents(connection, documents)
    return sum(_add_versions(connection, place) for place in places)


def take_out(
    connection: duckdb.DuckDBPyConnection, key: MasterKey, places: Sequence[Place]
) -> list[Change]:
    """Delete the rows that were found, or take the person out of them; what was done where."""
    return [_take_out(connection, key, place) for place in places]


def forget(connection: duckdb.DuckDBPyConnection, places: Sequence[Place]) -> None:
    """Drop what was found; clear tokens go with it."""
    for table in ("erasure_token", *(place.rows for place in places)):
        connection.execute(f"drop table if exists temp.{table}")


def add_accounts(connection: duckdb.DuckDBPyConnection, places: Sequence[Place]) -> None:
    """Add to ``erasure_token`` the accounts on the rows that were found.

    Left out is what stands on a record of somebody else: a company's account is nobody's own.
    """
    theirs, others = [], []
    for place in places:
        identified = place.shown(place.record.of(Role.IDENTIFIES))
        names_somebody = " or ".join(f"{c.value} is not null" for c in identified) or "false"
        for column in place.shown(place.record.of(Role.ACCOUNT)):
            query = _tokens_of(place, column)
            theirs.append(f"{query} and row_id in (from {place.rows})")
            others.append(f"{query} and ({names_somebody}) and row_id not in (from {place.rows})")
    if theirs:
        connection.execute(
            f"insert into erasure_token ({' union '.join(theirs)}) except "
            f"({' union '.join(others)}) except select domain, scope, token from erasure_token"
        )


def _tokens_of(place: Place, column: TokenColumn) -> str:
    return (
        f"select distinct '{column.domain}' as domain, {column.scope} as scope, "
        f"{column.value} as token from {place.relation} where {column.value} is not null"
    )


def _is_named(place: Place) -> str:
    return " or ".join(map(_is_erased, place.shown(place.record.of(*FOUND_BY)))) or "false"


def _is_erased(column: TokenColumn) -> str:
    return (
        f"({column.scope}, {column.value}) in "
        f"(select (scope, token) from erasure_token where domain = '{column.domain}')"
    )


def _documents(places: Sequence[Place]) -> list[list[Place]]:
    """Places whose rows make documents together, by template."""
    found: dict[str, list[Place]] = {}
    for place in places:
        if place.document is not None:
            found.setdefault(place.record.template, []).append(place)
    return list(found.values())


def _add_documents(connection: duckdb.DuckDBPyConnection, places: list[Place]) -> None:
    """Add the other rows of a receipt or order, unless its head names another member."""
    met = " union ".join(
        f"select _sender, {place.document} as document from {place.relation} "
        f"where row_id in (from {place.rows})"
        for place in places
    )
    connection.execute(f"create or replace temp table erasure_document as {met}")
    for place in places:
        members = [c for c in place.shown(place.record.of(Role.IDENTIFIES)) if c.domain == "member"]
        if place.record.is_head and members:
            # A pair with an empty number is not null to the engine: it would count as another's.
            others = " or ".join(
                f"({c.value} is not null and not ({_is_erased(c)}))" for c in members
            )
            connection.execute(
                "delete from erasure_document where (_sender, document) in "
                f"(select (_sender, {place.document}) from {place.relation} where {others})"
            )
    for place in places:
        connection.execute(
            f"insert into {place.rows} select row_id from {place.relation} "
            f"where (_sender, {place.document}) in "
            "(select (_sender, document) from erasure_document) "
            f"and row_id not in (from {place.rows})"
        )
    connection.execute("drop table erasure_document")


def _add_versions(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Add the other contents of the same natural keys; returns all rows found."""
    connection.execute(
        f"insert into {place.rows} select row_id from {place.relation} where _record_key in "
        f"(select _record_key from {place.relation} where row_id in (from {place.rows})) "
        f"and row_id not in (from {place.rows})"
    )
    return connection.execute(f"select count(*) from {place.rows}").fetchone()[0]


def _take_out(connection: duckdb.DuckDBPyConnection, key: MasterKey, place: Place) -> Change:
    (found,) = connection.execute(f"select count(*) from {place.rows}").fetchone()
    referring = _empty_references(connection, place)
    if not found:
        return Change(place.table, referring, 0, referring)
    if place.record.outcome is Outcome.GONE:
        connection.execute(f"delete from {place.table} where rowid in (from {place.rows})")
        return Change(place.table, found + referring, found, referring)
    changed = _emptied(place)
    if not changed:
        return Change(place.table, 0, 0, 0)
    content = _content(place, changed)
    settings = ", ".join(f"{column} = {value}" for column, value in changed.items())
    pads = dict(zip(("inner", "outer"), key.token_pads(SURROGATE), strict=True))
    connection.execute(
        f"update {place.table} set {settings}, _content_hash = {content} "
        f"where rowid in (from {place.rows})",
        pads if "$inner" in settings else {},
    )
    return Change(place.table, found + referring, 0, found + referring)


def _empty_references(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Empty what names an erased person on the records of others."""
    count = 0
    for column in place.shown(place.record.references):
        emptied = {column.column: f"null::{place.record.columns[column.column]}"}
        is_met = (
            f"rowid in (select row_id from {place.relation} where {_is_erased(column)}) "
            f"and rowid not in (from {place.rows})"
        )
        count += connection.execute(
            f"update {place.table} set {column.column} = null, "
            f"_content_hash = {_content(place, emptied)} where {is_met}"
        ).fetchone()[0]
    return count


def _emptied(place: Place) -> dict[str, str]:
    """The new value of every column that the rows lose."""
    record = place.record
    found = {c: f"null::{record.columns[c]}" for c in record.emptied if c in place.present}
    domains = {c.column: c.domain for c in record.tokens}
    for column in record.replaced:
        if column in place.present:
            told = hashed(("$inner", "$outer"), f"'{domains[column]}'", "''", column)
            found[column] = f"case when {column} is not null then {told} end"
    if record.emptied_added and EXTRA in place.present:
        gone = ", ".join(f'"{name}": null' for name in record.emptied_added)
        patched = f"cast(json_merge_patch({EXTRA}, '{{{gone}}}') as varchar)"
        found[EXTRA] = f"case when {EXTRA} is not null then {patched} end"
    return found


def _content(place: Place, changed: dict[str, str]) -> str:
    """The content's hash as the loader makes it, of the values that stay."""
    columns = ", ".join(
        changed.get(name, name if name in place.present else f"null::{kind}")
        for name, kind in place.record.columns.items()
    )
    plain = f"(hash({columns}) >> 1)::bigint"
    if EXTRA not in place.present:
        return plain
    extra = changed.get(EXTRA, EXTRA)
    return (
        f"case when {EXTRA} is null then {plain} else (hash({columns}, {extra}) >> 1)::bigint end"
    )
