"""Damage to clean files, by kind and seed: what senders, disks, mailers and spreadsheets do.

A damage gets the lines of a file (of CSV the header first) and a source of chance, and says which
records it touched. A kind that can make another valid record of a touched one says so; of all
others no value may be loaded that the clean file does not have.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass, field

Chance = random.Random


@dataclass
class Copy:
    """A file under damage."""

    lines: list[bytes]
    has_header: bool
    newline: bytes = b"\n"
    tail: bytes = b"\n"
    touched: set[int] = field(default_factory=set)  # records, from 0

    def pick(self, chance: Chance) -> int:
        """A record's line, noted as touched."""
        line = chance.randrange(self.has_header, len(self.lines))
        self.touched.add(line - self.has_header)
        return line

    def content(self) -> bytes:
        return self.newline.join(self.lines) + self.tail


Damage = Callable[[Copy, Chance], bytes | None]  # the whole content, or nothing: the copy's


def _insert(copy: Copy, chance: Chance, what: bytes) -> None:
    line = copy.pick(chance)
    text = copy.lines[line]
    place = chance.randrange(len(text) + 1)
    copy.lines[line] = text[:place] + what + text[place:]


def inserting(what: bytes, times: int = 1) -> Damage:
    """Signs somewhere in a record."""

    def damage(copy: Copy, chance: Chance) -> None:
        for _ in range(times):
            _insert(copy, chance, what)

    return damage


def cutting_a_sign(copy: Copy, chance: Chance) -> None:
    line = copy.pick(chance)
    place = chance.randrange(len(copy.lines[line]))
    copy.lines[line] = copy.lines[line][:place] + copy.lines[line][place + 1 :]


def another_byte(copy: Copy, chance: Chance) -> None:
    line = copy.pick(chance)
    place = chance.randrange(len(copy.lines[line]))
    text = copy.lines[line]
    copy.lines[line] = text[:place] + bytes([chance.randrange(256)]) + text[place + 1 :]


def a_cell_less(copy: Copy, chance: Chance) -> None:
    line = copy.pick(chance)
    copy.lines[line] = copy.lines[line].rpartition(b",")[0]


def a_cell_more(copy: Copy, chance: Chance) -> None:
    copy.lines[copy.pick(chance)] += b",x"


def a_row_twice(copy: Copy, chance: Chance) -> None:
    line = chance.randrange(copy.has_header, len(copy.lines))
    copy.lines.insert(chance.randrange(copy.has_header, len(copy.lines)), copy.lines[line])


def rows_shuffled(copy: Copy, chance: Chance) -> None:
    records = copy.lines[copy.has_header :]
    chance.shuffle(records)
    copy.lines[copy.has_header :] = records


def a_row_lost_its_end(copy: Copy, chance: Chance) -> None:
    line = chance.randrange(copy.has_header, len(copy.lines) - 1)
    copy.touched |= {line - copy.has_header, line + 1 - copy.has_header}
    copy.lines[line : line + 2] = [copy.lines[line] + copy.lines[line + 1]]


def blank_lines(copy: Copy, chance: Chance) -> None:
    for _ in range(3):
        copy.lines.insert(chance.randrange(copy.has_header, len(copy.lines)), b"")


def the_first_line_again(copy: Copy, chance: Chance) -> None:
    copy.lines.insert(chance.randrange(1, len(copy.lines)), copy.lines[0])


def another_delimiter_below(copy: Copy, chance: Chance) -> None:
    first = chance.randrange(copy.has_header, len(copy.lines))
    for line in range(first, len(copy.lines)):
        copy.touched.add(line - copy.has_header)
        copy.lines[line] = copy.lines[line].replace(b",", b";")


def another_encoding_below(copy: Copy, chance: Chance) -> None:
    first = chance.randrange(copy.has_header, len(copy.lines))
    for line in range(first, len(copy.lines)):
        copy.touched.add(line - copy.has_header)
        copy.lines[line] = copy.lines[line].decode().encode("gb18030")


def line_ends(*ends: bytes) -> Damage:
    """Other line ends, mixed where there are several."""

    def damage(copy: Copy, chance: Chance) -> bytes:
        return b"".join(line + chance.choice(ends) for line in copy.lines)

    return damage


def a_mark_before(copy: Copy, _chance: Chance) -> bytes:
    return b"\xef\xbb\xbf" + copy.content()


def no_last_newline(copy: Copy, _chance: Chance) -> None:
    copy.tail = b""


def cut_off(copy: Copy, chance: Chance) -> bytes:
    content = copy.content()
    end = chance.randrange(len(copy.lines[0]) + 1, len(content))
    copy.touched |= set(range(len(copy.lines)))
    return content[:end]


