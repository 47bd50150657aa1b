"""Identity: which member numbers, contacts, cards, cookies and handles are one person.

Deterministic: identifiers seen together in one record belong together. Only tokens are read.
"""

from dagster_project.core.identity.evaluate import IdentityScore, evaluate
from dagster_project.core.identity.resolve import (
    IdentityOutcome,
    create_identity_tables,
    resolve_persons,
)

__all__ = [
    "IdentityOutcome",
    "IdentityScore",
    "create_identity_tables",
    "evaluate",
    "resolve_persons",
]
