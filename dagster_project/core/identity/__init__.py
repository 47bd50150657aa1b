"""Identity: which member numbers, contacts, cards, cookies and handles are one person.

Deterministic first, by tokens alone: identifiers seen together in one record belong together. Then
Splink on what is left, on the vault's values inside the private file. A steward has the last word.
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
