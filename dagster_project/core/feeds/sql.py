"""Text of SQL that the loader's steps share: quoting, and the names of its temporary tables.

Belongs here: spelling. Does not: statements. Values are bound wherever a statement can bind.
"""

from __future__ import annotations

from collections.abc import Iterable

# A text that no file holds: a private-use sign, for "nothing means null".
NEVER = "\ue000never\ue000"

# Full-width, Persian and Arabic digits, then 0-9 three times.
FOREIGN_DIGITS = "０１２３４５６７８９۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩"
ASCII_DIGITS = "0123456789" * 3


def identifier(name: str) -> str:
    """A column name as SQL, whatever the sender calls it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text constant as SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_list(texts: Iterable[str]) -> str:
    """A list constant of texts as SQL."""
    return "[" + ", ".join(literal(text) for text in texts) + "]"


def safe_glob(path: str) -> str:
    """The path for a reader that takes ``[``, ``*`` and ``?`` for patterns."""
    return "".join(f"[{sign}]" if sign in "[*?" else sign for sign in path)
