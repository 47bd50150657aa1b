"""What a column holds, from all of its values: type, spelling, class, and what to do with it.

Belongs here: one column at a time, and the marks and date order that all columns share. Does
not: keys (``natural_keys``), templates (``matching``). What is not clear is left as text and asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dagster_project.core.declarations import FieldType
from dagster_project.core.feeds.cards import SECRET_COLUMN, ascii_digits
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.proposing.kinds import Day, Kind, Number, day_of, kind_of, number_of
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.words import is_identifying, plain_name

TYPED_SHARE = 0.98  # the others are rejected, each with its line
NEARLY_SHARE = 0.8
NUMERIC = (Kind.INTEGER, Kind.DECIMAL)
MIN_TYPED = 50  # below so many values every one must be of the type
MANY_DAYS = 3  # spellings of one column that are still one way to write
MISSING_WORDS = frozenset({"null", "na", "n/a", "nan", "none", "-", "--", "#n/a", "nil", "\\n"})
LONG_TEXT = 40  # signs on average: prose, not a code
FEW_VALUES = 40  # a list of categories, not of people
UNIX_SECONDS = range(946_684_800, 2_208_988_800)  # 2000 to 2040
JALALI_YEARS = "a year of the Solar Hijri calendar"


@dataclass(frozen=True)
class Spelling:
    """How numbers and days are written in all columns together."""

    decimal_mark: str = "."
    thousands_mark: str | None = None
    is_day_first: bool | None = None  # nothing decides where it is None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Values:
    """The values of one column, counted."""

    name: str
    counts: Counter[str] = field(repr=False)
    total: int  # rows, blank ones too

    @property
    def filled(self) -> int:
        return sum(self.counts.values())

    def kinds(self) -> Counter[Kind]:
        """Rows of each kind; blank ones left out."""
        found: Counter[Kind] = Counter()
        for value, count in self.counts.items():
            found[kind_of(value)] += count
        return found


@dataclass(frozen=True)
class Column:
    """A column as proposed."""

    name: str
    type: FieldType
    expression: str  # SQL over the sender's columns; the bare name where that reads the value
    date_formats: tuple[str, ...] = ()
    open_formats: tuple[str, ...] = ()  # day first, of days whose order nothing decides
    classification: str = "internal"
    treatment: str = "keep"
    token_domain: str | None = None
    is_left_out: bool = False
    is_identifier: bool = False
    notes: tuple[Note, ...] = ()
    values: Values | None = None


def values_of(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Values]:
    """The columns of rows, counted; blank cells are no values."""
    counts: list[Counter[str]] = [Counter() for _ in names]
    total = 0
    for row in rows:
        total += 1
        for place, cell in enumerate(row):
            if cell.strip():
                counts[place][cell] += 1
    return [Values(name, counts[place], total) for place, name in enumerate(names)]


def find_spelling(columns: Sequence[Values]) -> Spelling:
    """Marks and date order that the values of all columns prove; open where nothing does."""
    decimal, thousands, marks_note = _marks(columns)
    order, order_note = _order(columns)
    notes = tuple(note for note in (marks_note, order_note) if note)
    return Spelling(decimal, thousands, order, notes)


def _marks(columns: Sequence[Values]) -> tuple[str, str | None, Note | None]:
    votes: Counter[tuple[str, str]] = Counter()  # decimal, thousands
    example: dict[tuple[str, str], str] = {}
    unsure = ""
    for column in columns:
        for value in column.counts:
            if kind_of(value) is not Kind.DECIMAL or (number := number_of(value)) is None:
                continue
            pair = _pair(number.marks, number.after_last, number.groups_fit, value)
            if pair is None:
                unsure = unsure or value
                continue
            votes[pair] += 1
            example.setdefault(pair, value)
    decimals = Counter[str]()
    for (mark, _), count in votes.items():
        if mark:
            decimals[mark] += count
    if not decimals:
        if unsure and "," in unsure:
            told = (
                f"{unsure!r} may be a thousand and more, or one and a fraction: taken as thousands"
            )
            return ".", ",", Note("decimal_mark", told, is_open=True)
        return ".", None, None
    decimal = decimals.most_common(1)[0][0]
    groups = Counter(
        {group: count for (mark, group), count in votes.items() if group and mark in {"", decimal}}
    )
    groups.pop(decimal, None)
    thousands = groups.most_common(1)[0][0] if groups else None
    if thousands is None and unsure and decimal not in unsure and "," in unsure:
        thousands = ","
    if decimal == "." and thousands is None:
        return ".", None, None
    seen = ", ".join(repr(text) for text in list(example.values())[:2])
    return decimal, thousands, Note("decimal_mark", f"as in {seen}", is_open=len(decimals) > 1)


def _pair(marks: str, after: int, groups_fit: bool, value: str) -> tuple[str, str] | None:
    """Decimal and thousands mark that one number proves; nothing when it may be read two ways."""
    if len(marks) == 2:
        return (marks[1], marks[0])
    mark = marks[:1]
    count = value.count(mark)
    if count > 1:
        return ("", mark) if groups_fit and after == 3 else None
    if mark in "'’٬   \u00a0\u202f":
        return ("", " " if mark.isspace() else mark) if after == 3 else None
    if after == 3 and groups_fit and not value.lstrip("-+$€£¥").startswith("0"):
        return None if mark == "," else (".", "")
    return (mark, "")


def _order(columns: Sequence[Values]) -> tuple[bool | None, Note | None]:
    """Whether the day stands first, by a number above twelve anywhere."""
    first = second = open_days = 0
    proof, column_name = "", ""
    for column in columns:
        for value in column.counts:
            day = _day(value)
            if day is None or "{dm}" not in day.form:
                continue
            open_days += 1
            if day.first > 12 >= day.second:
                first += 1
            elif day.second > 12 >= day.first:
                second += 1
            else:
                column_name = column_name or column.name
                continue
            proof, column_name = value, column.name
    if not open_days:
        return None, None
    if first and not second:
        return True, Note("date_formats", f"day first: {proof!r} in {column_name}")
    if second and not first:
        return False, Note("date_formats", f"month first: {proof!r} in {column_name}")
    if first and second:
        told = f"both orders stand in the samples ({first} days first, {second} months first)"
    else:
        told = f"no day above 12 in {column_name}: day-first or month-first cannot be told"
    return None, Note("date_formats", told, is_open=True)


def _day(value: str) -> Day | None:
    if kind_of(value) not in {Kind.DATE, Kind.TIMESTAMP}:
        return None
    return day_of(ascii_digits(value.strip()))


def propose_column(values: Values, spelling: Spelling) -> Column:
    """A column's type, class and treatment."""
    if SECRET_COLUMN.search(values.name) or SECRET_COLUMN.search(plain_name(values.name)):
        told = "card verification value, track or PIN by its name: never loaded, not even declared"
        return Column(
            values.name, FieldType.TEXT, values.name, is_left_out=True,
            notes=(Note(values.name, told, is_open=True),), values=values,
        )  # fmt: skip
    from dagster_project.core.proposing.classes import classed

    return classed(_typed(values, spelling))


