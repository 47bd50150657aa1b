"""The last look at a publication before any reader can see it.

Belongs here: proofs over the finished temporary file that no card number, token or clear personal
value is in it and that no row is missing. Does not: repairing anything. A finding stops the
publication; a message names tables and columns and never holds a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.publishing.tables import Table

FORBIDDEN_PART = re.compile(
    r"(^|_)(token|masked|cvv|cvc|pan|pin|iban|track|card_number|phone|email|birth_date)(_|$)"
)
# Columns of these types say whether, when or how often, never who.
HARMLESS_TYPES = frozenset({"BOOLEAN", "TIMESTAMP WITH TIME ZONE"})
# ISO/IEC 7812 prefixes and lengths of the issuers met at a till: Visa, Mastercard, American
# Express, Discover, JCB, Diners, UnionPay, Mir, Iran's Shetab banks.
CARD_SHAPE = (
    "^(4[0-9]{15}|4[0-9]{18}|5[1-5][0-9]{14}|2(22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)"
    "[0-9]{12}|3[47][0-9]{13}|6(011|4[4-9][0-9]|5[0-9]{2})[0-9]{12}|35(2[89]|[3-8][0-9])[0-9]{12}"
    "|3(0[0-5]|[689][0-9])[0-9]{11}|62[0-9]{14,17}|220[0-4][0-9]{12}"
    "|(5022|5029|5057|5058|5859|5892|6037|6063|6104|6219|6221|6273|6274|6276|6277|6278|6280|6362"
    "|6367|6369|6393|6395|9919)[0-9]{12})$"
)
# One unbroken run of any length (20 digits are no card), or groups as printed on a card.
CARD_RUN = "|".join(
    (
        "[0-9]{13,}",
        "[0-9]{4}(?:[ .-][0-9]{4}){3}(?:[ .-][0-9]{1,3})?",
        "[0-9]{4}[ .-][0-9]{6}[ .-][0-9]{4,5}",
    )
)
EMAIL_RUN = "[^\\s<>,;:()]+@[^\\s<>,;:()]+"
PHONE_RUN = "[+]?[0-9](?:[ ()./-]{0,2}[0-9]){8,14}"
# Nine digits with little between them: whatever has a card number or a phone has these.
LONG_RUN = "[0-9](?:[ ()./-]{0,2}[0-9]){8}"
FOREIGN_DIGITS = "０１２３４５６７８９۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩"
# A value this long, or with an @, names somebody on its own; a shorter one (a city that is also
# a given name, a member number that is also a product code) only where it fills its column.
TELLING_LENGTH = 12
TELLING_DIGITS = 9
MINIMUM_WEAK_HITS = 20
WEAK_SHARE = 0.5
SENTENCE_LENGTH = 64  # longer text is prose: only mail addresses and phone numbers in it count


def audit(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], *, source: str, target: str
) -> None:
    """Raise PublicationError unless every table of ``target`` may be seen and is complete.

    ``source`` and ``target`` are the catalogues of the private warehouse and the temporary file.
    """
    findings = _unexpected_tables(connection, tables, target)
    for table in tables:
        findings += _incomplete(connection, table, source, target)
        findings += _forbidden_columns(connection, table, target)
    _collect_clear_values(connection, source)
    columns = _columns(connection, target)
    findings += _telling_texts(connection, target, columns)
    for schema, table, column, kind in columns:
        if kind in {"BIGINT", "UBIGINT", "HUGEINT"} and not column.endswith("_key"):
            place = f"{schema}.{table}.{column}"
            findings += _card_integers(connection, f"{target}.{schema}.{table}", column, place)
    if findings:
        raise PublicationError(f"the audit found {'; '.join(findings)}")


def _columns(connection: duckdb.DuckDBPyConnection, target: str) -> list[tuple[str, str, str, str]]:
    return connection.execute(
        """
        select c.schema_name, c.table_name, c.column_name, c.data_type
        from duckdb_columns() as c
        inner join duckdb_tables() as t using (database_name, schema_name, table_name)
        where c.database_name = ?
        order by all
        """,
        [target],
    ).fetchall()


def _unexpected_tables(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], target: str
) -> list[str]:
    """Tables beside the declared ones and the publication's own two schemas."""
    known = {table.full_name for table in tables}
    rows = connection.execute(
        """
        select distinct schema_name || '.' || table_name
        from duckdb_tables()
        where database_name = ? and schema_name not in ('ops', 'metrics')
        order by all
        """,
        [target],
    ).fetchall()
    return [f"unexpected table {name}" for (name,) in rows if name not in known]


def _incomplete(
    connection: duckdb.DuckDBPyConnection, table: Table, source: str, target: str
) -> list[str]:
    wanted, found = connection.execute(
        f"""
        select
            (select count(*) from {source}.{table.full_name} where {table.condition}),
            (select count(*) from {target}.{table.full_name}),
        """
    ).fetchone()
    return [] if wanted == found else [f"{table.full_name} has {found} of {wanted} rows"]


def _forbidden_columns(
    connection: duckdb.DuckDBPyConnection, table: Table, target: str
) -> list[str]:
    described = connection.execute(f"describe {target}.{table.full_name}").fetchall()
    declared = {column.name for column in table.columns}
    findings = []
    for name, kind, *_ in described:
        if name not in declared:
            findings.append(f"undeclared column {table.full_name}.{name}")
        elif kind not in HARMLESS_TYPES and FORBIDDEN_PART.search(name):
            findings.append(f"a personal or card column {table.full_name}.{name}")
    return findings


