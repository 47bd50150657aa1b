"""Reading declarations: YAML to templates and feeds, with one line that says what is wrong.

Belongs here: files, and whether a feed fits its template. Does not: what may be declared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from dagster_project.core.declarations.feed import Feed, FeedRecord, Policy
from dagster_project.core.declarations.fields import Record, Template
from dagster_project.core.yaml_files import read_yaml

Kind = TypeVar("Kind", bound="BaseModel")


class DeclarationError(Exception):
    """A template or feed YAML is wrong; the message names the file and the place in it."""


def load_templates(directory: Path) -> dict[str, Template]:
    """Every template of a directory by name; raises DeclarationError naming the file."""
    read = {path: _read(path) for path in sorted(directory.glob("*.yaml"))}
    contents = {path.stem: content for path, content in read.items()}
    found: dict[str, Template] = {}
    for path, content in read.items():
        template = _parse(Template, _extended(content, contents, path), path)
        if template.template != path.stem:
            raise DeclarationError(
                f"{path}: template {template.template!r} must be the file's name"
            )
        found[template.template] = template
    return found


def _extended(
    content: dict[str, Any], contents: dict[str, dict[str, Any]], path: Path
) -> dict[str, Any]:
    """A custom template's declaration with everything that the extended one declares."""
    name = content.get("extends")
    if name is None:
        return content
    base = contents.get(name)
    if base is None or "extends" in base:
        raise DeclarationError(f"{path}: extends {name!r}, which is no template of its own")
    own = content.get("records") or {}
    if unknown := sorted(set(own) - set(base["records"])):
        raise DeclarationError(
            f"{path}: extends {name} by fields only; it has no record {', '.join(unknown)}"
        )
    records = {}
    for record, declared in base["records"].items():
        stated = own.get(record) or {}
        if other := sorted(set(stated) - {"fields"}):
            raise DeclarationError(
                f"{path}: record {record} adds fields only; {', '.join(other)} "
                f"{'is' if len(other) == 1 else 'are'} {name}'s to say"
            )
        added = stated.get("fields", {})
        if twice := sorted(set(added) & set(declared["fields"])):
            raise DeclarationError(f"{path}: record {record} has {', '.join(twice)} already")
        fields = declared["fields"] | added
        records[record] = declared | {"fields": fields, "added": list(added)}
    return content | {"records": records}


def load_feeds(directory: Path, templates: dict[str, Template]) -> dict[str, Feed]:
    """Every ``<feed>/defs.yaml`` of a directory by name, checked against its template.

    Raises DeclarationError naming the file and what does not fit.
    """
    found: dict[str, Feed] = {}
    for path in sorted(directory.glob("*/defs.yaml")):
        found[path.parent.name] = load_feed(path, templates)
    return found


def load_feed(path: Path, templates: dict[str, Template]) -> Feed:
    """One feed YAML, checked against its template."""
    content = _read(path)
    feed = _parse(Feed, content.get("attributes", {}), path)
    check_feed(feed, templates, path)
    return feed


def check_feed(feed: Feed, templates: dict[str, Template], path: Path) -> None:
    """Raise DeclarationError where a feed does not fit the template it names."""
    if feed.feed != path.parent.name:
        raise DeclarationError(f"{path}: feed {feed.feed!r} must be the folder's name")
    template = templates.get(feed.template)
    if template is None:
        known = ", ".join(sorted(templates))
        raise DeclarationError(f"{path}: unknown template {feed.template!r}; known: {known}")
    if template.version != feed.template_version:
        raise DeclarationError(
            f"{path}: template {feed.template} is at version {template.version}, "
            f"the feed was written for {feed.template_version}"
        )
    for name, mapped in feed.records.items():
        record = template.records.get(name)
        if record is None:
            raise DeclarationError(f"{path}: template {feed.template} has no record {name!r}")
        _check_record(name, mapped, record, path)
    _check_policies(feed, template, path)


def _check_record(name: str, mapped: FeedRecord, record: Record, path: Path) -> None:
    if extra := sorted(set(mapped.fields) - set(record.fields)):
        raise DeclarationError(f"{path}: record {name} has no field {', '.join(extra)}")
    needed = {n for n, f in record.fields.items() if f.required} | set(record.key)
    if missing := sorted(needed - set(mapped.fields)):
        raise DeclarationError(f"{path}: record {name} lacks {', '.join(missing)}")


def _check_policies(feed: Feed, template: Template, path: Path) -> None:
    """What a feed says of single fields must be of fields there are."""
    mapped = {field for record in feed.records.values() for field in record.fields}
    for field, policy in feed.drift.fields.items():
        if field not in mapped:
            raise DeclarationError(f"{path}: drift names {field}, which is not mapped")
        needs_value = any(
            field in record.key or (field in record.fields and record.fields[field].required)
            for record in template.records.values()
        )
        if needs_value and policy is Policy.DISCARD_VALUE:
            raise DeclarationError(f"{path}: {field} is required, its value cannot be discarded")
    if unknown := sorted(set(feed.own_numbers) - mapped):
        raise DeclarationError(f"{path}: own_numbers names {unknown[0]}, which is not mapped")
    if feed.sequence is not None:
        record = feed.records.get(feed.sequence.record)
        named = {feed.sequence.number, *feed.sequence.within}
        if record is None or named - set(record.fields):
            raise DeclarationError(f"{path}: sequence names a record or field that is not mapped")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DeclarationError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DeclarationError(f"{path}: expected keys and values")
    return content


def _parse(kind: type[Kind], content: dict[str, Any], path: Path) -> Kind:
    try:
        return kind(**content)
    except (ValidationError, TypeError) as error:
        raise DeclarationError(f"{path}: {_first(error)}") from error


def _first(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
