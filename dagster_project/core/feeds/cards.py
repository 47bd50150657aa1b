"""Finding payment card numbers, also in running text and in any script's digits.

Belongs here: what is a card number, masking, card secrets (verification value, track). Does not:
which fields are searched. In running text whatever may be a card number is masked; in a code, an
identifier or a name only what stands there as a whole and is written as cards are.

Luhn: ISO/IEC 7812-1 annex B; prefixes: the schemes' public ranges, and the prefixes of Iranian
banks on Shetab.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

# Every card number is a digit (also ② or ²) and at least 12 signs after it that are no letters.
# More is left to Python: a pattern with separators costs the engine 40 times as much.
CANDIDATE = r"[\p{Nd}\p{No}]\P{L}{12}"
SECRET = r"(?i)\bc(?:vv|vc|sc|v2)2?\b\P{Nd}{0,4}\p{Nd}{3,4}|%b?\p{Nd}{12,19}\^|;\p{Nd}{12,19}="  # noqa: S105
# For the database's prefilter: either of them.
SUSPICIOUS = f"{CANDIDATE}|{SECRET}"
# Whatever matches a pattern above matches its loose one. That all scripts' letters are told from
# other signs takes the engine 15 ms to prepare, in every query; Latin letters alone take one.
LOOSE_CANDIDATE = r"[\p{Nd}\p{No}][^A-Za-z]{12}"
LOOSELY_SUSPICIOUS = rf"{LOOSE_CANDIDATE}|(?i:\bc(?:vv|vc|sc|v2))"

_RUN = re.compile(r"\d(?:[\W_]{0,3}\d){12,}")
_VERIFICATION = re.compile(r"(?i)\b(c(?:vv|vc|sc|v2)2?\b\D{0,4})(\d{3,4})(?!\d)")
_TRACK = re.compile(r"%?[Bb]?\d{12,19}\^[^?\n]*\??|;\d{12,19}=[^?\n]*\??")
_GROUP = re.compile(r"\d+")
SHORTEST, LONGEST = 13, 19
# Of a number that stands where codes do: 13 digits are an article's, 14 a case's.
SHORTEST_CODE = 15
UNIONPAY, LONGEST_ELSEWHERE = "62", 16
PRINTED = frozenset({(4, 6, 5), (4, 6, 4)})  # groups on the cards of two schemes; others: below
BANK_GROUP = 6

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
        sign if (value := unicodedata.digit(sign, None)) is None else str(value) for sign in text
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


def mask_code(text: str) -> tuple[str, int]:
    """A code, identifier or file name without card numbers, and how many were found.

    A code is taken for a card number only where nobody would write it otherwise: digits of one
    length in groups, as cards have them printed, and no part of a hash. Signs that show nothing
    (zero width, combining) count for nothing.
    """
    if text.isascii() and sum(map(text.count, "0123456789")) < SHORTEST_CODE:
        return text, 0
    places = [place for place, sign in enumerate(text) if not _is_unseen(sign)]
    plain = ascii_digits("".join(text[place] for place in places))
    signs = list(text)
    found = 0
    for run in _RUN.finditer(plain):
        for start, end in _codes_in(plain, run.start(), run.end()):
            found += 1
            digits = [places[i] for i in range(start, end) if plain[i].isdigit()]
            for place in digits[6:-4]:
                signs[place] = "*"
    return "".join(signs), found


def _is_unseen(sign: str) -> bool:
    return not sign.isascii() and unicodedata.category(sign) in {"Cf", "Mn", "Me"}


def _codes_in(plain: str, start: int, end: int) -> list[tuple[int, int]]:
    groups = [match.span() for match in _GROUP.finditer(plain, start, end)]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(groups):
        count = 0
        for last in range(first, len(groups)):
            count += groups[last][1] - groups[last][0]
            if count > LONGEST:
                break
            spans = groups[first : last + 1]
            if count >= SHORTEST_CODE and _is_code_of_card(plain, spans):
                found.append((spans[0][0], spans[-1][1]))
                first = last
                break
        first += 1
    return found


def _is_code_of_card(plain: str, spans: list[tuple[int, int]]) -> bool:
    sizes = tuple(end - start for start, end in spans)
    digits = "".join(plain[slice(*span)] for span in spans)
    longest = LONGEST if digits.startswith(UNIONPAY) else LONGEST_ELSEWHERE
    if not SHORTEST_CODE <= len(digits) <= longest:
        return False
    is_even = all(size == sizes[0] for size in sizes[:-1]) and sizes[-1] <= sizes[0]
    is_printed = sizes in PRINTED or (len(sizes) == 2 and sizes[0] == BANK_GROUP)
    is_grouped = is_even or is_printed
    return is_grouped and is_card_number(digits) and not _is_hexadecimal(plain, spans)


def _is_hexadecimal(plain: str, spans: list[tuple[int, int]]) -> bool:
    """Whether the digits are part of a word of hexadecimal signs, as in a hash."""
    start, end = spans[0][0], spans[-1][1]
    while start > 0 and plain[start - 1].isalnum():
        start -= 1
    while end < len(plain) and plain[end].isalnum():
        end += 1
    around = plain[start : spans[0][0]] + plain[spans[-1][1] : end]
    return around != "" and not around.lower().strip("0123456789abcdef")
