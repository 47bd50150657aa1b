"""What may be declared in YAML: templates (fields), feeds and their layouts, and reading them.

Belongs here: declarations, validated. Identifiers that reach SQL come from here and have passed
``IDENTIFIER``; expressions in a feed are SQL written by the deployment's own engineer.
"""

from dagster_project.core.declarations.feed import (
    DELIMITED,
    OBJECTS,
    Arrival,
    Dialect,
    Drift,
    Feed,
    FeedRecord,
    Policy,
    Sequence,
    TableSource,
    Total,
)
from dagster_project.core.declarations.fields import (
    IDENTIFIER,
    SQL_TYPES,
    SYSTEM_COLUMNS,
    Classification,
    FieldType,
    Outcome,
    Record,
    Template,
    TemplateField,
    Treatment,
)
from dagster_project.core.declarations.layouts import layout_names, read_layout
from dagster_project.core.declarations.reading import (
    DeclarationError,
    check_feed,
    load_feed,
    load_feeds,
    load_templates,
)

__all__ = [
    "DELIMITED",
    "IDENTIFIER",
    "OBJECTS",
    "SQL_TYPES",
    "SYSTEM_COLUMNS",
    "Arrival",
    "Classification",
    "DeclarationError",
    "Dialect",
    "Drift",
    "Feed",
    "FeedRecord",
    "FieldType",
    "Outcome",
    "Policy",
    "Record",
    "Sequence",
    "TableSource",
    "Template",
    "TemplateField",
    "Total",
    "Treatment",
    "check_feed",
    "layout_names",
    "load_feed",
    "load_feeds",
    "load_templates",
    "read_layout",
]
