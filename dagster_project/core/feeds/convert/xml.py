"""XML documents as JSON lines: one line per record element, its columns by path.

Belongs here: elements and paths. Does not: what they mean. Names are taken as they are written in
the document, prefix included. A document type is refused: with it go entities that explode or
that read other files. A record's line in the output is the line on which its element begins,
unless several begin on one line.

Paths below the record element: ``a/b`` its text, ``a/b@x`` an attribute, ``@x`` one of the record's
own, ``a[@x='1']/b`` and ``a[b='1']/c`` the first that fits, ``a/b[]`` all of them as a JSON list,
``/root/b`` from the document. Elements of a list are flat objects: ``path`` → text,
``path@x`` → attribute, ``@x`` and ``.`` of the element itself; brothers of one name are ``name``,
``name#2``, ``name#3``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TextIO
from xml.parsers import expat

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import HeldBackError

PIECE_BYTES = 1 << 20
MAX_DEPTH = 200
MAX_RECORD_ELEMENTS = 200_000
_STEP = re.compile(r"^(?P<name>[^\[\]]+)(?:\[(?P<key>@?[^=\]]+)='(?P<value>[^']*)'\])?$")
_SLASH = re.compile(r"/(?![^\[]*'\])")


@dataclass(slots=True)
class Element:
    """One element with its direct text."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()


def write_elements(source: Path, target: Path, feed: Feed) -> None:
    """Write the document's record elements one per line."""
    record_name = feed.dialect.record_path or ""
    paths = [
        (column, path) for column, aliases in feed.columns.items() for path in (column, *aliases)
    ]
    with target.open("w", encoding="utf-8", newline="\n") as out:
        reader = _Reader(record_name, paths, out)
        try:
            reader.read(source, feed.dialect.encoding)
        except expat.ExpatError as error:
            raise HeldBackError(
                f"line {error.lineno}, column {error.offset}: not well-formed XML "
                f"({expat.ErrorString(error.code)})"
            ) from None
    if reader.count == 0:
        raise HeldBackError(f"the document has no element {record_name}")


class _Reader:
    """Builds the tree of the record at hand only; what lies around records is kept for paths."""

    def __init__(self, record_name: str, paths: list[tuple[str, str]], out: TextIO) -> None:
        self._record_name = record_name
        self._paths = [(column, path, _parsed(path)) for column, path in paths]
        self._out = out
        self._open = [Element("", {}, 0)]  # the document, and the elements that are open
        self._record: Element | None = None
        self._size = 0
        self._line = 1
        self.count = 0
        self._parser: expat.XMLParserType

    def read(self, source: Path, encoding: str) -> None:
        """Parse the whole document; encodings other than UTF-8 and 16 are the feed's to declare."""
        is_own = encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
        parser = expat.ParserCreate(None if is_own else "utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser = parser
        with source.open("rb") as handle:
            if is_own:
                while piece := handle.read(PIECE_BYTES):
                    parser.Parse(piece, False)
            else:
                parser.Parse(_utf8(handle.read(), encoding), False)
            parser.Parse(b"", True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes, self._parser.CurrentLineNumber)
        if len(self._open) > MAX_DEPTH:
            raise HeldBackError(f"line {element.line}: elements nested deeper than {MAX_DEPTH}")
        self._open[-1].children.append(element)
        self._open.append(element)
        if self._record is None and name == self._record_name:
            self._record, self._size = element, 0
        self._size += 1
        if self._record is not None and self._size > MAX_RECORD_ELEMENTS:
            raise HeldBackError(f"line {self._record.line}: a record is longer than the cap")

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)

    def _end(self, _name: str) -> None:
        ended = self._open.pop()
        if ended is self._record:
            self._write(ended)
            self._record = None
            self._open[-1].children.pop()

    def _write(self, record: Element) -> None:
        values: dict[str, str] = {}
        for column, path, parsed in self._paths:
            base = self._open[0] if path.startswith("/") else record
            value = _value(base, parsed)
            if value is not None and column not in values:
                values[column] = value
        # Blank lines bring the record to its own line in the document.
        self._out.write("\n" * max(0, record.line - self._line))
        self._out.write(json.dumps(values, ensure_ascii=False) + "\n")
        self._line = max(self._line, record.line) + 1
        self.count += 1


@dataclass(frozen=True)
class _Path:
    steps: tuple[tuple[str, str | None, str], ...]  # name, key of the condition, its value
    attribute: str | None
    is_list: bool


def _parsed(path: str) -> _Path:
    is_list = path.endswith("[]")
    body = path.removesuffix("[]").strip("/")
    body, attribute = _without_attribute(body)
    steps = []
    for part in _SLASH.split(body) if body else []:
        found = _STEP.match(part)
        if found is None:
            # A column's own name, which is a path only where it can be one.
            return _Path((("\0", None, ""),), None, False)
        steps.append((found["name"], found["key"], found["value"] or ""))
    return _Path(tuple(steps), attribute, is_list)


def _without_attribute(body: str) -> tuple[str, str | None]:
    head, mark, tail = body.rpartition("@")
    if not mark or "'" in tail or "]" in tail:
        return body, None
    return head, tail


def _value(base: Element, path: _Path) -> str | None:
    found = _find(base, path.steps)
    if path.is_list:
        return json.dumps([flat(element) for element in found], ensure_ascii=False)
    first = next(found, None)
    if first is None:
        return None
    return first.text if path.attribute is None else first.attributes.get(path.attribute)


def _find(base: Element, steps: tuple[tuple[str, str | None, str], ...]) -> Iterator[Element]:
    if not steps:
        yield base
        return
    name, key, value = steps[0]
    for child in base.children:
        if child.name == name and _fits(child, key, value):
            yield from _find(child, steps[1:])


def _fits(element: Element, key: str | None, value: str) -> bool:
    if key is None:
        return True
    if key.startswith("@"):
        return element.attributes.get(key[1:]) == value
    return any(child.name == key and child.text == value for child in element.children)


def flat(element: Element) -> dict[str, str]:
    """An element as one object: path → text, ``path@x`` → attribute."""
    found: dict[str, str] = {f"@{name}": value for name, value in element.attributes.items()}
    if element.text:
        found["."] = element.text
    _flatten(element, "", found)
    return found


def _flatten(element: Element, prefix: str, found: dict[str, str]) -> None:
    seen: Counter[str] = Counter()
    for child in element.children:
        seen[child.name] += 1
        number = seen[child.name]
        path = f"{prefix}{child.name}" if number == 1 else f"{prefix}{child.name}#{number}"
        found |= {f"{path}@{name}": value for name, value in child.attributes.items()}
        if child.text or not child.children:
            found[path] = child.text
        _flatten(child, f"{path}/", found)


def _refuse_doctype(*_declared: Any) -> NoReturn:
    raise HeldBackError("the document declares a document type, which is refused")


def _utf8(content: bytes, encoding: str) -> bytes:
    try:
        return content.decode(encoding).encode()
    except (UnicodeDecodeError, LookupError):
        raise HeldBackError(f"the document is not {encoding}, the declared encoding") from None
