"""Names that a sender makes up, of files and of columns, and free text, as they may be kept.

Belongs here: taking mail addresses and phone numbers, beside cards, out of them. Does not: whose
name a word is, which nobody can tell; a sender that puts persons into file names must be asked to
stop.
"""

from __future__ import annotations

import re

from dagster_project.core.feeds.cards import ascii_digits, mask_code, mask_text

_ADDRESS = r"[^\s@,;:<>|/\\?&=()'\"]+"
_EMAIL = re.compile(rf"{_ADDRESS}(?:@|%40){_ADDRESS}\.\w{{2,}}")
# With the sign of a country, or as mobiles are written in China, Iran and the United Kingdom:
# a time of the same length has another beginning.
_PHONE = re.compile(r"[+＋]\d(?:[ ()./-]?\d){7,14}|(?<!\d)(?:1[3-9]|0[79])\d{9}(?!\d)")

# The same in running text, where a number behind a sign is an order's, a page's, an article's.
_TOLD_PHONE = re.compile(
    r"[+＋]\d(?:[ ()./-]?\d){7,14}|(?<![\w/=.&#-])(?:1[3-9]|0[79])\d{9}(?![\w-])"
)
# For the database's prefilter: whatever may hold one of them.
CONTACT = r"\S(?:@|%40)\S+\.|\p{Nd}{11}|[+＋]\p{Nd}"


def free_text(text: str) -> tuple[str, int, bool]:
    """What ``mask_text`` says of a text, contacts masked too."""
    masked, found, has_secret = mask_text(text)
    return _without_contacts(masked, _TOLD_PHONE), found, has_secret


def file_name(name: str) -> str:
    """A file's name without card numbers and contacts; as long as it was."""
    return _without_contacts(mask_code(name)[0])


def column_name(name: str) -> str:
    """A column's name on one line, without card numbers, secrets and contacts."""
    return _without_contacts(mask_text(" ".join(name.split()))[0])


def _without_contacts(name: str, phone: re.Pattern[str] = _PHONE) -> str:
    signs = list(name)
    plain = ascii_digits(name)
    for pattern in (_EMAIL, phone):
        for found in pattern.finditer(plain):
            signs[found.start() : found.end()] = "*" * (found.end() - found.start())
    return "".join(signs)
