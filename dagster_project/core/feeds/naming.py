"""Names that a sender makes up, of files and of columns, as they may be told and kept.

Belongs here: taking cards, mail addresses and phone numbers out of a name. Does not: whose name a
word is, which nobody can tell; a sender that puts persons into file names must be asked to stop.
"""

from __future__ import annotations

import re

from dagster_project.core.feeds.cards import ascii_digits, mask_code, mask_text

_EMAIL = re.compile(r"[^\s@,;:<>|/\\]+@[^\s@,;:<>|/\\]+\.\w{2,}")
# With the sign of a country, or as mobiles are written in China, Iran and the United Kingdom:
# a time of the same length has another beginning.
_PHONE = re.compile(r"[+＋]\d(?:[ ()./-]?\d){7,14}|(?<!\d)(?:1[3-9]|0[79])\d{9}(?!\d)")


def file_name(name: str) -> str:
    """A file's name without card numbers and contacts; as long as it was."""
    return _without_contacts(mask_code(name)[0])


def column_name(name: str) -> str:
    """A column's name on one line, without card numbers, secrets and contacts."""
    return _without_contacts(mask_text(" ".join(name.split()))[0])


def _without_contacts(name: str) -> str:
    signs = list(name)
    plain = ascii_digits(name)
    for pattern in (_EMAIL, _PHONE):
        for found in pattern.finditer(plain):
            signs[found.start() : found.end()] = "*" * (found.end() - found.start())
    return "".join(signs)