def _collect_clear_values(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Hash the vault's values and mark the telling ones; the values themselves are not copied."""
    connection.execute(
        f"""
        create temp table clear_value as
        select
            hash(folded) as value_hash,
            bool_or(
                contains(folded, '@')
                or length(digits) >= {TELLING_DIGITS} and domain = 'phone'
                or length(folded) >= {TELLING_LENGTH} and length(digits) < length(folded)
            ) as is_telling,
        from (
            select
                domain,
                {_folded("value")} as folded,
                regexp_replace(value, '[^0-9]', '', 'g') as digits,
            from {source}.vault.personal_value
        )
        where
            length(folded) > 1
            -- A short number is somebody's member number and also a product code: no evidence.
            and (length(digits) < length(folded) or length(digits) >= {TELLING_DIGITS})
        group by value_hash
        """
    )


def _folded(expression: str) -> str:
    """One spelling of a value: lower case, trimmed, ASCII digits, a phone's plus sign left out."""
    ascii_digits = "0123456789" * 3
    # translate() is ten times slower than the rest; as many bytes as characters means ASCII.
    return f"""ltrim(
        lower(trim(case
            when strlen({expression}) = length({expression}) then {expression}
            else translate({expression}, '{FOREIGN_DIGITS}', '{ascii_digits}')
        end)),
        '+'
    )"""


def _telling_texts(
    connection: duckdb.DuckDBPyConnection, target: str, columns: Sequence[tuple[str, str, str, str]]
) -> list[str]:
    """Findings in text columns: each distinct text is judged once, wherever it stands.

    A receipt's number stands in a dozen tables; judging a text costs more than finding it.
    """
    places = [row[:3] for row in columns if row[3] == "VARCHAR"]
    connection.execute("create or replace temp table placed_text (place integer, given varchar)")
    by_table: dict[str, list[str]] = {}
    for number, (schema, table, column) in enumerate(places):
        full_name = f"{target}.{schema}.{table}"
        by_table.setdefault(full_name, []).append(
            f'select distinct {number}, "{column}" from {full_name} where length("{column}") > 1'
        )
    for selects in by_table.values():
        connection.execute(f"insert into temp.placed_text {' union all '.join(selects)}")
    connection.execute(JUDGED)
    rows = connection.execute(
        """
        select
            place,
            count(*) filter (kind = 'card'),
            count(distinct piece) filter (kind = 'telling'),
            count(distinct piece) filter (kind = 'weak') as weak,
            case when weak >= $minimum then (
                select count(*) from temp.placed_text as every where every.place = found.place
            ) end,
        from temp.placed_text as found
        inner join temp.judged_text using (given)
        group by place
        order by place
        """,
        {"minimum": MINIMUM_WEAK_HITS},
    ).fetchall()
    for name in ("placed_text", "judged_text", "clear_value"):
        connection.execute(f"drop table temp.{name}")
    return [
        finding for number, *counts in rows for finding in _told(".".join(places[number]), *counts)
    ]


def _told(place: str, cards: int, telling: int, weak: int, distinct: int | None) -> list[str]:
    """What was found in one column, in words."""
    findings = [f"{cards} card numbers in {place}"] if cards else []
    if telling:
        findings.append(f"{telling} clear personal values in {place}")
    elif distinct is not None and weak >= WEAK_SHARE * distinct:
        findings.append(f"{weak} of {distinct} values of {place} are clear personal values")
    return findings


def _card_integers(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, place: str
) -> list[str]:
    (cards,) = connection.execute(
        f"""
        select count(*)
        from (select distinct cast("{column}" as varchar) as run from {table}
              where "{column}" >= 1000000000000)
        where {_is_card("run")}
        """
    ).fetchone()
    return [f"{cards} card numbers in {place}"] if cards else []


def _is_card(run: str) -> str:
    """SQL that is true where a run of digits has an issuer's prefix and a right Luhn digit."""
    digits = f"regexp_replace({run}, '[^0-9]', '', 'g')"
    doubled = "cast(substr(d, i, 1) as integer) * (1 + (length(d) - i) % 2)"
    # Digits counted from the right: every second one doubled, 9 taken off where that exceeds 9.
    luhn = f"list_sum([({doubled}) // 10 + ({doubled}) % 10 for i in range(1, length(d) + 1)])"
    return (
        f"regexp_matches({digits}, '{CARD_SHAPE}') and "
        f"(select {luhn} % 10 = 0 from (select {digits} as d))"
    )


# Distinct texts with a card number or a value of the vault in them: text, what, and which.
JUDGED = f"""
create or replace temp table judged_text as
with folded as (
    select given, {_folded("given")} as text
    from (select distinct given from temp.placed_text)
),
numbered as (
    select given, text from folded where regexp_matches(text, '{LONG_RUN}')
),
spotted as (
    select given, unnest(regexp_extract_all(text, '{CARD_RUN}')) as run
    from numbered
),
pieces as (
    select given, text as piece
    from folded
    where length(text) <= {SENTENCE_LENGTH}
    union all
    select given, ltrim(unnest(regexp_extract_all(text, '{EMAIL_RUN}')), '.')
    from folded
    where contains(text, '@')
    union all
    select given, regexp_replace(run, '[^0-9]', '', 'g')
    from (
        select given, unnest(regexp_extract_all(text, '{PHONE_RUN}')) as run
        from numbered
    )
)
select given, 'card' as kind, null as piece from spotted where {_is_card("run")}
union all
select given, case when c.is_telling then 'telling' else 'weak' end, p.piece
from pieces as p
inner join temp.clear_value as c on c.value_hash = hash(p.piece)
"""
