"""The page that shows the star: which fact meets which dimension, and the grain of every mart.

Belongs here: turning dbt's manifest into ``docs/star.md``. Does not: what a model says of itself.
``python -m dagster_project.console.star_guide`` writes the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagster_project.core.home import PROJECT, locate_home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA

PAGE = PROJECT / "docs" / "star.md"
Node = Mapping[str, Any]
HEAD = """# The star and the marts

Written by `python -m dagster_project.console.star_guide` from the models' own declarations.

Every key is a BIGINT made of the natural key alone; -1 is Unknown, -2 Not applicable, -3 Invalid in
source. A dimension marked ² keeps its history: a fact's `…_key` is the version that held then, its
`…_durable_key` the thing, to be joined with `is_current`.
"""


def guide(manifest: Mapping[str, Any]) -> str:
    """The page for the models of a manifest."""
    return "\n".join([HEAD, *_matrix(manifest), *_subjects(manifest)])


def _marts(manifest: Mapping[str, Any], schema: str) -> list[Node]:
    found = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == schema
    ]
    return sorted(found, key=lambda node: node["name"])


def _dimensions_of(manifest: Mapping[str, Any], fact: Node) -> set[str]:
    """Names of the dimensions that the fact's judged foreign keys lead to."""
    return {
        parent.rpartition(".")[2]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test"
        and test.get("attached_node") == fact["unique_id"]
        and test["test_metadata"]["name"] == "sound_keys"
        for parent in test["depends_on"]["nodes"]
        if parent.rpartition(".")[2].startswith("dim_")
    }


def _matrix(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The bus matrix: one row per fact, the dimensions it meets with a dot."""
    core = _marts(manifest, "core")
    facts = [node for node in core if node["name"].startswith("fct_")]
    met = {fact["name"]: _dimensions_of(manifest, fact) for fact in facts}
    dimensions = [node for node in core if any(node["name"] in names for names in met.values())]
    titles = [_title(node) for node in dimensions]
    yield "## Bus matrix\n"
    yield f"| fact | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for fact in facts:
        dots = ["●" if node["name"] in met[fact["name"]] else "" for node in dimensions]
        yield f"| `{fact['name'].removeprefix('fct_')}` | {' | '.join(dots)} |"
    yield ""


def _title(dimension: Node) -> str:
    name = dimension["name"].removeprefix("dim_").replace("_", " ")
    return f"{name} ²" if "valid_from_at" in dimension["columns"] else name


def _subjects(manifest: Mapping[str, Any]) -> Iterator[str]:
    for schema in (*MART_SCHEMAS, SENSITIVE_SCHEMA):
        models = _marts(manifest, schema)
        if not models:
            continue
        private = ", never published" if schema == SENSITIVE_SCHEMA else ""
        yield f"## {schema}{private}\n"
        yield "| table | one row per … |"
        yield "|---|---|"
        for node in models:
            words = " ".join(node["description"].split()).replace("|", "\\|")
            yield f"| `{node['name']}` | {words.removeprefix('One row per ')} |"
        yield ""


def main() -> None:
    """Write the page."""
    manifest = json.loads(Path(ensure_manifest(locate_home())).read_text("utf-8"))
    PAGE.write_text(guide(manifest), "utf-8")


if __name__ == "__main__":
    main()