def zeros_at_the_end(copy: Copy, chance: Chance) -> bytes:
    content = copy.content()
    end = chance.randrange(len(copy.lines[0]) + 1, len(content))
    copy.touched |= set(range(len(copy.lines)))
    return content[:end] + b"\0" * (len(content) - end)


def an_error_page_at_the_end(copy: Copy, _chance: Chance) -> None:
    copy.lines += [b"<html>", b"<h1>504 Gateway Time-out</h1>", b"</html>"]


def the_file_twice(copy: Copy, _chance: Chance) -> bytes:
    return copy.content() * 2


def packed(copy: Copy, _chance: Chance) -> bytes:
    return gzip.compress(copy.content(), mtime=0)


def packed_and_broken(copy: Copy, chance: Chance) -> bytes:
    content = bytearray(packed(copy, chance))
    place = chance.randrange(20, len(content))
    content[place] ^= 1 << chance.randrange(8)
    copy.touched |= set(range(len(copy.lines)))
    return bytes(content)


def a_column_more(copy: Copy, _chance: Chance) -> None:
    copy.lines = [line + b",more" for line in copy.lines]


def a_column_renamed(copy: Copy, _chance: Chance) -> None:
    copy.lines[0] = copy.lines[0].replace(b",", b",x", 1)


def in_one_line(copy: Copy, _chance: Chance) -> bytes:
    copy.touched |= set(range(len(copy.lines)))
    return b" ".join(copy.lines)


@dataclass(frozen=True)
class Kind:
    """One kind of damage."""

    damage: Damage
    formats: tuple[str, ...] = ("csv", "jsonl")
    makes_others: bool = False  # a touched record may become another valid one


CSV, JSONL = ("csv",), ("jsonl",)
KINDS: dict[str, Kind] = {
    "a stray quote": Kind(inserting(b'"'), makes_others=True),
    "three stray quotes": Kind(inserting(b'"', 3), makes_others=True),
    "a doubled quote": Kind(inserting(b'""'), makes_others=True),
    "a quote before a cell": Kind(inserting(b',"'), CSV, makes_others=True),
    "a delimiter": Kind(inserting(b","), makes_others=True),
    "a newline": Kind(inserting(b"\n"), makes_others=True),
    "a return": Kind(inserting(b"\r"), makes_others=True),
    "a NUL": Kind(inserting(b"\0"), makes_others=True),
    "a backslash": Kind(inserting(b"\\"), makes_others=True),
    "bytes of no encoding": Kind(inserting(b"\xff\xc0")),
    "a card number": Kind(inserting(b" 4111111111111111 "), makes_others=True),
    "a formula": Kind(inserting(b"=cmd|' /C calc'!A0"), makes_others=True),
    "SQL": Kind(inserting(b"'); drop table raw.pos_standard__line; --"), makes_others=True),
    "a sign less": Kind(cutting_a_sign, makes_others=True),
    "another byte": Kind(another_byte, makes_others=True),
    "a cell less": Kind(a_cell_less, CSV, makes_others=True),
    "a cell more": Kind(a_cell_more, CSV),
    "a row twice": Kind(a_row_twice),
    "rows shuffled": Kind(rows_shuffled),
    "a row lost its end": Kind(a_row_lost_its_end, makes_others=True),
    "blank lines": Kind(blank_lines),
    "the first line again": Kind(the_first_line_again),
    "another delimiter below": Kind(another_delimiter_below, CSV, makes_others=True),
    "another encoding below": Kind(another_encoding_below, makes_others=True),
    "CRLF": Kind(line_ends(b"\r\n")),
    "line ends mixed": Kind(line_ends(b"\n", b"\r\n")),
    "a byte order mark": Kind(a_mark_before),
    "no last newline": Kind(no_last_newline),
    "cut off": Kind(cut_off, makes_others=True),
    "zeros at the end": Kind(zeros_at_the_end, makes_others=True),
    "an error page at the end": Kind(an_error_page_at_the_end),
    "the file twice": Kind(the_file_twice),
    "packed": Kind(packed),
    "packed and broken": Kind(packed_and_broken),
    "a column more": Kind(a_column_more, CSV),
    "a column renamed": Kind(a_column_renamed, CSV),
    "all in one line": Kind(in_one_line),
}


def pollute(lines: list[bytes], format_: str, kind: str, seed: int) -> tuple[bytes, set[int]]:
    """The damaged file, and the records that were touched; the same for the same seed."""
    copy = Copy(list(lines), format_ == "csv")
    content = KINDS[kind].damage(copy, random.Random(f"{kind}/{seed}"))
    return copy.content() if content is None else content, copy.touched
