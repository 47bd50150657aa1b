"""One spelling of names, e-mails, phones and places, for comparing records only.

Belongs here: pure functions of one text. Does not: tokens, whose formulas stay as they are
(``feeds.protect``), or deciding that two records are one person (``matching``).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from dagster_project.core.yaml_files import read_yaml

READINGS = Path(__file__).with_name("readings.yaml")
# Letters that are one letter to a Persian or Arabic reader, and marks that change nothing.
_LETTERS = str.maketrans(
    {"ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "أ": "ا", "إ": "ا", "آ": "ا",
     "ٱ": "ا", "ؤ": "و", "ـ": None, "\u200c": " ", "\u200d": None, "ß": "ss", "ø": "o", "ł": "l",
     "đ": "d", "æ": "ae", "œ": "oe", "'": None, "’": None, "`": None, "ʻ": None}
)  # fmt: skip
# Consonants of Persian in Latin; what is left out is a vowel or not heard.
_SOUNDS = str.maketrans(
    {"ب": "b", "پ": "p", "ت": "t", "ط": "t", "ث": "s", "س": "s", "ص": "s", "ج": "j", "چ": "č",
     "ح": "h", "ه": "h", "خ": "x", "د": "d", "ذ": "z", "ز": "z", "ض": "z", "ظ": "z", "ر": "r",
     "ژ": "ž", "ش": "š", "غ": "q", "ق": "q", "ف": "f", "ک": "k", "گ": "g", "ل": "l", "م": "m",
     "ن": "n"}
)  # fmt: skip
_DIGRAPHS = (("sh", "š"), ("ch", "č"), ("kh", "x"), ("gh", "q"), ("zh", "ž"), ("ph", "f"),
             ("ck", "k"), ("c", "k"))  # fmt: skip
# As in the tokens: dots before the @ mean nothing there.
_DOTLESS = ("gmail.com", "googlemail.com")
_SILENT = str.maketrans("", "", "'`")
_UNHEARD = re.compile(r"[^a-zščžx]|[aeiouvwy]")
_BETWEEN = re.compile(r"[\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "jr", "sr"})


@lru_cache(maxsize=200_000)
def fold(text: str | None) -> str | None:
    """NFKC, small letters, one spelling of each letter, no accents, words one blank apart."""
    if not text:
        return None
    if text.isascii():
        return " ".join(_BETWEEN.sub(" ", text.lower().translate(_SILENT)).split()) or None
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    apart = unicodedata.normalize("NFKD", plain)
    kept = "".join(c for c in apart if not unicodedata.combining(c))
    words = _BETWEEN.sub(" ", unicodedata.normalize("NFC", kept)).split()
    return " ".join(words) or None


def words_of(text: str | None) -> str | None:
    """The words of an address in their own order of letters, so that a turned one is the same."""
    folded = fold(text)
    return " ".join(sorted(folded.split())) if folded else None


@lru_cache(maxsize=200_000)
def split_name(text: str | None) -> tuple[str | None, str | None]:
    """Given name and family name of a full name; a Chinese name as it is read, family first.

    What stands before a comma is the family name, else the last word is.
    """
    before, comma, after = (text or "").partition(",")
    folded = fold(text)
    if folded is None:
        return None, None
    if not folded.isascii() and _HAN.search(folded):
        return _read(folded.replace(" ", ""))
    if comma and fold(after):
        return _untitled(fold(after) or ""), fold(before)
    words = (_untitled(folded) or folded).split()
    if len(words) == 1:
        return None, words[0]
    return " ".join(words[:-1]), words[-1]


def _untitled(folded: str) -> str | None:
    return " ".join(word for word in folded.split() if word not in _TITLES) or None


def _read(name: str) -> tuple[str | None, str | None]:
    """A name in Chinese characters as given and family name in pinyin, without tones."""
    surnames, characters = _readings()
    size = 2 if name[:2] in surnames and len(name) > 2 else 1
    family = surnames.get(name[:size]) or characters.get(name[:size], name[:size])
    given = "".join(characters.get(character, character) for character in name[size:])
    return given or None, family


@cache
def _readings() -> tuple[dict[str, str], dict[str, str]]:
    """Surnames with readings of their own, and characters, each with its pinyin."""
    told = read_yaml(READINGS.read_text("utf-8"))
    characters = {c: syllable for syllable, all_of in told["characters"].items() for c in all_of}
    return dict(told["surnames"]), characters


@lru_cache(maxsize=200_000)
def sound(folded: str | None) -> str | None:
    """The consonants that are heard, the same from Persian and from Latin letters."""
    if not folded:
        return None
    text = folded
    for letters, one in _DIGRAPHS:
        text = text.replace(letters, one)
    heard = _UNHEARD.sub("", text.translate(_SOUNDS))
    return "".join(c for c, before in zip(heard, " " + heard, strict=False) if c != before) or None


def email_of(text: str | None) -> str | None:
    """An address in small letters without tags after a plus sign, nor dots where they say nothing.

    More is left out than in the token: here two spellings are only compared.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip().lower()
    name, at, provider = plain.rpartition("@")
    if not at or not name:
        return None
    bare = name.partition("+")[0]
    if provider in _DOTLESS:
        return f"{bare.replace('.', '')}@gmail.com"
    return f"{bare}@{provider}"


def phone_of(text: str | None, country: str | None = None) -> str | None:
    """E.164 where the country is known or the number says it, else its digits alone."""
    import phonenumbers

    plain = "".join(
        str(unicodedata.digit(c)) if c.isdigit() else c
        for c in unicodedata.normalize("NFKC", text or "")
    )
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", plain) or None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digits_of(text: str | None) -> str | None:
    """Letters and digits of a number, small and without what separates them."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text or "").lower()) or None
