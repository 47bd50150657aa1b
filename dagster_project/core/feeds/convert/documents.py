"""JSON documents as JSON lines: one line per record of the document's list.

Belongs here: finding the records. Does not: their fields. Numbers become texts as they are
spelled, so that neither 19 digits nor a trailing zero is lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.errors import HeldBackError

# A document is read as a whole; a longer one is delivered better as JSON lines.
MAX_DOCUMENT_BYTES = 512 << 20


def write_documents(source: Path, target: Path, feed: Feed) -> None:
    """Write the records of a JSON document one per line."""
    if source.stat().st_size > MAX_DOCUMENT_BYTES:
        raise HeldBackError(f"the JSON document is longer than {MAX_DOCUMENT_BYTES >> 20} MiB")
    try:
        document = json.loads(
            source.read_text("utf-8"),
            parse_float=str,
            parse_int=str,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise HeldBackError(
            f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})"
        ) from None
    except UnicodeDecodeError as error:
        raise HeldBackError(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise HeldBackError("the JSON document is nested too deeply") from None
    with target.open("w", encoding="utf-8", newline="\n") as out:
        for record in _records(document, feed.dialect.record_path):
            out.write(json.dumps(record) + "\n")


def _records(document: Any, path: str | None) -> list[Any]:
    found = document
    for step in (path or "").strip("/").split("/") if path else []:
        if not isinstance(found, dict) or step not in found:
            raise HeldBackError(f"the JSON document has no {path}")
        found = found[step]
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise HeldBackError(f"{path or 'the JSON document'} is neither a list nor an object")
    return found


class _Twice(dict[str, Any]):
    """An object that names a key twice is written as it was, so that its record is rejected."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def items(self) -> Any:
        return self._pairs


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _Twice(pairs)


def _refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is no JSON value", constant, 0)