def _typed(values: Values, spelling: Spelling) -> Column:  # noqa: PLR0911 - one a type
    """The column's type by the kinds of its values."""
    kinds = values.kinds()
    missing = sum(n for value, n in values.counts.items() if value.strip().lower() in MISSING_WORDS)
    filled = values.filled - missing

    def holds(*wanted: Kind) -> bool:
        count = sum(kinds[kind] for kind in wanted)
        enough = TYPED_SHARE * filled if filled >= MIN_TYPED else filled
        return filled > 0 and count >= enough

    if not filled:
        note = Note(values.name, "no value in the samples", is_open=True)
        return _text(values, (note,))
    if holds(Kind.INTEGER, Kind.DECIMAL, Kind.CODE) and is_identifying(values.name):
        return _identifier(values)
    if holds(Kind.INTEGER, Kind.DECIMAL):
        return _number(values, spelling, kinds)
    if holds(Kind.DATE) or holds(Kind.TIMESTAMP) or holds(Kind.DATE, Kind.TIMESTAMP):
        return _dated(values, spelling, is_moment=kinds[Kind.TIMESTAMP] > 0)
    if holds(Kind.BOOLEAN):
        return Column(values.name, FieldType.BOOLEAN, values.name, values=values)
    if holds(Kind.CODE, Kind.INTEGER):
        return _identifier(values)
    return _text(values, _nearly(values, kinds))


