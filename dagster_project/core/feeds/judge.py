"""The SQL that types and judges a feed's rows, one statement per template record.

Belongs here: from a sender's text columns to a raw row or an error. Does not: where the text
comes from (``read``), what becomes of the rows (``settle``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dagster_project.core.declarations import (
    SQL_TYPES,
    FeedRecord,
    FieldType,
    Policy,
    Record,
    TemplateField,
    Treatment,
)
from dagster_project.core.feeds.drift import policy_of
from dagster_project.core.feeds.errors import ErrorCode
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.sql import identifier, literal

PLACES = "_file, _row, _record"  # of a row: its file and place in the unit, its number
UNREADABLE: dict[FieldType, ErrorCode] = {
    FieldType.INTEGER: ErrorCode.BAD_INTEGER,
    FieldType.MONEY: ErrorCode.BAD_NUMBER,
    FieldType.QUANTITY: ErrorCode.BAD_NUMBER,
    FieldType.RATE: ErrorCode.BAD_NUMBER,
    FieldType.NUMBER: ErrorCode.BAD_NUMBER,
    FieldType.BOOLEAN: ErrorCode.BAD_BOOLEAN,
    FieldType.DATE: ErrorCode.BAD_DATE,
    FieldType.TIMESTAMP: ErrorCode.BAD_TIMESTAMP,
}
# The database also holds 'infinity' and years of six digits, which no calendar has and with
# which nothing can be reckoned; the last day of 9999 stands for "never" with many senders. A year
# before 1800 is a day that was read as one (03/08/19) or a Jalali or Hijri year.
CALENDAR: dict[FieldType, tuple[str, str]] = {
    FieldType.DATE: ("1800-01-01", "9999-12-31"),
    FieldType.TIMESTAMP: ("1800-01-01 00:00:00+00", "9999-12-31 23:59:59+00"),
}


@dataclass(frozen=True)
class Check:
    """One reason for which a row is rejected; its number stands in ``_error``.

    Where only the value is discarded, its number stands in the list ``_discarded``.
    """

    field: str
    code: ErrorCode
    condition: str
    policy: Policy


@dataclass(frozen=True)
class Judgement:
    """The statement that stages one record, and what its error numbers mean."""

    select: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Join:
    """A protected field's temporary table: token and mask, or cleaned text, by value.

    Where it ``refuses``, the records whose text or figure it holds are rejected instead.
    """

    table: str
    is_scan: bool
    refuses: bool = False


def text_of(name: str, mapped: str) -> str:
    """The mapped expression as text under its working name."""
    return f"cast({mapped} as varchar) as {identifier('f_' + name)}"


def rows_of_record(mapping: FeedRecord, relation: str) -> str:
    """The rows that make one record each, as what follows ``from``.

    With ``each`` a row is there once per element of its list, none where it has no list.
    """
    where = f" where {mapping.where}" if mapping.where else ""
    if mapping.each is None:
        return f"{relation}{where}"
    return (
        f'(select *, unnest(_list) as "each", generate_subscripts(_list, 1) as each_number '
        f"from (select *, {_list_of('_each_text')} as _list "
        f"from (select *, cast({mapping.each} as varchar) as _each_text from {relation}))){where}"
    )


def broken_lists(mapping: FeedRecord, relation: str) -> str:
    """A query of ``_row, _record`` of rows whose list is none; only for records with ``each``."""
    # The list is computed below the condition: it may look at other rows.
    return (
        "select _row, _record from "
        f"(select _row, _record, cast({mapping.each} as varchar) as _text from {relation}) "
        f"where _text != '' and {_list_of('_text')} is null"
    )


def _list_of(column: str) -> str:
    """The elements of a JSON list in a column of texts; null where it holds none."""
    # One case within the other: nothing looks at the kind of what is no JSON.
    found = f"case when json_type({column}) = 'ARRAY' then json_extract({column}, '$[*]') end"
    return f"case when json_valid({column}) then {found} end"


def judgement(job: Job, name: str, relation: str, joins: dict[str, Join]) -> Judgement:
    """How rows of ``relation`` become rows of one record, right or wrong.

    The select gives ``_file, _row, _record, _error``, the raw columns of mapped fields, key and
    content hash; and ``_discarded`` where some field's bad values are discarded.
    """
    record, mapping = job.template.records[name], job.feed.records[name]
    checks = (*_refusals(job, name, joins), *_all_checks(job, name))
    joins = {field: join for field, join in joins.items() if not join.refuses}
    mapped = ", ".join(text_of(field, sql) for field, sql in mapping.fields.items())
    rows = rows_of_record(mapping, relation)
    typed = [_typed(field, record.fields[field]) for field in mapping.fields]
    error = _first_of(checks, lambda check: check.policy is not Policy.DISCARD_VALUE)
    values = _raw_columns(record, mapping, joins)
    columns = [f"{values[column]} as {column}" for column in record.columns()]
    columns.append(f"{_extra(record, values)} as _extra")
    kept, discarded = _without_discarded(job, name, checks)
    select = (
        f"with mapped as (select {PLACES}, {mapped} from {rows}), "
        f"typed as (select {PLACES}, {', '.join(typed)} from mapped), {kept}"
        f"raw as (select {PLACES}, {error} as _error, {discarded}{', '.join(columns)} "
        f"from {'kept' if kept else 'typed'} {_joined(joins)}) "
        f"select {PLACES}, _error, {'_discarded, ' if kept else ''}"
        f"{', '.join(columns_of(job, name))}, "
        f"{_key(job, name)} as _record_key, "
        f"{_content(record)} as _content_hash from raw"
    )
    return Judgement(select, checks)


def columns_of(job: Job, name: str) -> list[str]:
    """The raw columns that the feed fills; all others of its rows are null and are not staged."""
    record, mapping = job.template.records[name], job.feed.records[name]
    filled = {column for field in mapping.fields for column in record.fields[field].columns(field)}
    found = [column for column in record.columns() if column in filled]
    return [*found, "_extra"] if record.added_columns() else found


def _refusals(job: Job, name: str, joins: dict[str, Join]) -> list[Check]:
    """The checks of fields that hold what may be neither kept nor masked."""
    record = job.template.records[name]
    found = []
    for field, join in joins.items():
        if join.refuses:
            is_text = SQL_TYPES[record.fields[field].type] == "varchar"
            value = f"f_{field}" if is_text else f"try_cast(v_{field} as hugeint)"
            condition = f"{value} in (select value from {join.table})"
            policy = policy_of(job.feed, record, field)
            found.append(Check(field, ErrorCode.CARD_NUMBER, condition, policy))
    return found


def _all_checks(job: Job, name: str) -> tuple[Check, ...]:
    """The checks of every mapped field; those for which a file is held back come first."""
    record, mapping = job.template.records[name], job.feed.records[name]
    found = [
        check
        for field in mapping.fields
        for check in _checks(field, record.fields[field], policy_of(job.feed, record, field))
    ]
    return tuple(sorted(found, key=lambda check: check.policy is not Policy.FREEZE))


def _first_of(checks: tuple[Check, ...], counts: Callable[[Check], bool]) -> str:
    """The number of the first of some checks that a row fails, null where it fails none."""
    judged = " ".join(
        f"when {check.condition} then {number}"
        for number, check in enumerate(checks)
        if counts(check)
    )
    return f"case {judged} end::utinyint" if judged else "null::utinyint"


def _without_discarded(job: Job, name: str, checks: tuple[Check, ...]) -> tuple[str, str]:
    """Expressions that empty bad values and list them; nothing where no field discards any."""
    record = job.template.records[name]
    fields = list(dict.fromkeys(c.field for c in checks if c.policy is Policy.DISCARD_VALUE))
    if not fields:
        return "", ""
    found = {field: _first_of(checks, lambda c, f=field: c.field == f) for field in fields}
    emptied = [
        f"case when d_{field} is null then {column} end as {column}"
        for field in fields
        for column in _working_columns(field, record.fields[field])
    ]
    kept = (
        f"told as (select *, {', '.join(f'{sql} as d_{f}' for f, sql in found.items())} "
        f"from typed), kept as (select * replace ({', '.join(emptied)}) from told), "
    )
    numbers = ", ".join(f"d_{field}" for field in fields)
    return kept, f"list_filter([{numbers}], lambda d: d is not null) as _discarded, "


def _working_columns(name: str, field: TemplateField) -> list[str]:
    is_text = SQL_TYPES[field.type] == "varchar"
    return [f"f_{name}"] if is_text else [f"f_{name}", f"v_{name}"]


def _names(record: Record) -> str:
    return ", ".join(record.columns())


def _joined(joins: dict[str, Join]) -> str:
    return " ".join(
        f"left join {join.table} as j_{field} on j_{field}.value = f_{field}"
        for field, join in joins.items()
    )


def _typed(name: str, field: TemplateField) -> str:
    text = f"f_{name}"
    if SQL_TYPES[field.type] == "varchar":
        return text
    spelled = _without_zone_name(text) if field.type is FieldType.TIMESTAMP else text
    return f"{text}, try_cast({spelled} as {SQL_TYPES[field.type]}) as v_{name}"


def _without_zone_name(text: str) -> str:
    """The text of a time that ends in digits, an offset or Z; UTC and GMT are written so.

    The engine goes on with the zone of ``10:00 Asia/Shanghai`` for the times of the rows behind
    it, so it must never see a name; such a time is not read. It takes for a name only what
    stands behind a blank: as most times are written, one look tells that there is none.
    """
    usual = (
        f"{text} like '____-__-__T%' and not contains({text}, ' ') or {text} like '____-__-__' "
        f"or {text} like '____-__-__ __:%' and {text} not like '% % %'"
    )
    before = f"rtrim({text}, '0123456789:.+- Zz')"
    return (
        f"case when {usual} then {text} "
        f"when {before} = '' or regexp_full_match(right({before}, 2), '\\d[Tt]') then {text} "
        f"when upper(right({before}, 4)) in (' UTC', ' GMT') "
        f"and length({text}) = length({before}) then left({text}, -4) || 'Z' end"
    )


def _checks(name: str, field: TemplateField, policy: Policy) -> list[Check]:
    text, value = f"f_{name}", f"v_{name}"
    is_text = SQL_TYPES[field.type] == "varchar"
    found: list[tuple[ErrorCode, str]] = []
    if field.required:
        found.append((ErrorCode.MISSING, f"{text} is null or {text} = ''"))
    if not is_text:
        found.append((UNREADABLE[field.type], _unreadable(field.type, text, value)))
    if field.allowed:
        allowed = ", ".join(literal(one) for one in field.allowed)
        found.append((ErrorCode.NOT_ALLOWED, f"{text} not in ({allowed})"))
    if field.minimum is not None:
        found.append((ErrorCode.BELOW_MINIMUM, f"{value} < {field.minimum:.17g}"))
    if field.maximum is not None:
        found.append((ErrorCode.ABOVE_MAXIMUM, f"{value} > {field.maximum:.17g}"))
    return [Check(name, code, condition, policy) for code, condition in found]


def _unreadable(kind: FieldType, text: str, value: str) -> str:
    missing = f"{value} is null and {text} is not null"
    if kind is FieldType.INTEGER:
        # A cast of '12.5' would round; the slower comparison only where there is more than digits.
        # Nor are 0x10 and 1_000 numbers that a person would write.
        odd = f"try_cast({text} as double) != {value} or regexp_matches({text}, '[_xXbB]')"
        doubtful = f"({missing}) or (ltrim({text}, '-0123456789') != '' and ({odd}))"
        return f"case when {text} = {value}::varchar then false else {doubtful} end"
    if kind in CALENDAR:
        first, last = (f"{SQL_TYPES[kind]} {literal(bound)}" for bound in CALENDAR[kind])
        outside = f"{value} not between {first} and {last}"
        if kind is FieldType.DATE:  # a word of the engine's that no sender means
            outside += f" or ({value} = date '1970-01-01' and lower(trim({text})) = 'epoch')"
        return f"({missing}) or {outside}"
    if kind is FieldType.BOOLEAN:
        return missing
    endless = f" or not isfinite({value})" if kind is FieldType.NUMBER else ""
    return f"({missing}) or contains({text}, '_'){endless}"


def _raw_columns(record: Record, mapping: FeedRecord, joins: dict[str, Join]) -> dict[str, str]:
    """Of every column that holds a field, added ones too, its expression over typed columns."""
    return {
        column: _value(column, name, field, joins) if name in mapping.fields else f"null::{kind}"
        for name, field in record.fields.items()
        for column, kind in field.columns(name).items()
    }


def _extra(record: Record, values: dict[str, str]) -> str:
    """A custom template's own fields as one JSON object; null for a plain template."""
    added = record.added_columns()
    if not added:
        return "null::varchar"
    pairs = ", ".join(f"{column} := {values[column]}" for column in added)
    return f"cast(to_json(struct_pack({pairs})) as varchar)"


