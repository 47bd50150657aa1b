"""The page that lists every collection template: what a sender may map its columns onto.

Belongs here: turning declarations into Markdown. Does not: what may be declared.
``python -m dagster_project.console.template_guide`` writes ``docs/templates.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dagster_project.core.declarations import (
    FieldType,
    Record,
    Template,
    TemplateField,
    Treatment,
    load_templates,
)
from dagster_project.core.home import PROJECT, TEMPLATES

PAGE = PROJECT / "docs" / "templates.md"
INTRODUCTION = """\
# Collection templates

Written by `python -m dagster_project.console.template_guide` from the files in
`dagster_project/templates`: edit those, not this page.

A template is the canonical record of one kind of stream; a feed maps a sender's columns onto it.
One record is one raw table. Fields marked * are required. A field's class says how sensitive it
is, and *kept as* what is written instead of the value. A custom template extends another: its
rows fill the other's tables, its own fields are kept together as JSON, in staging `extra_fields`.
A new one is one more file, named like the template:

```yaml
template: pos_bakery
version: 1
extends: pos_standard
purpose: A bakery till's journal - the standard journal with the oven's times.
retention_days: 730
records:
  line:
    fields:
      baked_at: {type: timestamp, class: internal, description: "When it left the oven."}
```
"""
KEPT = {
    Treatment.KEEP: "it is",
    Treatment.SCAN: "it is, card numbers and contacts inside masked",
    Treatment.MASK: "token and mask (first six, last four)",
    Treatment.DROP: "nothing",
}


def guide(templates: Mapping[str, Template]) -> str:
    """Markdown: a table of the templates, then per template its records and their fields."""
    ordered = sorted(templates.values(), key=lambda one: (one.family, one.extends is not None))
    parts = [INTRODUCTION, *_overview(ordered)]
    for template in ordered:
        parts += ["", *_section(template)]
    return "\n".join(parts) + "\n"


def _overview(templates: Iterable[Template]) -> Iterator[str]:
    yield "| Template | What it is for | Records |"
    yield "|---|---|---|"
    for one in templates:
        base = f" Extends `{one.extends}`." if one.extends else ""
        records = ", ".join(f"`{name}`" for name in _shown(one))
        yield f"| [{one.template}](#{one.template}) | {one.purpose}{base} | {records} |"


def _shown(template: Template) -> dict[str, Record]:
    """The template's records; of a custom one only those it adds fields to."""
    records = template.records
    return {n: r for n, r in records.items() if r.added} if template.extends else records


def _section(template: Template) -> Iterator[str]:
    yield f"## {template.template}"
    yield ""
    base = f" Everything of `{template.extends}`, and:" if template.extends else ""
    yield (
        f"{template.purpose} Version {template.version}; "
        f"deliveries are kept for {template.retention_days:,} days.{base}"
    )
    for name, record in _shown(template).items():
        yield ""
        yield from _record(template, name, record)


def _record(template: Template, name: str, record: Record) -> Iterator[str]:
    yield f"**{name}** → `raw.{template.table(name)}`. {record.description}  "
    said = ["Key " + ", ".join(f"`{field}`" for field in record.key)]
    if record.business_time:
        said.append(f"business time `{record.business_time}`")
    if record.version_by:
        said.append(f"of several contents of a key the one with the latest `{record.version_by}`")
    yield f"{'; '.join(said)}."
    yield ""
    yield "| Field | Type | Class | Kept as | What it is |"
    yield "|---|---|---|---|---|"
    for field in record.added if template.extends else record.fields:
        yield _row(field, record.fields[field])


def _row(name: str, field: TemplateField) -> str:
    star = "*" if field.required else ""
    kind = f"{field.type.value}, {field.unit}" if field.unit else field.type.value
    words = " ".join(part for part in (field.description, _limits(field)) if part)
    text = words.replace("|", r"\|")
    return f"| `{name}`{star} | {kind} | {field.classification.value} | {_kept(field)} | {text} |"


def _limits(field: TemplateField) -> str:
    if field.allowed:
        return f"One of {', '.join(f'`{one}`' for one in field.allowed)}."
    low, high = field.minimum, field.maximum
    if low is not None and high is not None:
        return f"From {low:g} to {high:g}."
    return f"At least {low:g}." if low is not None else ""


def _kept(field: TemplateField) -> str:
    if field.treatment is Treatment.TOKEN:
        return f"token of domain {field.token_domain}"
    if field.treatment is Treatment.GENERALISE:
        return "decade" if field.type is FieldType.DATE else "first part"
    return KEPT[field.treatment]


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(guide(load_templates(TEMPLATES)), "utf-8")


if __name__ == "__main__":
    main()
