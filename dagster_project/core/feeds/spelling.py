"""How a sender spells numbers, days and times, as SQL functions of the loader's connection.

Belongs here: ``amount``, ``day``, ``moment`` by the feed's dialect, ``all_of`` for XML lists. Does
not: deciding the dialect. A text that is not spelled as declared stays unreadable, so that the
record is rejected with its reason; nothing is guessed.
"""

from __future__ import annotations

from dagster_project.core.declarations import Dialect, FieldType
from dagster_project.core.feeds.sql import ASCII_DIGITS, FOREIGN_DIGITS, literal

NUMBERS = frozenset(
    {FieldType.INTEGER, FieldType.MONEY, FieldType.QUANTITY, FieldType.RATE, FieldType.NUMBER}
)
# Before text that is not spelled as declared: no cast reads it.
UNREADABLE = "unreadable: "
# Signs around an amount that say nothing of its size; back-ticks and apostrophes are put before
# values so that spreadsheets leave them alone.
AROUND = "(?:[\\s\\x{a0}`'¥￥$€£₽﷼]|CN¥|RMB|元)+"
FOREIGN_SIGNS, ASCII_SIGNS = "．，－＋（）−", ".,-+()-"  # full width, and the sign for minus


def as_spelled(column: str, kind: FieldType, dialect: Dialect) -> str:
    """A column that is mapped as it is, read as the dialect says; most need no reading."""
    is_plain = dialect.decimal_mark == "." and dialect.thousands_mark is None
    if kind in NUMBERS and not is_plain:
        return f"amount({column})"
    if kind is FieldType.DATE and dialect.date_formats:
        return f"day({column})"
    if kind is FieldType.TIMESTAMP and dialect.timestamp_formats:
        return f"moment({column})"
    return column


def macros(dialect: Dialect) -> list[str]:
    """Statements that make the functions mappings may call."""
    return [
        f"create or replace temp macro amount(t) as {_amount(dialect)}",
        f"create or replace temp macro day(t) as {_by_formats('date', dialect.date_formats)}",
        "create or replace temp macro moment(t) as "
        f"{_by_formats('timestamp', dialect.timestamp_formats)}",
        # Every value of a repeated element, in the order it stands in the document.
        "create or replace temp macro all_of(o, path) as "
        "list_transform(list_filter(json_keys(o), "
        "lambda k: regexp_replace(k, '#[0-9]+', '', 'g') = path), lambda k: o ->> k)",
    ]


def _amount(dialect: Dialect) -> str:
    """ASCII digits, no signs around, ``(1.5)`` and ``1.5-`` as negative, marks by the dialect."""
    ascii_text = (
        f"translate(cast(t as varchar), {literal(FOREIGN_DIGITS + FOREIGN_SIGNS)}, "
        f"{literal(ASCII_DIGITS + ASCII_SIGNS)})"
    )
    outside = f"regexp_replace({ascii_text}, {literal(f'^{AROUND}|{AROUND}$')}, '', 'g')"
    bare = f"regexp_replace({outside}, {literal(f'^([-+(]){AROUND}')}, '\\1')"
    signed = (
        f"regexp_replace(regexp_replace({bare}, '^\\((.*)\\)$', '-\\1'), '^([^-].*)-$', '-\\1')"
    )
    decimal = _in_class(dialect.decimal_mark)
    fraction = f"({decimal}\\d*)?([eE][-+]?\\d+)?$"
    if dialect.thousands_mark is None:
        pattern, plain = f"^[-+]?\\d*{fraction}", "n"
    else:
        mark = _in_class(dialect.thousands_mark)
        # Groups of three, or the lakh's two before the last three.
        pattern = f"^[-+]?(\\d*|\\d{{1,3}}({mark}\\d{{2,3}})*{mark}\\d{{3}}){fraction}"
        plain = f"replace(n, {literal(dialect.thousands_mark)}, '')"
    point = f"replace({plain}, {literal(dialect.decimal_mark)}, '.')"
    judged = (
        f"case when n = '' then null when regexp_full_match(n, {literal(pattern)}) "
        f"then {point} else {literal(UNREADABLE)} || n end"
    )
    return f"list_transform([{signed}], lambda n: {judged})[1]"


def _in_class(mark: str) -> str:
    """A mark as a regular expression; a space also stands for the narrow and the fixed one."""
    return "[ \\x{a0}\\x{202f}]" if mark == " " else f"[{mark}]"


def _by_formats(kind: str, formats: tuple[str, ...]) -> str:
    """The text in ISO 8601, read by the first format that fits."""
    text = (
        f"trim(translate(cast(t as varchar), {literal(FOREIGN_DIGITS)}, {literal(ASCII_DIGITS)}))"
    )
    if not formats:
        return text
    cast = "::date" if kind == "date" else ""
    # A year of two digits fits %Y, as one of the first century: it is not spelled as declared.
    read = [
        f"cast(list_filter([try_strptime({text}, {literal(one)})], "
        f"lambda d: year(d) >= 1000)[1]{cast} as varchar)"
        for one in formats
    ]
    return (
        f"case when {text} = '' then null else "
        f"coalesce({', '.join(read)}, {literal(UNREADABLE)} || {text}) end"
    )
