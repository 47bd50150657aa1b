"""What a single value looks like: number, day, moment, e-mail, card … by its spelling alone.

Belongs here: one text, one kind. Does not: columns (``columns``), what names mean (``words``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from dagster_project.core.feeds.cards import ascii_digits, is_card_number


class Kind(StrEnum):
    """The kinds that values are told apart by."""

    BLANK = "blank"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    BOOLEAN = "boolean"
    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    MASKED_CARD = "masked_card"
    URL = "url"
    CODE = "code"  # digits that are no number: leading zeros, too long
    TEXT = "text"


@dataclass(frozen=True)
class Number:
    """A number's spelling: which marks it uses, and what stands around it."""

    marks: str  # marks in order, each once: "", ".", ",", ",.", " ,"
    after_last: int  # digits behind the last mark
    groups_fit: bool  # every group between marks has three digits
    is_bare: bool  # a cast reads it: ASCII, nothing around
    digits: int


@dataclass(frozen=True)
class Day:
    """A day's spelling as a strptime format; day and month stay open where the text leaves them."""

    form: str  # ISO forms are empty; ``{dm}`` stands for %d/%m or %m/%d with its separator
    has_time: bool
    first: int = 0  # of the two numbers whose order is open
    second: int = 0
    is_solar_hijri: bool = False


