"""Finding payment card numbers, also in running text and in any script's digits.

Belongs here: what is a card number, masking, card secrets (verification value, track). Does not:
which fields are searched. Luhn: ISO/IEC 7812-1 annex B; prefixes: the schemes' public ranges,
and the prefixes of Iranian banks on Shetab.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

# A digit, then at least 12 more with at most three signs that are no letters between two.
CANDIDATE = r"\p{Nd}(?:[^\p{L}\p{Nd}]{0,3}\p{Nd}){12,}"
SECRET = r"(?i)\bc(?:vv|vc|sc|v2)2?\b\P{Nd}{0,4}\p{Nd}{3,4}|%b?\p{Nd}{12,19}\^|;\p{Nd}{12,19}="  # noqa: S105
# For the database's prefilter: either of them.
SUSPICIOUS = f"{CANDIDATE}|{SECRET}"

_RUN = re.compile(r"\d(?:[\W_]{0,3}\d){12,}")
_VERIFICATION = re.compile(r"(?i)\b(c(?:vv|vc|sc|v2)2?\b\D{0,4})(\d{3,4})(?!\d)")
_TRACK = re.compile(r"%?[Bb]?\d{12,19}\^[^?\n]*\??|;\d{12,19}=[^?\n]*\??")
_GROUP = re.compile(r"\d+")
SHORTEST, LONGEST = 13, 19

# Columns whose content may not be stored at all, not even encrypted (PCI DSS 3.3).
SECRET_COLUMN = re.compile(
    r"(?i)(?:^|[^a-z])(?:cvv2?|cvc2?|csc|cid|card_?verification\w*|track_?[123]?(?:_?data)?|pin|pin_?block)"
    r"(?:$|[^a-z])"
)


def ascii_digits(text: str) -> str:
    """The text with every script's digits as 0–9; one character stays one character."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(sign)) if unicodedata.decimal(sign, None) is not None else sign
        for sign in text
    )


def passes_luhn(digits: str) -> bool:
    """Whether the check digit is right."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def has_issuer(digits: str) -> bool:
    """Whether a scheme or bank issues numbers of this prefix and length."""
    length = len(digits)
    for low, high, lengths in ISSUERS:
        if length in lengths and low <= digits[: len(low)] <= high:
            return True
    return length == 16 and int(digits[:6]) in IRANIAN


SIXTEEN_UP = range(16, 20)
# First and last prefix, lengths.
ISSUERS: tuple[tuple[str, str, Container[int]], ...] = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("6011", "6011", SIXTEEN_UP),  # Discover
    ("644", "659", SIXTEEN_UP),
    ("3528", "3589", SIXTEEN_UP),  # JCB
    ("62", "62", SIXTEEN_UP),  # UnionPay
    ("2200", "2204", SIXTEEN_UP),  # Mir
)
IRANIAN = frozenset({
    502229, 502806, 502908, 502910, 502937, 502938, 504172, 504706, 505416, 505785, 505801,
    505809, 585947, 585949, 585983, 589210, 589463, 603769, 603770, 603799, 606256, 606373,
    610433, 621986, 627353, 627381, 627412, 627488, 627648, 627760, 627884, 627961, 628023,
    628157, 636214, 636795, 636949, 639194, 639217, 639346, 639347, 639370, 639599, 639607,
    991975,
})  # fmt: skip


def is_card_number(digits: str) -> bool:
    """Luhn and a known issuer; nine of ten random numbers fail each."""
    return SHORTEST <= len(digits) <= LONGEST and has_issuer(digits) and passes_luhn(digits)


def mask_digits(digits: str) -> str:
    """First six and last four; of a number too short for a card, the last four or nothing."""
    hidden = len(digits) - 10
    if hidden > 0:
        return f"{digits[:6]}{'*' * hidden}{digits[-4:]}"
    return "*" * (len(digits) - 4) + digits[-4:] if len(digits) >= 8 else "*" * len(digits)


def mask_text(text: str) -> tuple[str, int, bool]:
    """The text without card numbers and card secrets; numbers found; whether secrets were.

    Separators between the digits stay where they were.
    """
    plain = ascii_digits(text)
    signs = list(text)
    has_secret = False
    for match in _TRACK.finditer(plain):
        has_secret = True
        signs[match.start() : match.end()] = "*" * (match.end() - match.start())
    for match in _VERIFICATION.finditer(plain):
        has_secret = True
        signs[match.start(2) : match.end(2)] = "*" * len(match[2])
    found = 0
    rest = ascii_digits("".join(signs))
    for run in _RUN.finditer(rest):
        for start, end in _cards_in(rest, run.start(), run.end()):
            found += 1
            places = [i for i in range(start, end) if rest[i].isdigit()]
            for place in places[6:-4]:
                signs[place] = "*"
    return "".join(signs), found, has_secret


def _cards_in(plain: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of card numbers that begin and end at the border of a group of digits."""
    groups = [match.span() for match in _GROUP.finditer(plain, start, end)]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(groups):
        taken = _card_from(plain, groups, first)
        if taken is None:
            first += 1
            continue
        found.append((groups[first][0], groups[taken][1]))
        first = taken + 1
    return found


def _card_from(plain: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits = ""
    for last in range(first, len(groups)):
        digits += plain[slice(*groups[last])]
        if len(digits) > LONGEST:
            return None
        if is_card_number(digits):
            return last
    return None
