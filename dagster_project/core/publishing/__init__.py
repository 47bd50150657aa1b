"""Masked copies of the marts that readers open while the next refresh runs.

Belongs here: audiences, metrics, audit, versions. Does not: how the marts are made.
"""

from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.publishing.publication import PublicationOutcome, publish
from dagster_project.core.publishing.reconciling import unlike_the_audited
from dagster_project.core.publishing.versions import (
    Publication,
    attached,
    latest_publication,
    published_path,
    rollback,
)

__all__ = [
    "Publication",
    "PublicationError",
    "PublicationOutcome",
    "attached",
    "latest_publication",
    "publish",
    "published_path",
    "rollback",
    "unlike_the_audited",
]