def _nearly(values: Values, kinds: Counter[Kind]) -> tuple[Note, ...]:
    """Said of a column that a few values keep from being one of numbers or days."""
    for told, wanted in (("numbers", NUMERIC), ("days", (Kind.DATE, Kind.TIMESTAMP))):
        count = sum(kinds[kind] for kind in wanted)
        if count >= NEARLY_SHARE * values.filled:
            evidence = f"{count} of {values.filled} values are {told}: stays text for the others"
            return (Note(values.name, evidence, is_open=True),)
    return ()


def _text(values: Values, notes: tuple[Note, ...] = ()) -> Column:
    expression = text_expression(values)
    if expression != values.name:
        notes = (*notes, Note(values.name, "tabs around values are taken off"))
    return Column(values.name, FieldType.TEXT, expression, notes=notes, values=values)


def text_expression(values: Values | None) -> str:
    """The column's text; tabs around it, which keep spreadsheets from reading it, taken off."""
    if values is None:
        return ""
    has_tabs = any("\t" in (value[0], value[-1]) for value in values.counts)
    return f"trim({identifier(values.name)}, chr(9) || ' ')" if has_tabs else values.name


def _identifier(values: Values) -> Column:
    """Digits that identify stay text; what a spreadsheet made of them is undone."""
    samples = list(values.counts)
    floats = [value for value in samples if value.strip().endswith(".0")]
    expression, told = text_expression(values), "identifies, so it stays text"
    if floats and len(floats) >= 0.9 * len(samples):
        expression = f"regexp_replace({identifier(values.name)}, '[.]0\\s*$', '')"
        told = f"an identifier written as a float ({floats[0]!r}): text without the .0"
    elif any(kind_of(value) is Kind.CODE for value in samples):
        told = "leading zeros or more digits than a number holds: stays text"
    note = Note(values.name, told)
    return Column(
        values.name, FieldType.TEXT, expression, notes=(note,), values=values, is_identifier=True
    )


def _number(values: Values, spelling: Spelling, kinds: Counter[Kind]) -> Column:
    numbers = {v: n for v in values.counts if (n := number_of(v.strip())) is not None}
    floats = [value for value in numbers if value.endswith(".0")]
    long = max((n.digits for n in numbers.values()), default=0)
    if floats and len(floats) == len(numbers) and values.filled < values.total and long > 4:
        return _identifier(values)  # whole numbers beside blanks, as a data frame writes them
    if long > 18:
        return _identifier(values)
    decimals = max((_decimals(v, n, spelling) for v, n in numbers.items()), default=0)
    if any(_is_other_mark(v, n, spelling) for v, n in numbers.items()):
        note = Note(values.name, "numbers with other marks than the other columns", is_open=True)
        return _text(values, (note,))
    is_plain = spelling.decimal_mark == "." and spelling.thousands_mark is None
    needs_reading = is_plain and not all(n.is_bare for n in numbers.values())
    expression = f"amount({identifier(values.name)})" if needs_reading else values.name
    name = plain_name(values.name)
    kind = FieldType.NUMBER
    if (decimals == 0 and not kinds[Kind.DECIMAL]) or (decimals == 0 and long <= 18):
        kind = FieldType.INTEGER
    elif decimals <= 4:
        kind = FieldType.MONEY
    elif decimals <= 8 and long <= 17:
        kind = FieldType.RATE
    elif long > 15:
        note = Note(values.name, "more digits than a number keeps exactly: stays text", True)
        return _text(values, (note,))
    if kind is FieldType.INTEGER and (found := _unix(values, name)) is not None:
        return found
    return Column(values.name, kind, expression, values=values, notes=_strays(values, numbers))


def _strays(values: Values, readable: Mapping[str, object]) -> tuple[Note, ...]:
    """Values that are none of the column's type and would be rejected."""
    strays = [
        v for v in values.counts if v not in readable and v.strip().lower() not in MISSING_WORDS
    ]
    if not strays:
        return ()
    count = sum(values.counts[value] for value in strays)
    told = f"{count} of {values.filled} values are not of this type and would be rejected"
    return (Note(values.name, told, is_open=True),)


