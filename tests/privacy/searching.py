"""Where canaries stand: every column of every database by SQL, every byte of every other file.

Belongs here: the search, and what is found by place. Does not: what may stand where (``sweep``).
"""

from __future__ import annotations

import base64
import sqlite3
import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

PREFIX = 8  # bytes by which a needle is looked up: all are longer
SHOWN = 40


@dataclass(frozen=True)
class Needle:
    """One value: what it is, and the bytes in which it may stand."""

    label: str
    exact: tuple[bytes, ...]  # forms in which upper and lower case differ
    folded: tuple[bytes, ...]  # forms to be found in any case


@dataclass(frozen=True)
class Hit:
    """A needle at a place: a column, or a file."""

    place: str
    label: str


def needle(label: str, text: str | bytes, *, is_card: bool = False) -> Needle:
    """The value plainly, in UTF-16, hexadecimal, base64 at any place and as JSON escapes it."""
    raw = text.encode() if isinstance(text, str) else text
    folded = [raw.hex().encode()]
    exact = list(_base64(raw))
    if isinstance(text, str):
        wide = text.encode("utf-16-le"), text.encode("utf-16-be")
        folded += [raw, *wide, text.encode("ascii", "backslashreplace")]
        if is_card:
            groups = [text[place : place + 4] for place in range(0, len(text), 4)]
            folded += [" ".join(groups).encode(), "-".join(groups).encode()]
    else:
        exact.append(raw)
    return Needle(label, tuple(exact), tuple(form.lower() for form in folded))


def _base64(raw: bytes) -> Iterator[bytes]:
    """The signs that do not depend on what stands around the value."""
    for shift, first in enumerate((0, 2, 3)):
        coded = base64.b64encode(b"\0" * shift + raw)[first : (shift + len(raw)) * 8 // 6]
        yield coded
        yield coded.translate(bytes.maketrans(b"+/", b"-_"))


class Haystack:
    """Looks for many needles at once: by their first eight bytes, then whole."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._exact: dict[int, list[tuple[bytes, str]]] = defaultdict(list)
        self._folded: dict[int, list[tuple[bytes, str]]] = defaultdict(list)
        for one in needles:
            for forms, known in ((one.exact, self._exact), (one.folded, self._folded)):
                for form in set(forms):
                    known[int.from_bytes(form[:PREFIX], "little")].append((form, one.label))
        self._prefixes = [
            np.array(sorted(known), dtype="<u8") for known in (self._exact, self._folded)
        ]

    def search(self, content: bytes) -> set[str]:
        """Labels of the needles in it."""
        found = _scan(content, self._prefixes[0], self._exact)
        return found | _scan(content.lower(), self._prefixes[1], self._folded)

    def search_values(self, values: Iterable[Any]) -> set[str]:
        """Labels of the needles in a column's values, digits of any script read as digits."""
        texts = [_text(value) for value in values if value is not None]
        digits = ("".join(filter(str.isdigit, text)) for text in texts)
        lines = [*texts, *(line for line in digits if len(line) >= PREFIX)]
        return self.search("\n".join(lines).encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    if text.isascii():
        return text
    return "".join(
        sign if (digit := unicodedata.digit(sign, None)) is None else str(digit) for sign in text
    )


def _scan(
    content: bytes, prefixes: np.ndarray, known: dict[int, list[tuple[bytes, str]]]
) -> set[str]:
    found = set()
    for shift in range(PREFIX):
        words = (len(content) - shift) // PREFIX
        if words <= 0:
            continue
        here = np.frombuffer(content, "<u8", words, shift)
        places = np.minimum(np.searchsorted(prefixes, here), len(prefixes) - 1)
        for word in np.flatnonzero(prefixes[places] == here):
            start = shift + int(word) * PREFIX
            for form, label in known[int(here[word])]:
                if content.startswith(form, start):
                    found.add(label)
    return found


def search_duckdb(
    connection: duckdb.DuckDBPyConnection, database: str, hay: Haystack
) -> tuple[int, list[Hit]]:
    """Every column of every table and view of the current catalogue, and the catalogue itself."""
    columns = connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where database_name = current_database() and not internal order by all"
    ).fetchall()
    hits = []
    for schema, table, column in columns:
        values = connection.execute(
            f'select distinct "{column}"::varchar from "{schema}"."{table}"'
        ).fetchall()
        found = hay.search_values(value for (value,) in values)
        hits += [Hit(f"{database}: {schema}.{table}.{column}", label) for label in sorted(found)]
    for listing in ("duckdb_views()", "duckdb_tables()", "duckdb_columns()"):
        told = connection.execute(f"from {listing} where not internal").fetchall()
        found = hay.search_values(value for one in told for value in one)
        hits += [Hit(f"{database}: {listing}", label) for label in sorted(found)]
    return len(columns), hits


def search_sqlite(path: Path, place: str, hay: Haystack) -> tuple[int, list[Hit]]:
    """Every column of every table of an SQLite file, packed ones unpacked."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        hits, count = [], 0
        for (table,) in tables:
            cursor = database.execute(f'select * from "{table}"')
            names = [told[0] for told in cursor.description]
            count += len(names)
            for name, values in zip(names, zip(*cursor.fetchall(), strict=True), strict=False):
                found = hay.search_values(_unpacked(value) for value in set(values))
                hits += [Hit(f"{place}: {table}.{name}", label) for label in sorted(found)]
    database.close()
    return count, hits


def _unpacked(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return zlib.decompress(value).decode("utf-8", "replace")
    except zlib.error:
        return value.decode("utf-8", "replace")


def search_files(root: Path, hay: Haystack) -> tuple[int, list[Hit]]:
    """Every byte, and the name, of every file below a folder."""
    hits, count = [], 0
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root).as_posix()
        names = hay.search_values([path.name])
        hits += [Hit(f"name of a file in {path.parent.name}", label) for label in sorted(names)]
        if path.is_file() and not path.is_symlink():
            count += path.stat().st_size
            hits += [Hit(place, label) for label in sorted(hay.search(path.read_bytes()))]
    return count, hits
