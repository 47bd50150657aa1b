"""One pass over a delivery's bytes tells its identity and that of its text."""

from __future__ import annotations

import codecs
from hashlib import sha256
from itertools import combinations, pairwise, product

import pytest

from dagster_project.core.feeds.recognise import Fingerprint

TEXTS = [bytes(signs) for size in range(1, 6) for signs in product(b"a\r\n", repeat=size)]


def fingerprint(pieces: list[bytes]) -> tuple[str, str]:
    found = Fingerprint()
    for piece in pieces:
        found.add(piece)
    return found.of_bytes(), found.of_text()


def cut(text: bytes, places: tuple[int, ...]) -> list[bytes]:
    borders = (0, *places, len(text))
    return [text[start:end] for start, end in pairwise(borders)]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["bare", "with a mark"])
def test_the_identity_of_a_text_is_that_of_its_lines_however_it_is_read(mark: bytes) -> None:
    for text in TEXTS:
        plain = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        wanted = sha256(mark + text).hexdigest(), sha256(plain).hexdigest()
        for count in range(len(text)):
            for places in combinations(range(1, len(text)), count):
                first, *others = cut(text, places)
                assert fingerprint([mark + first, *others]) == wanted, (text, places)


def test_a_second_mark_belongs_to_the_text() -> None:
    _, of_text = fingerprint([codecs.BOM_UTF8 * 2 + b"a\n"])
    assert of_text == sha256(codecs.BOM_UTF8 + b"a\n").hexdigest()