_NUMBER = re.compile(r"^[-+]?\(?[-+]?(\d+(?:[.,'’٬٫  \u00a0\u202f]\d+)*|\.\d+|\d+\.)\)?-?$")
_EXPONENT = re.compile(r"^[-+]?\d+(\.\d+)?[eE][-+]?\d+$")
_MARK = re.compile(r"\D")
_EMAIL = re.compile(r"^[^\s@,;]+@[^\s@,;]+\.[A-Za-z]{2,}$")
_URL = re.compile(r"^(?:https?://|www\.)\S+$", re.IGNORECASE)
_PHONE = re.compile(r"^(?:\+|00)\d{1,3}[\s().\-]*\d[\d\s().\-]{6,16}$")
_MOBILE = re.compile(r"^(?:1[3-9]\d{9}|0?9\d{9}|07\d{9})$")
_NATIONAL = re.compile(r"^\(?\d{2,4}\)?[\s.\-]\d{3,4}[\s.\-]?\d{4}$")
_MASKED = re.compile(r"^\d{0,6}[*xX•#]{4,}\d{4}$")
_TIME = re.compile(r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?[AaPp][Mm])?$")
_CLOCK = (
    r"(?:(?P<t>[T ]|\s+)(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?P<f>[.,]\d+)?)?"
    r"(?P<ap>\s?[AaPp][Mm])?\s?(?P<z>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_ISO = re.compile(r"^(?P<y>\d{4})(?P<x>[-/.])(?P<m>\d{1,2})(?P=x)(?P<d>\d{1,2})" + _CLOCK)
_OPEN = re.compile(r"^(?P<a>\d{1,2})(?P<x>[-/.])(?P<b>\d{1,2})(?P=x)(?P<y>\d{4}|\d{2})" + _CLOCK)
_NAMED = re.compile(
    r"^(?P<d>\d{1,2})(?P<x>[-/. ])(?P<m>[A-Za-z]{3,9})(?P=x)(?P<y>\d{4}|\d{2})" + _CLOCK
)
_US_NAMED = re.compile(r"^(?P<m>[A-Za-z]{3,9}) (?P<d>\d{1,2})(?P<x>,?) (?P<y>\d{4})" + _CLOCK)
_ZH = re.compile(r"^(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日" + _CLOCK)
_COMPACT = re.compile(r"^(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])$")
MONTHS = {
    name[:length]: name
    for name in (
        "january", "february", "march", "april", "may", "june", "july", "august", "september",
        "october", "november", "december",
    )
    for length in (3, len(name))
}  # fmt: skip


@lru_cache(maxsize=200_000)
def kind_of(text: str) -> Kind:  # noqa: PLR0911 - one line a kind
    """The kind of one cell's text."""
    value = ascii_digits(text.strip())
    if not value:
        return Kind.BLANK
    if value.lower() in {"true", "false"}:
        return Kind.BOOLEAN
    if not any(sign.isdigit() for sign in value):
        return Kind.EMAIL if _EMAIL.match(value) else _wordy(value)
    bare = re.sub(r"[\s\-.]", "", value)
    if bare.isdigit() and is_card_number(bare) and _grouped(value):
        return Kind.CARD
    if _MASKED.match(bare):
        return Kind.MASKED_CARD
    if (day := day_of(value)) is not None:
        return Kind.TIMESTAMP if day.has_time else Kind.DATE
    if _TIME.match(value):
        return Kind.TIME
    if value.isdigit() and (len(value) > 18 or (len(value) > 1 and value[0] == "0")):
        return Kind.PHONE if _MOBILE.match(value) else Kind.CODE
    if _PHONE.match(value):
        return Kind.PHONE
    if (number := number_of(value)) is not None:
        return Kind.DECIMAL if number.marks else Kind.INTEGER
    if _NATIONAL.match(value):
        return Kind.PHONE
    return Kind.EMAIL if _EMAIL.match(value) else _wordy(value)


def _grouped(value: str) -> bool:
    """Whether digits stand as a card prints them: together, or in groups of four and six."""
    groups = re.split(r"[\s\-.]", value)
    return len(groups) == 1 or all(4 <= len(group) <= 6 for group in groups[:-1])


def _wordy(value: str) -> Kind:
    return Kind.URL if _URL.match(value) else Kind.TEXT


def is_mobile(text: str) -> bool:
    """Whether digits alone have the form of a mobile number of a country we know."""
    return _MOBILE.match(ascii_digits(text.strip())) is not None


def number_of(text: str) -> Number | None:
    """The spelling of a number; nothing when the text is none."""
    if _EXPONENT.match(text):
        return Number(".", 0, groups_fit=False, is_bare=True, digits=16)
    value = ascii_digits(text.strip()).replace("−", "-")
    value = re.sub(
        r"^([-+(]*)\s*(?:USD|EUR|GBP|CNY|RMB|IRR)\s*|\s*(?:USD|EUR|GBP|CNY|RMB|IRR)$", r"\1", value
    )
    core = re.sub(r"^([-+(]*)[$¥￥€£₽﷼`']+|[$¥￥€£₽﷼元`']+$", r"\1", value).strip()
    found = _NUMBER.match(core)
    if found is None:
        return None
    body = found[1]
    marks = "".join(dict.fromkeys(_MARK.findall(body)))
    pieces = _MARK.split(body)
    inner = pieces[1:-1] if len(pieces) > 2 else []
    last = len(pieces[-1]) if marks else 0
    fits = len(pieces[0]) <= 3 and all(len(piece) == 3 for piece in inner)
    is_bare = re.fullmatch(r"-?\d*\.?\d*", text) is not None
    return Number(marks, last, fits, is_bare, sum(map(len, pieces)))


def day_of(value: str) -> Day | None:
    """The spelling of a day, with or without a time; nothing when the text is none."""
    if (found := _ISO.match(value)) is not None:
        return _year_first(found)
    if (found := _OPEN.match(value)) is not None:
        return _order_open(found)
    for pattern in (_NAMED, _US_NAMED):
        if (found := pattern.match(value)) is not None:
            return _month_named(found, pattern is _US_NAMED)
    if (found := _ZH.match(value)) is not None and _is_day(int(found["m"]), int(found["d"])):
        return Day("%Y年%m月%d日" + _clock(found), found["h"] is not None)
    if (found := _COMPACT.match(value)) is not None:
        return Day("%Y%m%d", has_time=False)
    return None


def _year_first(found: re.Match[str]) -> Day | None:
    year, clock = int(found["y"]), _clock(found)
    if not _is_day(int(found["m"]), int(found["d"])) or not 1200 <= year <= 2200:
        return None
    mark = found["x"]
    # A cast reads dashes and slashes, with a clock of 24 hours and with an offset.
    is_cast = mark != "." and not found["ap"] and found["z"] != "UTC"
    form = "" if is_cast else f"%Y{mark}%m{mark}%d{clock}"
    return Day(form, found["h"] is not None, is_solar_hijri=year < 1500)


def _order_open(found: re.Match[str]) -> Day | None:
    first, second = int(found["a"]), int(found["b"])
    if not (_is_day(second, first) or _is_day(first, second)):
        return None
    year = "%Y" if len(found["y"]) == 4 else "%y"
    if year == "%Y" and not 1200 <= int(found["y"]) <= 2200:
        return None
    form = f"{{dm}}{found['x']}{year}{_clock(found)}"
    return Day(form, found["h"] is not None, first, second)


def _month_named(found: re.Match[str], is_american: bool) -> Day | None:
    month = found["m"].lower()
    if month not in MONTHS or not 1 <= int(found["d"]) <= 31:
        return None
    name = "%b" if len(month) == 3 else "%B"
    year = "%Y" if len(found["y"]) == 4 else "%y"
    mark = found["x"]
    form = f"{name} %d{mark} {year}" if is_american else f"%d{mark}{name}{mark}{year}"
    return Day(form + _clock(found), found["h"] is not None)


def _clock(found: re.Match[str]) -> str:
    if found["h"] is None:
        return ""
    hour = "%I" if found["ap"] else "%H"
    seconds = ":%S" if found["s"] else ""
    fraction = f"{found['f'][0]}%f" if found["f"] else ""
    half = (" %p" if found["ap"].startswith(" ") else "%p") if found["ap"] else ""
    zone = "%z" if found["z"] else ""
    return f"{found['t']}{hour}:%M{seconds}{fraction}{half}{zone}"


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31
