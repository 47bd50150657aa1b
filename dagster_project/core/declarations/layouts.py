"""Layouts: exports of well-known systems, described once and named by the feeds that use them.

Belongs here: finding a layout and laying a feed's own words over it. Does not: what a feed is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.core.yaml_files import read_yaml

LAYOUTS = Path(__file__).resolve().parents[2] / "layouts"
MERGED = frozenset({"dialect", "arrival", "drift", "columns"})


def with_layout(content: dict[str, Any]) -> dict[str, Any]:
    """A feed's declaration laid over that of the layout it names, if it names one.

    Of ``dialect``, ``arrival``, ``drift``, ``columns`` and a record's ``fields`` single entries
    are replaced, of everything else the whole. Raises ValueError for a layout that does not exist.
    """
    name = content.get("layout")
    if not isinstance(name, str):
        return content
    if name not in layout_names():
        raise ValueError(f"unknown layout {name!r}; known: {', '.join(layout_names())}")
    base = read_layout(name)
    merged = base | content
    for key in MERGED & base.keys() & content.keys():
        merged[key] = base[key] | content[key]
    if "records" in base and "records" in content:
        merged["records"] = _records(base["records"], content["records"])
    return merged


def layout_names() -> tuple[str, ...]:
    """Every shipped layout."""
    return tuple(sorted(path.stem for path in LAYOUTS.glob("*.yaml")))


@cache
def read_layout(name: str) -> dict[str, Any]:
    """The declaration of a shipped layout: a feed without ``feed``, ``sender`` and ``owner``."""
    content = read_yaml((LAYOUTS / f"{name}.yaml").read_text("utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"layout {name}: expected keys and values")
    return content


def _records(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Records with the feed's fields over the layout's; a record that is ``null`` is left out."""
    merged = {name: record for name, record in base.items() if own.get(name, record) is not None}
    for name, record in own.items():
        if record is not None:
            before = base.get(name, {})
            fields = before.get("fields", {}) | record.get("fields", {})
            merged[name] = before | record | {"fields": fields}
    return merged
