"""What senders call things, in English, Chinese and Persian: from a column's name to a field.

Belongs here: the vocabulary and bringing names to one spelling. Does not: values. A word stands
for the template field of its line; a field's own name counts too (``receipt_id``, ``receipt id``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from dagster_project.core.home import PACKAGE
from dagster_project.core.yaml_files import read_yaml

WORDS = PACKAGE / "words.yaml"
# Names of columns that identify: digits in them are no number.
_IDENTIFIES = re.compile(
    r"(?:^| )(?:id|ids|no|nr|number|code|sku|ean|upc|gtin|barcode|plu|ref|reference|key|zip|"
    r"postcode|invoice|receipt|phone|mobile|tel|account|card|batch|serial)$"
    r"|(?:号|编号|编码|代码|条码|号码)$|^(?:کد|شماره|بارکد)"
)
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SIGNS = str.maketrans({"ي": "ی", "ك": "ک", "\u200c": " ", "ـ": ""})


@cache
def plain_name(name: str) -> str:
    """A column's name in one spelling: lower case, words apart, no signs, no units in brackets."""
    text = unicodedata.normalize("NFKC", name).translate(_SIGNS)
    text = re.sub(r"[(\[（][^)\]）]*[)\]）]", " ", text) if not text.startswith("(") else text
    text = _CAMEL.sub(" ", text)
    return " ".join(re.sub(r"[\W_]+", " ", text).lower().split())


@cache
def _vocabulary() -> dict[str, dict[str, str] | str]:
    found: dict[str, dict[str, str] | str] = read_yaml(WORDS.read_text("utf-8"))
    return found


@cache
def _by_word(part: str) -> dict[str, tuple[str, ...]]:
    """Every word of a part of the vocabulary, spaces left out too, with its meanings."""
    found: dict[str, tuple[str, ...]] = {}
    content = _vocabulary()[part]
    for meaning, words in (content if isinstance(content, dict) else {"total": content}).items():
        own = [meaning] if part == "fields" else []
        for word in [*own, *words.split(",")]:
            plain = plain_name(word)
            for spelled in {plain, plain.replace(" ", "")}:
                found[spelled] = (*found.get(spelled, ()), meaning)
    return found


def meanings(name: str) -> tuple[str, ...]:
    """Fields that a column of this name may be: the one of that name, and what words stand for."""
    return tuple(dict.fromkeys((plain_name(name).replace(" ", "_"), *known_meanings(name))))


def known_meanings(name: str) -> tuple[str, ...]:
    """Fields that the vocabulary has for a name."""
    plain = plain_name(name)
    words = _by_word("fields")
    found = (*words.get(plain, ()), *words.get(plain.replace(" ", ""), ()))
    return tuple(dict.fromkeys(found))


def personal_meaning(name: str) -> str | None:
    """What of a person a column of this name holds, if anything."""
    plain = plain_name(name)
    words = _by_word("people")
    found = words.get(plain) or words.get(plain.replace(" ", ""))
    return found[0] if found else None


def is_known(name: str) -> bool:
    """Whether a cell is a word that columns are called by."""
    plain = plain_name(name)
    joined = plain.replace(" ", "")
    return any(
        plain in words or joined in words for words in (_by_word("people"), _by_word("fields"))
    )


def is_identifying(name: str) -> bool:
    """Whether a column of this name holds identifiers, whatever they look like."""
    found = known_meanings(name)
    if "line_number" in found:  # a number that counts
        return False
    ends = ("_id", "_code", "_number", "gtin")
    return bool(_IDENTIFIES.search(plain_name(name))) or any(one.endswith(ends) for one in found)


def is_total_word(cell: str) -> bool:
    """Whether a cell names a row that sums up the others."""
    return plain_name(cell) in _by_word("totals")


@cache
def given_names() -> frozenset[str]:
    """Frequent given names in Latin and Persian letters, lower case."""
    return frozenset(word.strip() for word in str(_vocabulary()["given_names"]).split(","))


@cache
def family_signs() -> frozenset[str]:
    """Signs that frequent Chinese family names consist of."""
    return frozenset(str(_vocabulary()["family_signs"]))
