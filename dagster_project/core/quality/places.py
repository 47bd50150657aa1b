"""Where in a YAML file something stands, and saying what is wrong there.

Belongs here: values with their lines, keys given twice, near misses. Does not: what a file may say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

from dagster_project.core.yaml_files import LOADER

Place = tuple[str | int, ...]  # keys and positions, from the top of a file


@dataclass(frozen=True)
class Wrong:
    """What is wrong at a place."""

    place: Place
    message: str
    key: str | None = None  # below the place: the very key that is meant
    word: str | None = None  # inside the value: the line that holds it is meant


class Document:
    """A YAML file's values, and the line of each.

    Raises yaml.YAMLError where the text is no YAML.
    """

    def __init__(self, text: str) -> None:
        loader = LOADER(text)
        try:
            self._root = loader.get_single_node()
            self.repeated = list(_repeated(self._root, ()))
            self.content: Any = loader.construct_document(self._root) if self._root else None
        finally:
            loader.dispose()
        self._lines = text.splitlines()

    def line(self, wrong: Wrong) -> int:
        """The line, from 1, of the key, else of the smallest value that holds the place."""
        node, line = self._root, 1
        for part in (*wrong.place, *([wrong.key] if wrong.key is not None else [])):
            found = _below(node, part)
            if found is None:
                break
            start, node = found
            line = start + 1
        return self._line_of(wrong.word, node, line)

    def _line_of(self, word: str | None, node: yaml.Node, line: int) -> int:
        if word is None or node is None:
            return line
        last = node.end_mark.line + 1
        held = (n for n in range(line, last + 1) if word in "".join(self._lines[n - 1 : n]))
        return next(held, line)


def _below(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """Line, from 0, and value of an entry."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def _repeated(node: yaml.Node | None, place: Place) -> Iterator[tuple[int, Place]]:
    """Line and place of every key that its mapping has already."""
    if isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _repeated(value, (*place, position))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in seen:
                yield key.start_mark.line + 1, inner
            seen.add(inner)
            yield from _repeated(value, inner)


def told(place: Place) -> str:
    """A place in words: ``expectations.0.why``."""
    return ".".join(str(part) for part in place)


def near(name: object, known: Iterable[str]) -> str:
    """``; did you mean …?`` where something known is spelled nearly so, else nothing."""
    close = get_close_matches(str(name), sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