def _value(column: str, name: str, field: TemplateField, joins: dict[str, Join]) -> str:
    text, value = f"f_{name}", f"v_{name}"
    if field.treatment is Treatment.GENERALISE:
        if field.type is FieldType.DATE:
            return f"(year({value}) // 10 * 10)::integer"
        clean = f"coalesce(j_{name}.clean, {text})" if name in joins else text
        return rf"regexp_extract({clean}, '^[^\s,\-]+')"
    if field.treatment in {Treatment.TOKEN, Treatment.MASK}:
        return f"j_{name}.masked" if column.endswith("_masked") else f"j_{name}.token"
    if SQL_TYPES[field.type] != "varchar":
        return value
    return f"coalesce(j_{name}.clean, {text})" if name in joins else text


def _key(job: Job, name: str) -> str:
    record = job.template.records[name]
    parts = []
    for field in record.key:
        column, kind = next(iter(record.fields[field].columns(field).items()))
        parts.append(f"coalesce({_as_text(column, kind)}, chr(30))")
    fixed = f"{literal(job.template.table(name))}, {literal(job.feed.sender)}"
    return f"(md5_number_lower(concat_ws(chr(31), {fixed}, {', '.join(parts)})) >> 1)::bigint"


def _as_text(column: str, kind: str) -> str:
    if kind == "varchar":
        return column
    if kind == "timestamptz":  # in UTC whatever the session's zone
        return f"cast(make_timestamp(epoch_us({column})) as varchar) || '+00'"
    return f"cast({column} as varchar)"


def _content(record: Record) -> str:
    # The engine's own hash: an md5 over all columns as text would cost as much as reading them.
    extra = ", _extra" if record.added else ""
    return f"(hash({_names(record)}{extra}) >> 1)::bigint"