def _decimals(value: str, number: Number, spelling: Spelling) -> int:
    """Digits behind the decimal mark; of an exponent nobody can tell."""
    if "e" in value.lower():
        return 99
    has_mark = number.marks.endswith(spelling.decimal_mark)
    return number.after_last if number.marks and has_mark else 0


def _is_other_mark(value: str, number: Number, spelling: Spelling) -> bool:
    known = {spelling.decimal_mark, spelling.thousands_mark or ""}
    if " " in known:
        known |= {"\u00a0", "\u202f"}
    return "e" not in value.lower() and any(mark not in known for mark in number.marks)


def _unix(values: Values, name: str) -> Column | None:
    """Seconds or milliseconds since 1970, where the name speaks of time."""
    if not any(word in name.split() for word in ("time", "timestamp", "ts", "at", "date", "epoch")):
        return None
    numbers = [int(value) for value in values.counts if value.strip().isdigit()]
    if len(numbers) != len(values.counts):
        return None
    for factor, unit in ((1, "seconds"), (1000, "milliseconds")):
        if all(number // factor in UNIX_SECONDS for number in numbers):
            column = identifier(values.name)
            moment = f"to_timestamp(try_cast({column} as double) / {factor})"
            text = f"coalesce(cast({moment} as varchar), {column})"
            note = Note(values.name, f"{unit} since 1970")
            return Column(values.name, FieldType.TIMESTAMP, text, notes=(note,), values=values)
    return None


def _dated(values: Values, spelling: Spelling, *, is_moment: bool) -> Column:
    days = {value: day for value in values.counts if (day := _day(value)) is not None}
    if any(day.is_solar_hijri for day in days.values()):
        told = f"{JALALI_YEARS}: stays text until somebody says how to convert it"
        return _text(values, (Note(values.name, told, is_open=True),))
    forms = Counter(day.form for day in days.values())
    if any("{dm}" in form for form in forms) and spelling.is_day_first is None:
        told = (
            "day-first or month-first cannot be told from the samples: stays text; once decided, "
            "give dialect.date_formats (or timestamp_formats) and the type date (or timestamp)"
        )
        text = _text(values, (Note(values.name, told, is_open=True),))
        return replace(text, open_formats=tuple(_format(f, day_first=True) for f in forms))
    if len(forms) > MANY_DAYS:
        note = Note(values.name, f"days in {len(forms)} spellings: stays text", is_open=True)
        return _text(values, (note,))
    day_first = bool(spelling.is_day_first)
    formats = tuple(_format(form, day_first=day_first) for form, _ in forms.most_common())
    if formats == ("%Y%m%d",) and not _is_day_column(values.name):
        return _identifier(values)
    kind = FieldType.TIMESTAMP if is_moment else FieldType.DATE
    custom = () if formats == ("",) else tuple(f or _iso(is_moment, days) for f in formats)
    expression = text_expression(values)
    if expression != values.name:
        expression = f"{'moment' if is_moment else 'day'}({expression})"
    return Column(values.name, kind, expression, custom, values=values, notes=_strays(values, days))


def _is_day_column(name: str) -> bool:
    words = plain_name(name)
    return any(word in words for word in ("date", "day", "time", "日期", "تاریخ", "dt"))


def _format(form: str, *, day_first: bool) -> str:
    if "{dm}" not in form:
        return form
    mark = form[4]
    return form.replace("{dm}", f"%d{mark}%m" if day_first else f"%m{mark}%d")


def _iso(is_moment: bool, days: dict[str, Day]) -> str:
    """The ISO spelling among others, for a list of formats that must name it too."""
    sample = next(value for value, day in days.items() if not day.form)
    mark = sample.strip()[4]
    day = f"%Y{mark}%m{mark}%d"
    if not is_moment or len(sample) <= 10:
        return day
    seconds = ":%S" if sample.count(":") > 1 else ""
    return f"{day}{sample.strip()[10]}%H:%M{seconds}"
